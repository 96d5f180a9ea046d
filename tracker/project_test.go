package tracker

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/tenancy"
)

func TestCheckProjectKey(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"WEB", "A1", "ABCDEFGHIJ"} {
		require.NoError(t, CheckProjectKey(good))
	}
	for _, bad := range []string{"", "W", "web", "1A", "ABCDEFGHIJK", "WE B", "WE-B", "WÉB", "WEB\n"} {
		require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(CheckProjectKey(bad)), "%q", bad)
	}
}

func TestSuggestProjectKey(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Mobile App": "MA", "Website": "WEB", "Q": "QX", "": "PROJ", "日本語": "PROJ", "2026 roadmap": "ROA", "a b c d e f g": "ABCDE", "API v2": "AV", "go": "GO",
	} {
		require.Equal(t, want, SuggestProjectKey(name), name)
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		if err := CheckProjectKey(SuggestProjectKey(name)); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
	})
}

func TestProject_CheckWritable(t *testing.T) {
	t.Parallel()
	require.NoError(t, (&Project{State: ProjectActive}).CheckWritable())
	err := (&Project{Key: "WEB", State: ProjectArchived}).CheckWritable()
	require.Equal(t, tenancy.ReadOnlyCall, tenancy.CodeOf(err))
	require.ErrorContains(t, err, "update_project")
}

func TestProject_IssueType(t *testing.T) {
	t.Parallel()
	p := &Project{Key: "WEB", IssueTypes: []string{"Task", "Bug"}}
	got, err := p.IssueType("bUG")
	require.NoError(t, err)
	require.Equal(t, "Bug", got)
	_, err = p.IssueType("Epic")
	require.ErrorContains(t, err, "Use one of Task, Bug.")
}

func TestCheckTimezone(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"UTC", "Europe/Berlin", "America/Argentina/Ushuaia", "Asia/Kolkata"} {
		require.NoError(t, CheckTimezone(good))
	}
	for _, bad := range []string{"", "Local", "Nowhere/Land", "../../etc/passwd", "Europe/Berlin\x00", "+01:00"} {
		err := CheckTimezone(bad)
		require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err), "%q", bad)
		require.ErrorContains(t, err, "Europe/Berlin", "a name that would do")
	}
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"scrum", "kanban", "basic"}, TemplateNames())
	for _, name := range append(TemplateNames(), "", "KANBAN") {
		template, err := FindTemplate(name)
		require.NoError(t, err)
		w := template.Workflow
		require.Equal(t, Todo, w.Initial().Category, name)
		require.Contains(t, template.IssueTypes, "Task", name)
		for _, c := range Categories() {
			s, ok := w.FirstOf(c)
			require.True(t, ok, "%s has no status for %s", name, c)
			require.Equal(t, c, s.Category)
		}
		for _, s := range w.Statuses {
			require.NotContains(t, s.Next, s.Name)
			for _, next := range w.NextOf(s.Name) {
				_, ok := w.Status(next)
				require.True(t, ok, "%s: %s leads to %s, which is not there", name, s.Name, next)
			}
		}
	}
	_, err := FindTemplate("waterfall")
	require.ErrorContains(t, err, "scrum, kanban, basic")
	one, _ := FindTemplate("scrum")
	one.Workflow.Statuses[0].Name = "changed"
	two, _ := FindTemplate("scrum")
	require.Equal(t, "Backlog", two.Workflow.Statuses[0].Name, "a template is nobody's to change")
}

func TestWorkflow(t *testing.T) {
	t.Parallel()
	require.True(t, Done.Closed() && Cancelled.Closed())
	require.False(t, Todo.Closed() || InProgress.Closed())
	template, err := FindTemplate("scrum")
	require.NoError(t, err)
	p := &Project{Key: "WEB", Workflow: template.Workflow}
	s, err := p.FindStatus(" in review ")
	require.NoError(t, err)
	require.Equal(t, "In Review", s.Name)
	_, err = p.FindStatus("Blocked")
	require.ErrorContains(t, err, "Use one of Backlog, To Do, In Progress, In Review, Done, Cancelled.")
	_, ok := Workflow{}.FirstOf(Done)
	require.False(t, ok)

	for _, c := range []struct{ from, to, want string }{
		{"To Do", "in progress", "In Progress"}, {"To Do", "to do", "To Do"}, {"In Progress", "DONE", "Done"},
	} {
		s, err := p.Transition(c.from, c.to)
		require.NoError(t, err)
		require.Equal(t, c.want, s.Name)
	}
	_, err = p.Transition("To Do", "Done")
	require.ErrorContains(t, err, `Status "Done" does not follow "To Do" in WEB's workflow. Allowed from "To Do": Backlog, In Progress, Cancelled.`)
	_, err = p.Transition("To Do", "Shipped")
	require.ErrorContains(t, err, `Status "Shipped" is not in WEB's workflow.`)
	// A status that the workflow no longer has may go anywhere.
	s, err = p.Transition("Imported", "Done")
	require.NoError(t, err)
	require.Equal(t, "Done", s.Name)

	basic, err := FindTemplate("basic")
	require.NoError(t, err)
	require.Equal(t, []string{"To Do", "In Progress", "Cancelled"}, basic.Workflow.NextOf("done"), "no transitions named: any but itself")
	require.Equal(t, "To Do, In Progress, Done, Cancelled", strings.Join(basic.Workflow.Names(), ", "))
}
