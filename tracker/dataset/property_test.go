package dataset_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
)

// drawDirty makes up a dataset as a careless reader would: any text, any order,
// parents and links that may point anywhere.
func drawDirty(t *rapid.T) *dataset.Dataset {
	d := &dataset.Dataset{Source: "x", Project: dataset.Project{Key: "WEB", Name: rapid.String().Draw(t, "name")},
		Sprints: []dataset.Sprint{{Name: "next", Goal: rapid.String().Draw(t, "goal")}}}
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "plain", "a\u202eb", "x\r\ny", "\x00\x1b[2J"}))
	handle := func(label string) string { return d.AddPerson(text.Draw(t, label), "", "") }
	size := rapid.IntRange(1, 6).Draw(t, "issues")
	id := rapid.Custom(func(t *rapid.T) string { return fmt.Sprint(rapid.IntRange(0, 7).Draw(t, "id")) })
	for n := range size {
		i := dataset.Issue{ExternalID: fmt.Sprint(n), Number: n, Reporter: handle("reporter")}
		for range rapid.IntRange(1, 3).Draw(t, "revisions") {
			points := rapid.Float64().Draw(t, "points")
			i.Revisions = append(i.Revisions, dataset.Revision{At: day.Add(time.Duration(rapid.IntRange(-9, 9).Draw(t, "at")) * time.Hour), By: handle("by"),
				State: dataset.State{Title: "T" + text.Draw(t, "title"), Body: text.Draw(t, "body"), Type: text.Draw(t, "type"), Status: open, Points: &points,
					Labels: rapid.SliceOf(text).Draw(t, "labels"), Parent: rapid.SampledFrom([]string{"", "0", "9"}).Draw(t, "parent"),
					Sprint: rapid.SampledFrom([]string{"", "next"}).Draw(t, "sprint"), Assignee: handle("assignee")}})
		}
		for range rapid.IntRange(0, 3).Draw(t, "comments") {
			i.Comments = append(i.Comments, dataset.Comment{Author: handle("author"), Body: text.Draw(t, "comment"), At: day})
		}
		d.Issues = append(d.Issues, i)
	}
	for range rapid.IntRange(0, 8).Draw(t, "links") {
		d.Links = append(d.Links, dataset.Link{From: id.Draw(t, "from"), To: id.Draw(t, "to"), Relation: rapid.SampledFrom(
			[]tracker.Relation{tracker.Blocks, tracker.RelatesTo, tracker.Duplicates, tracker.BlockedBy}).Draw(t, "relation")})
	}
	return d
}

func TestCheck_MakesAnythingLoadable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := drawDirty(t)
		if err := d.Check(); err != nil {
			require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err), err)
			return
		}
		requireClean(t, d)
		before, err := json.Marshal(d)
		require.NoError(t, err)
		require.NoError(t, d.Check())
		after, err := json.Marshal(d)
		require.NoError(t, err)
		require.JSONEq(t, string(before), string(after), "a second check changes nothing")
	})
}

// requireClean asserts what the loader relies on.
func requireClean(t *rapid.T, d *dataset.Dataset) {
	order, err := d.ParentsFirst()
	require.NoError(t, err)
	placed := map[string]bool{"": true}
	for _, i := range order {
		require.True(t, placed[i.Now().Parent], "the parent of %s comes first", i.ExternalID)
		placed[i.ExternalID] = true
	}
	for _, i := range d.Issues {
		for n, r := range i.Revisions {
			require.Equal(t, tracker.CleanLine(r.Title), r.Title)
			require.NotEmpty(t, r.Title)
			require.NotEmpty(t, r.Type)
			require.LessOrEqual(t, utf8.RuneCountInString(r.Body), tracker.MaxBody)
			require.True(t, n == 0 || !r.At.Before(i.Revisions[n-1].At))
			require.Contains(t, []string{"", "next sprint"}, r.Sprint)
			require.True(t, r.Points == nil || tracker.CheckPoints(*r.Points) == nil)
		}
		ids := map[string]bool{}
		for _, c := range i.Comments {
			require.NotEmpty(t, c.Body)
			require.False(t, ids[c.ExternalID], c.ExternalID)
			ids[c.ExternalID] = true
		}
	}
	blocks := map[string][]string{}
	for _, l := range d.Links {
		require.True(t, placed[l.From] && placed[l.To] && l.From != l.To)
		if l.Relation == tracker.Blocks {
			blocks[l.From] = append(blocks[l.From], l.To)
		}
	}
	for from := range blocks {
		require.False(t, reaches(blocks, from, from, len(d.Issues)), "%s blocks itself", from)
	}
}

// reaches reports whether a chain of at most so many links leads from a to b.
func reaches(links map[string][]string, a, b string, steps int) bool {
	for _, next := range links[a] {
		if next == b || steps > 0 && reaches(links, next, b, steps-1) {
			return true
		}
	}
	return false
}
