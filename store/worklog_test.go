package store_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// TestWorklog_Model logs and takes back at random, and compares with a plain list.
func TestWorklog_Model(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	issues := acme.Issues(t, acme.Project(t, "WEB", "Website"), "One", "Two")
	model := map[uuid.UUID][]tracker.Worklog{}
	total := func(of uuid.UUID) (n int) {
		for _, w := range model[of] {
			n += w.Minutes
		}
		return n
	}
	rapid.Check(t, func(rt *rapid.T) {
		i := rapid.SampledFrom(issues).Draw(rt, "issue")
		own := model[i.ID]
		if len(own) > 0 && rapid.Bool().Draw(rt, "take back") {
			n := rapid.IntRange(0, len(own)-1).Draw(rt, "entry")
			acme.Write(t, func(tx *store.Tx) error {
				return tx.Do(t.Context(), store.DeleteWorklog(i, own[n], total(i.ID), by(acme)))
			})
			model[i.ID] = append(own[:n:n], own[n+1:]...)
		} else {
			w := tracker.Worklog{ID: tenancy.NewID(), Minutes: rapid.IntRange(1, tracker.MaxWork).Draw(rt, "minutes"), StartedOn: storetest.Now.Truncate(24 * time.Hour)}
			acme.Write(t, func(tx *store.Tx) error { return tx.Do(t.Context(), store.InsertWorklog(i, w, total(i.ID), by(acme))) })
			model[i.ID] = append(own, w)
		}
		var found []tracker.Worklog
		var spent map[uuid.UUID]int
		var last []store.EventRow
		acme.Read(t, store.Worklogs([]uuid.UUID{i.ID}, 1000, &found), store.TimeSpent([]uuid.UUID{issues[0].ID, issues[1].ID}, &spent),
			store.Events(store.EventFilter{IssueIDs: []uuid.UUID{i.ID}, Fields: []string{"time_spent"}, Limit: 1000}, &last, nil))
		require.Len(rt, found, len(model[i.ID]))
		for n, w := range found {
			require.Equal(rt, model[i.ID][n].ID, w.ID)
			require.Equal(rt, "ada@acme.test", w.Author)
		}
		for _, i := range issues {
			require.Equal(rt, total(i.ID), spent[i.ID])
		}
		require.NotEmpty(rt, last, "history tells it")
	})
}
