package tenancy

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Usage is what a tenant did in this process since it was first seen.
type Usage struct {
	Slug       string
	Calls      map[CallKind]int64
	Tokens     map[TokenKind]int64
	Trips      int64 // to the database
	TripErrors int64
	Rows       int64
	Took       time.Duration // in the database
	Waited     time.Duration // for a connection
	PagesPut   int64
	PagesShown int64
	seen       int64 // when last, in events
}

// CallKind is a call's tool or method and how it ended, both of closed lists.
type CallKind struct{ Tool, Result string }

// TokenKind is a kind of token or ticket, and whether it was accepted.
type TokenKind struct {
	Kind     string
	Accepted bool
}

// KindAgent is the kind of opaque tokens in a TokenKind.
const KindAgent = "agent-token"

// OtherTenants is the name under which Meters count whom they do not tell apart.
const OtherTenants = "(other)"

// Meters count what tenants do. They tell a bounded number of tenants apart: one
// more takes the place of the one that was quiet for longest, whose counts go to
// OtherTenants. They are safe for concurrent use; nil Meters count nothing.
type Meters struct {
	most int

	mu    sync.Mutex
	clock int64
	of    map[TenantID]*Usage
	slugs map[string]TenantID
	other Usage
}

// NewMeters returns Meters that tell so many tenants apart.
func NewMeters(most int) *Meters {
	return &Meters{most: most, of: map[TenantID]*Usage{}, slugs: map[string]TenantID{}, other: Usage{Slug: OtherTenants}}
}

// Name tells the slug of a tenant; until then its id stands for it.
func (m *Meters) Name(id TenantID, slug string) {
	m.count(id, func(u *Usage) {
		if u.Slug != slug {
			delete(m.slugs, u.Slug)
			u.Slug, m.slugs[slug] = slug, id
		}
	})
}

// Call counts a call.
func (m *Meters) Call(id TenantID, kind CallKind) {
	m.count(id, func(u *Usage) { u.add(kind, 1) })
}

// Token counts a token or ticket that was looked at.
func (m *Meters) Token(id TenantID, kind TokenKind) {
	m.count(id, func(u *Usage) { u.addToken(kind, 1) })
}

// TokenNaming counts a refused token by the slug in it, which the client wrote: it
// counts only for a tenant that is known here already.
func (m *Meters) TokenNaming(slug string, kind TokenKind) {
	if m == nil {
		return
	}
	m.mu.Lock()
	id, known := m.slugs[slug]
	m.mu.Unlock()
	if known {
		m.Token(id, kind)
	}
}

// Trip counts a round trip to the database.
func (m *Meters) Trip(id TenantID, took, waited time.Duration, rows int64, failed bool) {
	m.count(id, func(u *Usage) {
		u.Trips++
		u.Rows += rows
		u.Took += took
		u.Waited += waited
		if failed {
			u.TripErrors++
		}
	})
}

// Page counts a page that was put, or shown.
func (m *Meters) Page(id TenantID, put bool) {
	m.count(id, func(u *Usage) {
		if put {
			u.PagesPut++
		} else {
			u.PagesShown++
		}
	})
}

// Usage returns a copy of all counts by slug, OtherTenants last.
func (m *Meters) Usage() []Usage {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]Usage, 0, len(m.of)+1)
	for _, u := range m.of {
		list = append(list, u.clone())
	}
	slices.SortFunc(list, func(a, b Usage) int { return strings.Compare(a.Slug, b.Slug) })
	return append(list, m.other.clone())
}

func (m *Meters) count(id TenantID, add func(*Usage)) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.of[id]
	if u == nil {
		if len(m.of) >= m.most {
			m.evict()
		}
		u = &Usage{Slug: id.String()}
		m.of[id] = u
	}
	m.clock++
	u.seen = m.clock
	add(u)
}

// evict moves the counts of the tenant that was quiet for longest.
func (m *Meters) evict() {
	var quiet TenantID
	var oldest *Usage
	for id, u := range m.of {
		if oldest == nil || u.seen < oldest.seen {
			quiet, oldest = id, u
		}
	}
	if oldest == nil {
		return
	}
	delete(m.of, quiet)
	delete(m.slugs, oldest.Slug)
	for kind, n := range oldest.Calls {
		m.other.add(kind, n)
	}
	for kind, n := range oldest.Tokens {
		m.other.addToken(kind, n)
	}
	m.other.Trips += oldest.Trips
	m.other.TripErrors += oldest.TripErrors
	m.other.Rows += oldest.Rows
	m.other.Took += oldest.Took
	m.other.Waited += oldest.Waited
	m.other.PagesPut += oldest.PagesPut
	m.other.PagesShown += oldest.PagesShown
}

func (u *Usage) add(kind CallKind, n int64) {
	if u.Calls == nil {
		u.Calls = map[CallKind]int64{}
	}
	u.Calls[kind] += n
}

func (u *Usage) addToken(kind TokenKind, n int64) {
	if u.Tokens == nil {
		u.Tokens = map[TokenKind]int64{}
	}
	u.Tokens[kind] += n
}

func (u *Usage) clone() Usage {
	c := *u
	c.Calls, c.Tokens = maps.Clone(u.Calls), maps.Clone(u.Tokens)
	return c
}
