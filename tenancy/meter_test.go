package tenancy_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/tenancy"
)

func TestMeters(t *testing.T) {
	t.Parallel()
	m := tenancy.NewMeters(10)
	acme, beta := tenancy.NewID(), tenancy.NewID()
	ok := tenancy.CallKind{Tool: "get_me", Result: "ok"}
	m.Call(acme, ok)
	require.Equal(t, acme.String(), m.Usage()[0].Slug, "an id stands for a name that nobody told")
	m.Name(acme, "acme")
	m.Name(beta, "beta")
	m.Call(acme, ok)
	m.Call(beta, tenancy.CallKind{Tool: "get_me", Result: "forbidden"})
	m.Trip(acme, 3*time.Millisecond, time.Millisecond, 7, false)
	m.Trip(acme, time.Millisecond, 0, 0, true)
	m.Page(acme, true)
	m.Page(acme, false)
	m.Token(acme, tenancy.TokenKind{Kind: tenancy.KindAgent, Accepted: true})
	m.TokenNaming("acme", tenancy.TokenKind{Kind: tenancy.KindAgent})
	m.TokenNaming("nobody-here", tenancy.TokenKind{Kind: tenancy.KindAgent})

	list := m.Usage()
	require.Len(t, list, 3, "what clients make up is no tenant")
	a := list[0]
	require.Equal(t, "acme", a.Slug)
	require.Equal(t, map[tenancy.CallKind]int64{ok: 2}, a.Calls)
	require.Equal(t, map[tenancy.TokenKind]int64{{Kind: tenancy.KindAgent, Accepted: true}: 1, {Kind: tenancy.KindAgent}: 1}, a.Tokens)
	require.Equal(t, []int64{2, 1, 7, 1, 1}, []int64{a.Trips, a.TripErrors, a.Rows, a.PagesPut, a.PagesShown})
	require.Equal(t, 4*time.Millisecond, a.Took)
	require.Equal(t, time.Millisecond, a.Waited)
	require.Equal(t, "beta", list[1].Slug)
	require.Equal(t, tenancy.OtherTenants, list[2].Slug)
	a.Calls[ok] = 99
	require.EqualValues(t, 2, m.Usage()[0].Calls[ok], "a copy")

	var none *tenancy.Meters
	none.Call(acme, ok)
	none.TokenNaming("acme", tenancy.TokenKind{})
	require.Empty(t, none.Usage())
}

// TestMeters_Bounded counts for more tenants than are told apart: no count is lost,
// and the number of names stays bounded.
func TestMeters_Bounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(1, 5).Draw(t, "most")
		m := tenancy.NewMeters(most)
		ids := make([]tenancy.TenantID, 8)
		for n := range ids {
			ids[n] = tenancy.NewID()
		}
		calls := rapid.SliceOf(rapid.IntRange(0, len(ids)-1)).Draw(t, "calls")
		for _, n := range calls {
			m.Name(ids[n], fmt.Sprintf("tenant-%d", n))
			m.Call(ids[n], tenancy.CallKind{Tool: "get_me", Result: "ok"})
			m.Trip(ids[n], time.Second, 0, 2, false)
		}
		var counted, rows int64
		list := m.Usage()
		for _, u := range list {
			counted += u.Calls[tenancy.CallKind{Tool: "get_me", Result: "ok"}]
			rows += u.Rows
		}
		if len(list) > most+1 || counted != int64(len(calls)) || rows != 2*counted {
			t.Fatalf("%d names, %d of %d calls, %d rows", len(list), counted, len(calls), rows)
		}
		if len(calls) > 0 && list[0].Slug != tenancy.OtherTenants {
			last := fmt.Sprintf("tenant-%d", calls[len(calls)-1])
			for _, u := range list {
				if u.Slug == last {
					return
				}
			}
			t.Fatalf("%s was the last to call and has no name", last)
		}
	})
}

func TestMeters_AtOnce(t *testing.T) {
	t.Parallel()
	m := tenancy.NewMeters(3)
	var wg sync.WaitGroup
	for n := range 50 {
		wg.Go(func() {
			id := tenancy.NewID()
			m.Name(id, fmt.Sprintf("t%d", n))
			for range 100 {
				m.Call(id, tenancy.CallKind{Tool: "get_me", Result: "ok"})
				m.Usage()
			}
		})
	}
	wg.Wait()
	var counted int64
	for _, u := range m.Usage() {
		counted += u.Calls[tenancy.CallKind{Tool: "get_me", Result: "ok"}]
	}
	require.EqualValues(t, 5000, counted)
}
