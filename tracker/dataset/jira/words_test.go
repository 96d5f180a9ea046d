package jira_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
)

// one reads an export with one issue, whose other fields are as given.
func one(t *testing.T, fields ...string) dataset.State {
	t.Helper()
	head, row := "Issue key,Summary,Created", "A-1,x,2026-02-01"
	for n := 0; n < len(fields); n += 2 {
		head, row = head+","+fields[n], row+",\""+fields[n+1]+"\""
	}
	return readChecked(t, head+"\n"+row+"\n").Issues[0].Now()
}

// TestReadCSV_StatusWords: what the words of a status mean where the export has no
// category; a word in another does not count.
func TestReadCSV_StatusWords(t *testing.T) {
	t.Parallel()
	for category, names := range map[tracker.Category][]string{
		tracker.Todo: {"Open", "Reopened", "To Do", "Backlog", "Selected for Development", "Not Started", "Unstarted", "Unresolved", "Incomplete",
			"Unfinished", "Inactive", "Ready for Development", "Parking lot", "New"},
		tracker.InProgress: {"In Progress", "In Review", "Code review", "Testing", "QA", "Doing", "Active", "Started", "Blocked", "On Hold", "Waiting for customer", "Analysis"},
		tracker.Done:       {"Done", "Closed", "Resolved", "Released", "Complete", "Fixed", "Finished", "Deployed to production", "Accepted"},
		tracker.Cancelled:  {"Cancelled", "Canceled", "Won't Do", "Rejected", "Declined", "Duplicate", "Obsolete", "Abandoned"},
	} {
		for _, name := range names {
			require.Equal(t, category, one(t, "Status", name).Status.Category, name)
			require.Equal(t, category, one(t, "Status", " "+strings.ToUpper(name)).Status.Category, name)
		}
	}
	// Jira's own category comes first, but does not say what was given up.
	for _, c := range []struct {
		status, category string
		want             tracker.Category
	}{{"Done", "To Do", tracker.Todo}, {"Backlog", "In Progress", tracker.InProgress}, {"Parking lot", "Done", tracker.Done}, {"Rejected", "Done", tracker.Cancelled}} {
		require.Equal(t, c.want, one(t, "Status", c.status, "Status Category", c.category).Status.Category, c.status)
	}
}

// TestReadCSV_PriorityWords: Jira's two sets of priorities, and shorter ones.
func TestReadCSV_PriorityWords(t *testing.T) {
	t.Parallel()
	for priority, names := range map[tracker.Priority][]string{
		tracker.Urgent: {"Highest", "Blocker", "critical", "P0", "P1"}, tracker.High: {"High", "MAJOR", "P2"},
		tracker.Medium: {"", "Medium", "Normal", "P3"}, tracker.Low: {"Low", "Minor", "Lowest", "Trivial", "P4"},
	} {
		for _, name := range names {
			require.Equal(t, priority, one(t, "Status", "Open", "Priority", name).Priority, name)
		}
	}
}

// TestReadCSV_DatesOfAllForms writes times in a form of Jira's and reads them back;
// a date after the 12th shows whether day or month comes first.
func TestReadCSV_DatesOfAllForms(t *testing.T) {
	t.Parallel()
	days := map[string]string{"02/Jan/06": "", "2006-01-02": "", "2 Jan 2006": "", "Jan 2, 2006": "", "02.01.2006": "", "2/1/2006": "28/2/2026", "1/2/2006": "2/28/2026",
		"02/01/06": "28/02/26", "01/02/06": "02/28/26"}
	rapid.Check(t, func(rt *rapid.T) {
		form := rapid.SampledFrom([]string{"02/Jan/06", "2006-01-02", "2 Jan 2006", "Jan 2, 2006", "02.01.2006", "2/1/2006", "1/2/2006", "02/01/06", "01/02/06"}).Draw(rt, "day")
		clock := rapid.SampledFrom([]string{" 15:04", " 3:04 PM", " 15:04:05", ", 3:04 PM"}).Draw(rt, "clock")
		in := "Issue key,Summary,Status,Created,Due date\n"
		var want []time.Time
		for n := range rapid.IntRange(1, 5).Draw(rt, "rows") {
			at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 365*24*60-1).Draw(rt, "minute")) * time.Minute)
			want = append(want, at)
			in += fmt.Sprintf("A-%d,x,Open,\"%s\",%s\n", n+1, at.Format(form+clock), days[form])
		}
		d := readChecked(t, in)
		for n, at := range want {
			require.Equal(rt, at, d.Issues[n].CreatedAt(), in)
		}
		require.NotContains(rt, notes(d), "were read as day/month/year")
	})
}

// TestReadCSV_SeparatorsAreTheSame: commas, semicolons and tabs make no difference,
// nor does the mark that spreadsheets put at the beginning.
func TestReadCSV_SeparatorsAreTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringMatching(`[a-z;,\n ]{0,12}`)
		rows := [][]string{{"Issue key", "Summary", "Status", "Created", "Description"}}
		for n := range rapid.IntRange(1, 4).Draw(rt, "rows") {
			rows = append(rows, []string{fmt.Sprintf("A-%d", n+1), text.Draw(rt, "summary") + "x", "Open", "2026-02-01", text.Draw(rt, "body")})
		}
		var read []*dataset.Dataset
		for _, c := range []struct{ mark, separator string }{{"", ","}, {"", ";"}, {"", "\t"}, {"\ufeff", ","}} {
			in := c.mark
			for _, row := range rows {
				in += `"` + strings.Join(row, `"`+c.separator+`"`) + `"` + "\n"
			}
			read = append(read, readChecked(t, in))
		}
		for _, other := range read[1:] {
			require.Equal(rt, read[0].Issues, other.Issues)
		}
	})
}
