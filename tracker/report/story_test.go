package report_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/report"
)

// A story tells a project's history in a few lines, one for each issue:
//
//	number type points sprint | time change ... | time change ...
//
// The first part is how the issue was created, - is for nothing. Times are of 2026
// in the project's zone, such as 03-02T09:00. A change is a status (todo, doing,
// review, done, cancelled) or points=5, sprint=S1, type=Bug, who=ada, each with -
// for none.
type story struct {
	t       testing.TB
	project tracker.Project
	sprints []report.Sprint
	issues  []report.Issue
	now     time.Time
}

// statuses are the words of a story for the scrum workflow.
var statuses = map[string]tracker.Status{
	"backlog": {Name: "Backlog", Category: tracker.Todo}, "todo": {Name: "To Do", Category: tracker.Todo},
	"doing": {Name: "In Progress", Category: tracker.InProgress}, "review": {Name: "In Review", Category: tracker.InProgress},
	"done": {Name: "Done", Category: tracker.Done}, "cancelled": {Name: "Cancelled", Category: tracker.Cancelled},
}

func newStory(t testing.TB, zone, now string) *story {
	t.Helper()
	template, err := tracker.FindTemplate("scrum")
	require.NoError(t, err)
	s := &story{t: t, project: tracker.Project{Key: "WEB", Name: "Website", Timezone: zone, Workflow: template.Workflow}}
	s.now = s.time(now)
	return s
}

func (s *story) time(text string) time.Time {
	s.t.Helper()
	zone, err := time.LoadLocation(s.project.Timezone)
	require.NoError(s.t, err)
	at, err := time.ParseInLocation("2006-01-02T15:04", "2026-"+text, zone)
	require.NoError(s.t, err)
	return at.UTC()
}

func day(text string) *time.Time {
	at, err := time.Parse(time.DateOnly, "2026-"+text)
	if err != nil {
		panic(err)
	}
	return &at
}

// sprint adds a sprint; it is planned, active or completed by the times given.
func (s *story) sprint(name, starts, ends, started, completed string) *story {
	s.t.Helper()
	sp := tracker.Sprint{ID: sprintID(name), Name: name, State: tracker.SprintPlanned, StartsOn: day(starts), EndsOn: day(ends)}
	if started != "" {
		at := s.time(started)
		sp.State, sp.StartedAt = tracker.SprintActive, &at
	}
	if completed != "" {
		at := s.time(completed)
		sp.State, sp.CompletedAt = tracker.SprintCompleted, &at
	}
	s.sprints = append(s.sprints, report.Sprint{Sprint: sp})
	return s
}

// sprintID is a sprint's id, made of its name.
func sprintID(name string) uuid.UUID { return uuid.NewSHA1(uuid.Nil, []byte(name)) }

// tell adds issues.
func (s *story) tell(text string) *story {
	s.t.Helper()
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		parts := strings.Split(line, "|")
		head := strings.Fields(parts[0])
		number, err := strconv.Atoi(head[0])
		require.NoError(s.t, err, line)
		i := report.Issue{ID: uuid.NewSHA1(uuid.Nil, []byte("issue "+head[0])), Key: tracker.IssueKey{Project: "WEB", Number: number}, Title: "Issue " + head[0]}
		state := report.State{Status: "To Do", Category: tracker.Todo, Type: head[1]}
		s.change(&state, "points="+head[2])
		s.change(&state, "sprint="+head[3])
		for _, part := range parts[1:] {
			words := strings.Fields(part)
			for _, word := range words[1:] {
				s.change(&state, word)
			}
			i.Steps = append(i.Steps, report.Step{At: s.time(words[0]), State: state})
		}
		s.issues = append(s.issues, i)
	}
	return s
}

func (s *story) change(state *report.State, word string) {
	s.t.Helper()
	if status, known := statuses[word]; known {
		state.Status, state.Category = status.Name, status.Category
		return
	}
	name, value, _ := strings.Cut(word, "=")
	if value == "-" {
		value = ""
	}
	switch name {
	case "points":
		state.Points, state.Estimated = 0, value != ""
		if state.Estimated {
			var err error
			state.Points, err = strconv.ParseFloat(value, 64)
			require.NoError(s.t, err)
		}
	case "sprint":
		state.Sprint = uuid.Nil
		if value != "" {
			state.Sprint = sprintID(value)
		}
	case "type":
		state.Type = value
	case "who":
		state.Assignee = value
	default:
		require.Fail(s.t, "unknown change", word)
	}
}

func (s *story) data() report.Data {
	return report.Data{Projects: []tracker.Project{s.project}, Sprints: s.sprints, Issues: s.issues}
}

// make computes a report that must work.
func (s *story) make(q report.Question) report.Report {
	s.t.Helper()
	r, err := s.try(q)
	require.NoError(s.t, err)
	require.NotEmpty(s.t, r.Definition)
	require.NotEmpty(s.t, r.Headline)
	require.Equal(s.t, s.now, r.AsOf)
	return r
}

func (s *story) try(q report.Question) (report.Report, error) {
	q.Now = s.now
	return report.Make(q, s.data())
}

// figures picks figures by name, in their order.
func figures(r report.Report, names ...string) []any {
	var values []any
	for _, name := range names {
		v := r.Summary.Get(name)
		if f, ok := v.(float64); ok && math.IsNaN(f) {
			v = nil
		} else if ok {
			v = rounded(f)
		}
		values = append(values, v)
	}
	return values
}

func rounded(f float64) float64 {
	text := fmt.Sprintf("%.4f", f)
	f, _ = strconv.ParseFloat(text, 64)
	return f
}

// column picks a column of a table by name.
func column(t testing.TB, r report.Report, name string) []any {
	t.Helper()
	var values []any
	for n, c := range r.Table.Columns {
		if c == name {
			for _, row := range r.Table.Rows {
				require.Len(t, row, len(r.Table.Columns))
				values = append(values, row[n])
			}
			return values
		}
	}
	require.Fail(t, "no column", name)
	return nil
}

func marshal(r report.Report) ([]byte, error) { return json.Marshal(r) }
