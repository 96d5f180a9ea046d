package tracker_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

func TestVocabulary_Find(t *testing.T) {
	t.Parallel()
	v := tracker.JoinVocabularies([]tracker.Vocabulary{
		{Statuses: []string{"To Do", "Überprüfung"}, Types: []string{"Bug"}},
		{Statuses: []string{"to do", "Done"}, Types: []string{"Bug", "Task"}},
	})
	require.Equal(t, []string{"Bug", "Task"}, v.Types)
	for _, c := range []struct{ ask, want []string }{
		{[]string{"TO DO"}, []string{"To Do", "to do"}},
		{[]string{" überprüfung "}, []string{"Überprüfung"}},
		{[]string{"done", "DONE"}, []string{"Done"}},
		{nil, nil},
	} {
		got, err := v.FindStatuses(c.ask)
		require.NoError(t, err, c.ask)
		require.Equal(t, c.want, got)
	}
	_, err := v.FindStatuses([]string{"done", "Doing"})
	require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err))
	require.ErrorContains(t, err, `Status "Doing" is not known in these projects. Use one of To Do, Überprüfung, to do, Done.`)
	_, err = v.FindTypes([]string{"Epic"})
	require.ErrorContains(t, err, "Type")
}

func TestVocabulary_LongListsAreCut(t *testing.T) {
	t.Parallel()
	var many []string
	for n := range 50 {
		many = append(many, strings.Repeat("x", n+1))
	}
	_, err := tracker.Vocabulary{Statuses: many}.FindStatuses([]string{"y"})
	require.ErrorContains(t, err, "and others.")
	require.Less(t, len(err.Error()), 600)
}

// TestVocabulary_Property: a known word is found in whatever case, and nothing is
// found that nobody knows.
func TestVocabulary_Property(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[a-zA-ZäöüßÄÖÜéÉñÑжЖ]{1,8}`)
		known := rapid.SliceOfNDistinct(word, 1, 6, rapid.ID).Draw(t, "known")
		v := tracker.JoinVocabularies([]tracker.Vocabulary{{Statuses: known}, {Statuses: known}})
		pick := rapid.SampledFrom(known).Draw(t, "pick")
		for _, form := range []string{pick, strings.ToUpper(pick), strings.ToLower(pick)} {
			found, err := v.FindStatuses([]string{form})
			if strings.EqualFold(form, pick) { // ß has no single capital
				require.NoError(t, err)
				require.Contains(t, found, pick)
			}
			for _, f := range found {
				require.Contains(t, known, f)
			}
		}
		_, err := v.FindStatuses([]string{pick + "0"})
		require.Error(t, err)
	})
}
