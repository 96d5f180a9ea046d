package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
)

// drawDataset makes up a project whose issues change anything at any time.
func drawDataset(t *rapid.T, key string) *dataset.Dataset {
	template := rapid.SampledFrom(tracker.TemplateNames()).Draw(t, "template")
	workflow, _ := tracker.FindTemplate(template)
	d := &dataset.Dataset{Source: "rapid", Project: dataset.Project{Key: key, Template: template}, Sprints: []dataset.Sprint{{Name: "One"}, {Name: "Two"}}}
	people := []string{"", d.AddPerson("ada", "", ""), d.AddPerson("Zoë", "", "zoe@acme.test"), d.AddPerson("kit", "", "")}
	size := rapid.IntRange(1, 5).Draw(t, "issues")
	state := func() dataset.State {
		to := rapid.SampledFrom(workflow.Workflow.Statuses).Draw(t, "status")
		s := dataset.State{
			Title: rapid.StringMatching(`[a-zé<>'"\x{202e}]{1,8}x`).Draw(t, "title"), Body: rapid.String().Draw(t, "body"), Type: "Bug",
			Status:   tracker.StatusValue{Name: to.Name, Category: to.Category},
			Priority: tracker.Priority(rapid.IntRange(1, 4).Draw(t, "priority")),
			Assignee: rapid.SampledFrom(people).Draw(t, "assignee"),
			Labels:   rapid.SliceOfN(rapid.SampledFrom([]string{"a", "B", "b", "ä c"}), 0, 3).Draw(t, "labels"),
			Sprint:   rapid.SampledFrom([]string{"", "One", "Two"}).Draw(t, "sprint"),
		}
		if rapid.Bool().Draw(t, "estimated") {
			points := rapid.Float64Range(0, 1000).Draw(t, "points")
			s.Points = &points
		}
		if rapid.Bool().Draw(t, "due") {
			day := loadDay.Truncate(24*time.Hour).AddDate(0, 0, rapid.IntRange(-400, 400).Draw(t, "day"))
			s.DueDate = &day
		}
		return s
	}
	for n := range size {
		i := dataset.Issue{ExternalID: fmt.Sprint(n), Number: n + 1, Reporter: rapid.SampledFrom(people).Draw(t, "reporter")}
		for m := range rapid.IntRange(1, 5).Draw(t, "revisions") {
			s := state()
			if n > 0 && rapid.Bool().Draw(t, "child") {
				s.Parent = fmt.Sprint(rapid.IntRange(0, n-1).Draw(t, "parent"))
			}
			i.Revisions = append(i.Revisions, dataset.Revision{At: loadDay.Add(time.Duration(m) * time.Hour), By: rapid.SampledFrom(people).Draw(t, "by"), State: s})
		}
		d.Issues = append(d.Issues, i)
	}
	return d
}

func TestLoadDataset_EventsTellAll(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	loads, total := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		loads++
		d := drawDataset(rt, fmt.Sprintf("R%d", loads))
		first, err := db.LoadDataset(t.Context(), acme.Scope(), d, store.LoadOptions{})
		require.NoError(rt, err)
		total += first.Issues.Added
		if loads%10 != 0 {
			return
		}
		again, err := db.LoadDataset(t.Context(), acme.Scope(), d, store.LoadOptions{})
		require.NoError(rt, err)
		require.Zero(rt, again.Events)
		require.Equal(rt, len(d.Issues), again.Issues.Present)
	})
	requireEventsTellAll(t, db.Admin(t), total)
}
