package tracker

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tenancy"
)

func TestPriority(t *testing.T) {
	t.Parallel()
	for n, name := range PriorityNames() {
		p, err := ParsePriority(" " + strings.ToUpper(name))
		require.NoError(t, err)
		require.Equal(t, Priority(n+1), p)
		require.Equal(t, name, p.String())
	}
	require.Less(t, Urgent, Low, "a smaller number is more urgent")
	for _, bad := range []string{"", "critical", "1", "high\x00"} {
		_, err := ParsePriority(bad)
		require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err), bad)
		require.ErrorContains(t, err, "urgent, high, medium or low")
	}
	require.Equal(t, "unknown", Priority(0).String())
	require.Equal(t, "unknown", Priority(5).String())
	PriorityNames()[0] = "changed"
	require.Equal(t, "urgent", PriorityNames()[0], "the caller gets a copy")
}

func TestParseIssueKey(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]IssueKey{
		"WEB-1": {"WEB", 1}, "web-12": {"WEB", 12}, "  A1-999999999 ": {"A1", 999_999_999}, "ABCDEFGHIJ-1": {"ABCDEFGHIJ", 1},
	} {
		got, err := ParseIssueKey(in)
		require.NoError(t, err, in)
		require.Equal(t, want, got)
	}
	for _, bad := range []string{"", "WEB", "WEB-", "WEB-0", "WEB-01", "-1", "W-1", "1WEB-1", "ABCDEFGHIJK-1", "WEB-1000000000", "WEB--1", "WEB-1 x", "WEB 1", "WÉB-1", "WEB-١", "WEB-1\n2", "WEB-1.5"} {
		_, err := ParseIssueKey(bad)
		require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err), "%q", bad)
	}
}

func FuzzParseIssueKey(f *testing.F) {
	for _, seed := range []string{"WEB-1", "web-12", "", "-", "A1-999999999", "ſ-1", "WEB-0", "\x00", "WEB-1\u200b", "ﬀ-1", "ıı-1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		key, err := ParseIssueKey(in)
		if err != nil {
			require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err))
			return
		}
		require.NoError(t, CheckProjectKey(key.Project))
		require.Positive(t, key.Number)
		require.LessOrEqual(t, key.Number, math.MaxInt32, "it fits the database's column")
		again, err := ParseIssueKey(key.String())
		require.NoError(t, err)
		require.Equal(t, key, again)
		require.True(t, strings.HasSuffix(key.String(), strconv.Itoa(key.Number)))
	})
}

func TestCheckPoints(t *testing.T) {
	t.Parallel()
	for _, good := range []float64{0, 0.5, 1000} {
		require.NoError(t, CheckPoints(good))
	}
	for _, bad := range []float64{-0.1, 1000.1, math.NaN(), math.Inf(1), math.Inf(-1)} {
		require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(CheckPoints(bad)), bad)
	}
}

func TestParseDay(t *testing.T) {
	t.Parallel()
	day, err := ParseDay("due_date", " 2026-02-28 ")
	require.NoError(t, err)
	require.Equal(t, time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC), day)
	for _, bad := range []string{"", "2026-02-29", "2026-2-1", "28.02.2026", "1969-12-31", "10000-01-01", "2026-01-01T00:00:00Z", "infinity", "today"} {
		_, err := ParseDay("due_date", bad)
		require.ErrorContains(t, err, "due_date ", bad)
		require.ErrorContains(t, err, "2026-01-31", "the form")
	}
}

func TestOptional(t *testing.T) {
	t.Parallel()
	type change struct {
		Text Optional[string]   `json:"text,omitzero"`
		List Optional[[]string] `json:"list,omitzero"`
	}
	for in, want := range map[string]change{
		`{}`:            {},
		`{"text":null}`: {Text: Clear[string]()},
		`{"text":"x"}`:  {Text: Set("x")},
		`{"text":""}`:   {Text: Set("")},
		`{"list":[]}`:   {List: Set([]string{})},
	} {
		var got change
		require.NoError(t, json.Unmarshal([]byte(in), &got), in)
		require.Equal(t, want, got, in)
		out, err := json.Marshal(got)
		require.NoError(t, err)
		require.JSONEq(t, in, string(out))
	}
	require.Error(t, json.Unmarshal([]byte(`{"text":1}`), new(change)))
	require.True(t, Optional[int]{}.IsZero())
	require.False(t, Clear[int]().IsZero())
	out, err := json.Marshal(Optional[int]{})
	require.NoError(t, err)
	require.Equal(t, "null", string(out))
}

