package report_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/report"
)

func TestParseSteps(t *testing.T) {
	t.Parallel()
	sprint := uuid.MustParse("019a0000-0000-7000-8000-000000000001")
	steps, err := report.ParseSteps(strings.Join([]string{
		"1767258000000000\tcreated\ttodo\tTo Do\tBug\t\t\t",
		"1767258000000000\tpoints\t2.5",
		"1767258001000000\tsprint\t" + sprint.String(),
		"1767258001000000\tstatus\tin_progress\tIn Progress",
		"1767258001000000\tassignee\tada@acme.test",
		"1767258001000000\tstatus\tdone\tDone",
		"1767258002000001\tpoints\t",
		"1767258002000001\ttype\tStory",
		"1767258003000000\tsprint\t",
		"1767258003000000\tassignee\t",
	}, "\n"))
	require.NoError(t, err)
	at := time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC)
	begun := report.State{Status: "In Progress", Category: tracker.InProgress, Type: "Bug", Points: 2.5, Estimated: true, Sprint: sprint, Assignee: "ada@acme.test"}
	done := begun
	done.Status, done.Category = "Done", tracker.Done
	story := done
	story.Type, story.Points, story.Estimated = "Story", 0, false
	last := story
	last.Sprint, last.Assignee = uuid.Nil, ""
	require.Equal(t, []report.Step{
		{At: at, State: report.State{Status: "To Do", Category: tracker.Todo, Type: "Bug"}},
		{At: at, State: report.State{Status: "To Do", Category: tracker.Todo, Type: "Bug", Points: 2.5, Estimated: true}},
		{At: at.Add(time.Second), State: begun},
		{At: at.Add(time.Second), State: done},
		{At: at.Add(2*time.Second + time.Microsecond), State: story},
		{At: at.Add(3 * time.Second), State: last},
	}, steps)
}

func TestParseSteps_ErrMalformed(t *testing.T) {
	t.Parallel()
	const created = "5\tcreated\ttodo\tTo Do\tTask\t\t\t"
	for _, text := range []string{"", "x", "5\tstatus\tdone\tDone", created + "\n" + created, created + "\n4\ttype\tBug", created + "\n6\tcolour\tred",
		"5\tcreated\ttodo", created + "\n6\tpoints\tmany", created + "\n6\tsprint\tnext", created + "\n", "5\tcreated\ttodo\tTo Do\tTask\tx\t\t",
		"5\tcreated\ttodo\tTo Do\tTask\t\tx\t"} {
		_, err := report.ParseSteps(text)
		require.Error(t, err, "%q", text)
	}
}

// TestParseSteps_SameTime: changes of different fields at one time give the same
// steps in whatever order they were written.
func TestParseSteps_SameTime(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lines := []string{"0\tcreated\ttodo\tTo Do\tTask\t3\t\t"}
		shuffled := []string{lines[0]}
		fields := []string{"status\tdone\tDone", "type\tBug", "points\t5", "sprint\t" + uuid.NewString(), "assignee\tada"}
		for at := range rapid.IntRange(1, 5).Draw(t, "times") {
			var group []string
			for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(fields)-1), 1, len(fields), rapid.ID).Draw(t, "fields") {
				group = append(group, fmt.Sprintf("%d\t%s", at, fields[n]))
			}
			lines = append(lines, group...)
			again := append([]string{}, group...)
			r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
			r.Shuffle(len(again), func(a, b int) { again[a], again[b] = again[b], again[a] })
			shuffled = append(shuffled, again...)
		}
		want, err := report.ParseSteps(strings.Join(lines, "\n"))
		require.NoError(t, err)
		got, err := report.ParseSteps(strings.Join(shuffled, "\n"))
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func FuzzParseSteps(f *testing.F) {
	f.Add("5\tcreated\ttodo\tTo Do\tTask\t1\t\t\n6\tstatus\tdone\tDone")
	f.Add("5\tcreated\ttodo\tTo Do\tTask\t\t019a0000-0000-7000-8000-000000000001\tada\n5\tpoints\t\n5\tsprint\t")
	f.Fuzz(func(t *testing.T, text string) {
		steps, err := report.ParseSteps(text)
		if err != nil {
			return
		}
		require.NotEmpty(t, steps)
		for n := range steps[1:] {
			require.False(t, steps[n+1].At.Before(steps[n].At))
		}
	})
}
