package mcpserver

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// TestStream_OncePerSecond: whatever changes when, a client is told of a resource at
// most once a second, and of its last change within a second.
func TestStream_OncePerSecond(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ids := []uuid.UUID{uuid.New(), uuid.New(), uuid.New()}
		token := uuid.New()
		st := newStream(&request{principal: tenancy.Principal{TokenID: token}}, []subscription{
			{uri: "a", resource: &Resource{}, issueID: ids[0]}, {uri: "b", resource: &Resource{}, issueID: ids[1]}})
		now := time.Unix(1_800_000_000, 0)
		told, changed := map[string]time.Time{}, map[string]time.Time{}
		uris := map[uuid.UUID]string{ids[0]: "a", ids[1]: "b"}
		take := func() time.Duration {
			list, again := st.take(now)
			for _, uri := range list {
				require.False(t, changed[uri].IsZero(), "told of nothing")
				if !told[uri].IsZero() {
					require.GreaterOrEqual(t, now.Sub(told[uri]), updateEvery)
				}
				told[uri], changed[uri] = now, time.Time{}
			}
			return again
		}
		var again time.Duration
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			step := time.Duration(rapid.IntRange(0, 1500).Draw(t, "ms")) * time.Millisecond
			if again > 0 && again <= step { // the timer comes first
				now, step = now.Add(again), step-again
				again = take()
			}
			now = now.Add(step)
			id := rapid.SampledFrom(ids).Draw(t, "issue")
			st.notice(newsOf(store.Work{Items: []store.WorkItem{{ProjectID: token, IssueID: id}}, Epochs: map[uuid.UUID]int64{token: 0}}))
			if uri, ok := uris[id]; ok && changed[uri].IsZero() {
				changed[uri] = now
			}
			again = take()
			require.LessOrEqual(t, again, updateEvery)
		}
		for again > 0 {
			now = now.Add(again)
			again = take()
		}
		require.Zero(t, changed["a"])
		require.Zero(t, changed["b"], "every change is told in the end")
	})
}

// TestStream_Stale: news of a snapshot in which the token did not work as it was known
// have it read again before anything is told.
func TestStream_Stale(t *testing.T) {
	t.Parallel()
	token := uuid.New()
	for name, epochs := range map[string]map[uuid.UUID]int64{"gone": {}, "changed": {token: 8}} {
		st := newStream(&request{principal: tenancy.Principal{TokenID: token, Epoch: 7}}, nil)
		st.notice(newsOf(store.Work{Epochs: map[uuid.UUID]int64{token: 7}}))
		waiting, stale := st.due()
		require.False(t, waiting || stale)
		require.Empty(t, st.wake)
		st.notice(newsOf(store.Work{Epochs: epochs}))
		_, stale = st.due()
		require.True(t, stale, name)
		require.Len(t, st.wake, 1)
	}
}
