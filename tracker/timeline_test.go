package tracker

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestTimeInStatus_FillsTheLife: the times add up to the issue's age, each is what
// one finds by looking at the clock every minute, and events of other kinds and the
// way in which values are kept make no difference.
func TestTimeInStatus_FillsTheLife(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(rapid.SampledFrom([]string{"To Do", "Doing", "Done"}), 1, 10).Draw(t, "names")
		created := Created(Issue{Status: names[0], Category: Todo})
		created.At = noon
		events, at, want := []Event{created}, noon, map[string]time.Duration{}
		for n := range names {
			for range rapid.IntRange(0, 90).Draw(t, "minutes") { // none: two changes at one time
				want[names[n]] += time.Minute
				at = at.Add(time.Minute)
			}
			if n+1 < len(names) {
				events = append(events, Event{Kind: EventChanged, Field: "status", After: StatusValue{names[n+1], InProgress}, At: at})
			}
		}
		got := TimeInStatus(events, at)
		sum := time.Duration(0)
		for name, d := range got {
			require.Equal(t, want[name], d, name)
			sum += d
		}
		require.Equal(t, at.Sub(noon), sum)

		other := slices.Clone(events)
		for n := range other { // as the database gives them
			data, err := json.Marshal(other[n].After)
			require.NoError(t, err)
			other[n].After = json.RawMessage(data)
		}
		at2 := rapid.IntRange(1, len(other)).Draw(t, "between")
		other = slices.Insert(other, at2, Event{Kind: EventChanged, Field: "title", After: "Done", At: other[at2-1].At},
			Event{Kind: EventCommented, After: "status", At: other[at2-1].At})
		require.Equal(t, got, TimeInStatus(other, at))
	})
}
