package tracker

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/tenancy"
)

// anyWorkflow draws statuses of which some name what may follow them.
func anyWorkflow(t *rapid.T) Workflow {
	names := rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Z][a-z]{1,6}( [A-Za-z]{2,5})?`), 1, 7, strings.ToLower).Draw(t, "names")
	var w Workflow
	for _, name := range names {
		s := Status{Name: name, Category: rapid.SampledFrom(Categories()).Draw(t, "category")}
		others := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == name })
		if len(others) > 0 && rapid.Bool().Draw(t, "named") {
			s.Next = rapid.SliceOfNDistinct(rapid.SampledFrom(others), 1, len(others), rapid.ID).Draw(t, "next")
		}
		w.Statuses = append(w.Statuses, s)
	}
	return w
}

// TestWorkflow_TransitionsAreThoseOffered: an issue may move to exactly what NextOf
// lists or stay where it is, however the status is written; a refusal names them.
func TestWorkflow_TransitionsAreThoseOffered(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := &Project{Key: "WEB", Workflow: anyWorkflow(t)}
		for _, from := range p.Workflow.Statuses {
			next := p.Workflow.NextOf(strings.ToUpper(from.Name))
			require.NotContains(t, next, from.Name)
			if from.Next == nil {
				require.Len(t, next, len(p.Workflow.Statuses)-1, "none named: all but itself")
			}
			for _, to := range p.Workflow.Statuses {
				for _, written := range []string{to.Name, strings.ToUpper(to.Name), " " + strings.ToLower(to.Name) + " "} {
					got, err := p.Transition(from.Name, written)
					if to.Name == from.Name || slices.Contains(next, to.Name) {
						require.NoError(t, err)
						require.Equal(t, to, got)
						continue
					}
					require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err))
					require.ErrorContains(t, err, fmt.Sprintf("Allowed from %q: %s.", from.Name, strings.Join(next, ", ")))
				}
			}
			_, err := p.Transition(from.Name, from.Name+"!")
			require.ErrorContains(t, err, "is not in WEB's workflow")
		}
	})
}

// TestWorkflow_FirstOf: it is of the category, and none before it is.
func TestWorkflow_FirstOf(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := anyWorkflow(t)
		for _, c := range Categories() {
			first, ok := w.FirstOf(c)
			seen := false
			for _, s := range w.Statuses {
				if !seen && s.Category == c {
					require.Equal(t, s, first)
					seen = true
				}
			}
			require.Equal(t, seen, ok)
		}
		for _, name := range w.Names() {
			s, ok := w.Status(name)
			require.True(t, ok)
			require.Equal(t, name, s.Name)
		}
	})
}
