package store_test

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset/github"
)

// counted is what a file holds, counted without our reader.
type counted struct{ issues, closed, comments, people, labels int }

func countArchive(t *testing.T, file string) (counted, int) {
	t.Helper()
	var raw struct {
		Issues []struct {
			Number                      int
			State                       string
			Author                      string
			Assignees, Labels           []string
			Comments                    []struct{ Author string }
			CreatedAt, ClosedAt, Reason string
		}
	}
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &raw))
	c, people, labels, highest := counted{issues: len(raw.Issues)}, map[string]bool{}, map[string]bool{}, 0
	for _, i := range raw.Issues {
		highest = max(highest, i.Number)
		c.comments += len(i.Comments)
		if i.State == "CLOSED" {
			c.closed++
		}
		people[i.Author] = true
		for _, p := range i.Assignees {
			people[p] = true
		}
		for _, comment := range i.Comments {
			people[comment.Author] = true
		}
		for _, l := range i.Labels {
			labels[l] = true
		}
	}
	c.people, c.labels = len(people), len(labels)
	return c, highest
}

func TestLoadDataset_Archives(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, phrase string
		number       int // has the phrase in its body
		history      []string
	}{
		{"mls-protocol", "different ways to do deletion in", 7, []string{"2018-01-22T13:20:52Z created", "2018-01-29T15:50:07Z commented",
			"2018-01-30T01:12:55Z commented", "2018-09-10T22:10:45Z commented",
			"2019-01-07T22:55:25Z changed status", "2019-01-07T22:55:25Z commented"}},
		{"privacypass", "provide recommendations for section", 2, []string{"2020-03-03T14:06:06Z created", "2020-03-23T08:03:39Z commented",
			"2022-02-09T22:59:47Z commented", "2022-06-28T10:59:41Z changed status", "2022-06-28T10:59:41Z commented"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			file := storetest.Archive(t, c.name)
			want, highest := countArchive(t, file)
			db := storetest.Open(t)
			acme := db.Tenant(t, "acme")
			for _, again := range []bool{false, true} {
				f, err := os.Open(file)
				require.NoError(t, err)
				d, err := github.ReadArchive(f, false)
				require.NoError(t, err)
				require.NoError(t, f.Close())
				d.Project.Key = "REAL"
				start := time.Now()
				r := load(t, db, acme, d)
				t.Logf("again %t: %d issues, %d comments, %d events in %s", again, r.Issues.Added, r.Comments.Added, r.Events, time.Since(start).Round(time.Millisecond))
				if again {
					require.Equal(t, []int{0, want.issues, 0, want.comments, 0, want.people},
						[]int{r.Issues.Added, r.Issues.Present, r.Comments.Added, r.Comments.Present, r.People.Added, r.People.Present})
				} else {
					require.True(t, r.NumbersKept)
					require.Equal(t, want, counted{r.Issues.Added, r.Closed, r.Comments.Added, r.People.Added, r.Labels})
				}
			}
			var stored counted
			require.NoError(t, db.Admin(t).QueryRow(t.Context(), `select (select count(*) from issues), (select count(*) from issues where category = 'done'),
				(select count(*) from comments), (select count(*) from members where state = 'imported'),
				(select count(distinct label) from issue_labels)`).Scan(&stored.issues, &stored.closed, &stored.comments, &stored.people, &stored.labels))
			require.Equal(t, want, stored)
			requireEventsTellAll(t, db.Admin(t), want.issues)

			var ids []uuid.UUID
			acme.Read(t, store.MatchText(tracker.Filter{Text: `"` + c.phrase + `"`}, &ids))
			issue, events := issueOf(t, acme, "REAL", c.number)
			require.Contains(t, ids, issue.ID)
			require.Equal(t, tracker.Done, issue.Category)
			var history []string
			for _, e := range events {
				line := e.At.UTC().Format(time.RFC3339) + " " + string(e.Kind)
				if e.Field != "" {
					line += " " + e.Field
				}
				history = append(history, line)
			}
			require.Equal(t, c.history, history)
			var project tracker.Project
			acme.Read(t, store.ProjectByKey("REAL", &project))
			require.Equal(t, highest+1, acme.Issues(t, project, "The next one")[0].Key.Number)
		})
	}
}
