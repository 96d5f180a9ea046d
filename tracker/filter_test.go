package tracker

import (
	"reflect"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// TestFilter_OnlyText sets every field by itself: of those that a search of a text
// takes into account, none restricts further; any other does.
func TestFilter_OnlyText(t *testing.T) {
	t.Parallel()
	require.False(t, Filter{}.OnlyText())
	require.False(t, Filter{Projects: []string{"WEB"}}.OnlyText(), "without a text")
	yes, when := true, noon
	full := Filter{Text: "checkout", IDs: []uuid.UUID{{1}}, Projects: []string{"WEB"}, Keys: []IssueKey{{"WEB", 1}}, Statuses: []string{"Done"},
		Categories: []Category{Done}, Assignee: Person{Nobody: true}, Reporter: Person{ID: uuid.UUID{1}}, Labels: []string{"x"}, Priorities: []Priority{High},
		Types: []string{"Bug"}, SprintIs: SprintNamed, Sprint: "One", SprintID: uuid.UUID{1}, ParentID: uuid.UUID{1}, Created: Period{After: &when},
		Updated: Period{Before: &when}, Due: Period{After: &when}, Completed: Period{After: &when}, Blocked: &yes, Overdue: true, Today: when}
	free := map[string]bool{"Text": true, "IDs": true, "Projects": true, "Categories": true, "Today": true}
	all := reflect.ValueOf(full)
	for n := range all.NumField() {
		name := all.Type().Field(n).Name
		require.False(t, all.Field(n).IsZero(), "%s is new: give it a value here", name)
		f := Filter{Text: "checkout"}
		reflect.ValueOf(&f).Elem().Field(n).Set(all.Field(n))
		require.Equal(t, free[name], f.OnlyText(), name)
	}
	require.False(t, full.OnlyText())
	require.True(t, Filter{Text: "x", IDs: []uuid.UUID{{1}}, Today: noon}.OnlyText())
}
