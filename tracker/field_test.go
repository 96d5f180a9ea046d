package tracker_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tracker"
)

// TestFields: each field that a tool changes is told by its name there.
func TestFields(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	sprint := tracker.Sprint{Name: "One", Goal: "Ship", State: tracker.SprintPlanned, StartsOn: &day}
	same := day
	other := tracker.Sprint{Name: "Two", State: tracker.SprintActive, StartsOn: &same, EndsOn: &day, Issues: 7}
	require.Equal(t, []tracker.FieldChange{{Name: "name", Before: "One", After: "Two"}, {Name: "goal", Before: "Ship"},
		{Name: "state", Before: "planned", After: "active"}, {Name: "end", After: "2026-06-01"}}, tracker.ChangedFields(sprint.Fields(), other.Fields()))
	require.Empty(t, tracker.ChangedFields(sprint.Fields(), sprint.Fields()))

	project := tracker.Project{Name: "Shop", Timezone: "UTC"}
	week, err := tracker.ParseWeek([]string{"sun"})
	require.NoError(t, err)
	names := []string{}
	for _, change := range tracker.ChangedFields(project.Fields(), tracker.Project{Name: "Store", Description: "x", State: tracker.ProjectArchived,
		LeadID: uuid.Must(uuid.NewRandom()), Timezone: "Europe/Berlin", WorkingDays: week}.Fields()) {
		names = append(names, change.Name)
	}
	require.Equal(t, []string{"name", "description", "state", "lead", "timezone", "working_days"}, names)
}
