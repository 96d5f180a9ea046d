package tracker_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

func TestParseWork(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"90": 90, "90m": 90, "1h 30m": 90, "1h30m": 90, " 1H  30 Min ": 90, "1.5h": 90, "1,5 h": 90, "1:30": 90, "0:05": 5, "2 hours": 120, "1 hr 1 minute": 61,
		"0.25h": 15, "168h": tracker.MaxWork, "1h 90m": 150,
	} {
		got, err := tracker.ParseWork(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", " ", "h", "m", "0", "0h", "-1h", "1d", "2w", "1h 30", "30m 1h", "1:60", "1:5", "1e3", "1.5", "1h2h", "١h", "168h 1m", "99999",
		"99999999999999999999", "NaN", "1h;", strings.Repeat("9", 5000) + "h"} {
		_, err := tracker.ParseWork(text)
		require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err), "%.20q", text)
		require.Less(t, len(err.Error()), 300)
	}
}

func TestParseWork_Properties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		minutes := rapid.IntRange(1, tracker.MaxWork).Draw(t, "minutes")
		for _, text := range []string{tracker.FormatWork(minutes), strings.ToUpper(tracker.FormatWork(minutes)), strings.ReplaceAll(tracker.FormatWork(minutes), " ", ""),
			fmt.Sprint(minutes), fmt.Sprintf("%dmin", minutes), fmt.Sprintf("%d:%02d", minutes/60, minutes%60)} {
			got, err := tracker.ParseWork(text)
			require.NoError(t, err, text)
			require.Equal(t, minutes, got, text)
		}
		got, err := tracker.ParseWork(rapid.StringMatching(`[0-9hmHM.,: ]{0,12}`).Draw(t, "text"))
		if err == nil {
			require.True(t, got >= 1 && got <= tracker.MaxWork)
		} else {
			require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err))
		}
	})
}

func FuzzParseWork(f *testing.F) {
	for _, seed := range []string{"1h 30m", "1:30", "1,5h", "\u202e1h", "9999999h"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := tracker.ParseWork(text); err == nil && (got < 1 || got > tracker.MaxWork) {
			t.Fatalf("%q is %d", text, got)
		}
	})
}

func TestWorklog_IsOf(t *testing.T) {
	t.Parallel()
	ada, ben, one, two := uuid.New(), uuid.New(), uuid.New(), uuid.New()
	mine, service := tracker.Worklog{AuthorID: ada, TokenID: one}, tracker.Worklog{TokenID: one}
	require.True(t, mine.IsOf(ada, two), "whichever agent of hers it was")
	require.False(t, mine.IsOf(ben, one))
	require.False(t, mine.IsOf(uuid.Nil, one), "of a person, though the token is the same")
	require.True(t, service.IsOf(uuid.Nil, one))
	require.False(t, service.IsOf(uuid.Nil, two))
	require.False(t, service.IsOf(ada, one))
}

func TestWorkChanged(t *testing.T) {
	t.Parallel()
	e := tracker.WorkChanged(uuid.Nil, 0, 90)
	require.Equal(t, []any{"time_spent", nil, "1h 30m"}, []any{e.Field, e.Before, e.After})
	require.Nil(t, tracker.WorkChanged(uuid.Nil, 90, 0).After)
}
