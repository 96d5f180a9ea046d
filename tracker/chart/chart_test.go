package chart_test

import (
	"bytes"
	"cmp"
	"flag"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/chart"
	"github.com/colaflow/colaflow/tracker/dataset"
	"github.com/colaflow/colaflow/tracker/demo"
	"github.com/colaflow/colaflow/tracker/report"
)

var (
	update = flag.Bool("update", false, "write the golden files anew")
	look   = flag.String("look", "", "directory to write every chart to as PNG, to look at them")
)

// now is a Wednesday in the middle of a sprint.
var now = time.Date(2026, 4, 15, 12, 0, 0, 0, time.UTC)

// demoData is the demo's web project as a report needs it.
func demoData(t testing.TB) report.Data {
	t.Helper()
	set := demo.Tenants(now)[0].Datasets[0]
	template, err := tracker.FindTemplate(cmp.Or(set.Project.Template, "basic"))
	require.NoError(t, err)
	project := tracker.Project{Key: set.Project.Key, Name: set.Project.Name, Timezone: cmp.Or(set.Project.Timezone, "UTC"), Workflow: template.Workflow}
	if set.Project.Workflow != nil {
		project.Workflow = *set.Project.Workflow
	}
	d := report.Data{Projects: []tracker.Project{project}}
	ids := map[string]uuid.UUID{}
	for n, s := range set.Sprints {
		ids[s.Name] = uuid.UUID{15: byte(n + 1)}
		d.Sprints = append(d.Sprints, report.Sprint{Sprint: tracker.Sprint{ID: ids[s.Name], Name: s.Name, State: cmp.Or(s.State, tracker.SprintPlanned),
			StartsOn: s.StartsOn, EndsOn: s.EndsOn, StartedAt: s.StartedAt, CompletedAt: s.CompletedAt}})
	}
	for n, i := range set.Issues {
		d.Issues = append(d.Issues, converted(i, n, set, ids))
	}
	return d
}

func converted(i dataset.Issue, n int, set *dataset.Dataset, sprints map[string]uuid.UUID) report.Issue {
	out := report.Issue{ID: uuid.UUID{0: 1, 14: byte(n >> 8), 15: byte(n)}, Key: tracker.IssueKey{Project: set.Project.Key, Number: n + 1}, Title: i.Now().Title, DueDate: i.Now().DueDate}
	for _, r := range i.Revisions {
		s := report.State{Status: r.Status.Name, Category: r.Status.Category, Type: r.Type, Assignee: r.Assignee, Sprint: sprints[r.Sprint]}
		if r.Points != nil {
			s.Points, s.Estimated = *r.Points, true
		}
		out.Steps = append(out.Steps, report.Step{At: r.At, State: s})
	}
	return out
}

func made(t testing.TB, d report.Data, q report.Question) report.Report {
	t.Helper()
	q.Now = now
	r, err := report.Make(q, d)
	require.NoError(t, err)
	return r
}

// TestCharts_Golden draws every chart of the demo. Look at them before you accept a
// change: go test ./tracker/chart -run Golden -update -look /tmp
func TestCharts_Golden(t *testing.T) {
	t.Parallel()
	d := demoData(t)
	for _, name := range report.TypeNames() {
		r := made(t, d, report.Question{Type: report.Type(name)})
		c, ok := chart.Of(r)
		require.Equal(t, r.Series != nil, ok, name)
		if !ok {
			continue
		}
		svg, err := c.SVG()
		require.NoError(t, err)
		requirePlain(t, svg)
		requireWhole(t, svg)
		file := filepath.Join("testdata", name+".svg")
		if *update {
			require.NoError(t, os.MkdirAll("testdata", 0o755))
			require.NoError(t, os.WriteFile(file, svg, 0o644))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, string(want), string(svg), "%s changed; look at it, then: go test ./tracker/chart -run Golden -update", name)
		bitmap, err := c.PNG()
		require.NoError(t, err)
		if *look != "" {
			require.NoError(t, os.WriteFile(filepath.Join(*look, name+".png"), bitmap, 0o644))
		}
		picture, err := png.Decode(bytes.NewReader(bitmap))
		require.NoError(t, err)
		require.Equal(t, []int{800, 450}, []int{picture.Bounds().Dx(), picture.Bounds().Dy()})
		red, green, blue, alpha := picture.At(1, 1).RGBA()
		require.Equal(t, []uint32{0xffff, 0xffff, 0xffff, 0xffff}, []uint32{red, green, blue, alpha}, "a background of its own")
	}
}

// requirePlain refuses what a strict content security policy would.
func requirePlain(t *testing.T, svg []byte) {
	t.Helper()
	require.NotRegexp(t, `(?i)<script|<style|style=|href|url\(|on[a-z]+=|NaN|Inf`, string(svg))
	require.True(t, strings.HasPrefix(string(svg), "<svg "))
}