func TestCreated(t *testing.T) {
	t.Parallel()
	points, id := 3.0, uuid.New()
	e := Created(Issue{ID: id, Title: "x", Type: "Bug", Status: "To Do", Category: Todo, Priority: High})
	require.Equal(t, EventCreated, e.Kind)
	require.Equal(t, id, e.IssueID)
	require.Nil(t, e.Before)
	small, err := json.Marshal(e.After)
	require.NoError(t, err)
	require.JSONEq(t, `{"title":"x","type":"Bug","status":{"name":"To Do","category":"todo"},"priority":"high"}`, string(small))
	e = Created(Issue{Title: "x", Points: &points, Assignee: "ada", SprintID: id, Sprint: "One", Parent: &IssueKey{"WEB", 1}})
	require.Subset(t, e.After, map[string]any{"points": 3.0, "assignee": "ada", "sprint": SprintValue{id, "One"}, "parent": "WEB-1"})
}

func TestTimeInStatus(t *testing.T) {
	t.Parallel()
	moved := func(at time.Time, to string) Event {
		return Event{Kind: EventChanged, Field: "status", After: StatusValue{to, Todo}, At: at}
	}
	created := Created(Issue{Status: "To Do", Category: Todo})
	created.At = noon
	require.Empty(t, TimeInStatus(nil, noon))
	require.Equal(t, map[string]time.Duration{"To Do": time.Hour}, TimeInStatus([]Event{created}, noon.Add(time.Hour)))
	require.Equal(t, map[string]time.Duration{"To Do": 3 * time.Hour, "Doing": 2 * time.Hour}, TimeInStatus([]Event{
		created, {Kind: EventCommented, After: "x", At: noon.Add(30 * time.Minute)}, moved(noon.Add(time.Hour), "Doing"),
		{Kind: EventChanged, Field: "title", After: "status", At: noon.Add(2 * time.Hour)}, moved(noon.Add(3*time.Hour), "To Do"),
	}, noon.Add(5*time.Hour)))
	raw := Event{Kind: EventChanged, Field: "status", After: json.RawMessage(`{"name":"Done","category":"done"}`), At: noon}
	require.Equal(t, map[string]time.Duration{"Done": time.Minute}, TimeInStatus([]Event{raw}, noon.Add(time.Minute)), "as the database gives them")
	require.Empty(t, TimeInStatus([]Event{raw}, noon.Add(-time.Minute)), "a clock that is behind")
	for _, odd := range []any{nil, "text", 1, json.RawMessage(`[]`), func() {}} {
		require.Empty(t, TimeInStatus([]Event{{Kind: EventChanged, Field: "status", After: odd, At: noon}}, noon.Add(time.Hour)))
	}
}

func TestRelation(t *testing.T) {
	t.Parallel()
	for _, name := range RelationNames() {
		r, err := ParseRelation(" " + strings.ToUpper(name) + " ")
		require.NoError(t, err)
		require.Equal(t, r, r.Inverse().Inverse(), name)
		require.Equal(t, r == RelatesTo, r.Inverse() == r, name)
	}
	require.Equal(t, BlockedBy, Blocks.Inverse())
	require.Equal(t, DuplicatedBy, Duplicates.Inverse())
	require.Equal(t, ChildOf, ParentOf.Inverse())
	for _, bad := range []string{"", "block", "duplicated_by", "blocks\x00x"} {
		_, err := ParseRelation(bad)
		require.ErrorContains(t, err, "child_of", bad)
	}
}

func TestFilterWords(t *testing.T) {
	t.Parallel()
	require.True(t, Period{}.IsZero())
	require.False(t, Period{After: &noon}.IsZero())
	require.False(t, Period{Before: &noon}.IsZero())
	require.Contains(t, SortNames(), string(SortRelevance))
	require.Contains(t, GroupFields(), "label")
}
