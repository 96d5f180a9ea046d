package mcpserver

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// updateEvery is how often a client is told of one resource at most.
const updateEvery = time.Second

// stream is what one client watches, and what it has not been told yet. Noticing a
// change only marks it, so whoever tells of changes never waits for a client, and a
// client that reads slowly holds no more memory.
type stream struct {
	tenant tenancy.TenantID
	caller uuid.UUID
	token  string
	narrow Narrowing
	check  func(tenancy.Principal) error // whether it may be used from where the client is
	wake   chan struct{}                 // of capacity 1: there may be something to do

	mu        sync.Mutex
	principal tenancy.Principal
	stale     bool // the principal is to be read from the database again
	subs      []subscription
}

func newStream(r *request, subs []subscription) *stream {
	return &stream{tenant: r.principal.TenantID, caller: r.principal.Caller(), token: r.token, narrow: r.narrow, principal: r.principal,
		subs: subs, wake: make(chan struct{}, 1),
		check: func(p tenancy.Principal) error { return checkAddress(&request{principal: p, clientIP: r.clientIP}) }}
}

func (st *stream) stir() {
	select {
	case st.wake <- struct{}{}:
	default:
	}
}

// notice marks what the news concern. A token that is not as it was is read again
// before anything is told.
func (st *stream) notice(n news) {
	st.mu.Lock()
	defer st.mu.Unlock()
	found := false
	for i := range st.subs {
		if n.concern(&st.subs[i], &st.principal) {
			st.subs[i].changed, found = true, true
		}
	}
	if epoch, works := n.epochs[st.caller]; !works || epoch != st.principal.Epoch {
		st.stale, found = true, true
	}
	if found {
		st.stir()
	}
}

// tokenChanged marks what shows the token itself, and what it sees, if the change is
// about the stream's.
func (st *stream) tokenChanged(c tokens.Change) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !c.Concerns(st.principal) {
		return
	}
	st.stale = true
	for i := range st.subs {
		if name := st.subs[i].resource.Name; name == "me" || name == "projects" {
			st.subs[i].changed = true
		}
	}
	st.stir()
}

// add watches more, and remove less.
func (st *stream) add(subs []subscription) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, sub := range subs {
		if !slices.ContainsFunc(st.subs, func(known subscription) bool { return known.uri == sub.uri }) {
			st.subs = append(st.subs, sub)
		}
	}
}

func (st *stream) remove(uri string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.subs = slices.DeleteFunc(st.subs, func(sub subscription) bool { return sub.uri == uri })
}

// plan is that of the stream's tenant, as it was last looked at.
func (st *stream) plan() string {
	st.mu.Lock()
	defer st.mu.Unlock()
	return tenancy.PlanOf(st.principal.Plan).Name
}

func (st *stream) watching() int {
	st.mu.Lock()
	defer st.mu.Unlock()
	return len(st.subs)
}

// take returns the resources whose change is to be told now, and when to come again
// for those that were told a moment ago; 0: when there is news.
func (st *stream) take(now time.Time) (uris []string, again time.Duration) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for i := range st.subs {
		sub := &st.subs[i]
		if !sub.changed {
			continue
		}
		if wait := updateEvery - now.Sub(sub.told); wait > 0 && !sub.told.IsZero() {
			if again == 0 || wait < again {
				again = wait
			}
			continue
		}
		sub.changed, sub.told = false, now
		uris = append(uris, sub.uri)
	}
	return uris, again
}

// due reports whether anything waits to be told, or the token to be read.
func (st *stream) due() (waiting, stale bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.stale || slices.ContainsFunc(st.subs, func(sub subscription) bool { return sub.changed }), st.stale
}

// authorize asks again whose stream it is, and stops watching what the token may no
// longer see.
func (st *stream) authorize(ctx context.Context, s *Server, stale bool) error {
	ask := s.tokens.Authenticate
	if stale {
		ask = s.tokens.Refresh
	}
	p, err := ask(ctx, st.token)
	if err == nil {
		p = st.narrow.apply(p)
		err = st.check(p)
	}
	if err != nil {
		return err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.principal = p
	st.stale = st.stale && !stale
	st.subs = slices.DeleteFunc(st.subs, func(sub subscription) bool { return !sub.allowedTo(&p) })
	return nil
}

// outlet is how a stream reaches its client. Both fail when the client does not take it.
type outlet struct {
	updated func(uri string) error
	alive   func() error
}

// errClosing ends streams when the server stops.
var errClosing = errors.New("the server is stopping")

// follow tells the client what changes until ctx ends, the token is refused, the client
// does not take it, or the server stops.
func (s *Server) follow(ctx context.Context, st *stream, to outlet) error {
	beat := time.NewTicker(s.keepAlive)
	defer beat.Stop()
	for {
		again, err := s.deliver(ctx, st, to)
		if err != nil {
			return err
		}
		var later <-chan time.Time
		if again > 0 {
			later = time.After(again)
		}
		select {
		case <-ctx.Done():
			return cutOff(ctx, ctx.Err())
		case <-s.hub.closing:
			return errClosing
		case <-st.wake:
		case <-later:
		case <-beat.C:
			if err := s.heartbeat(ctx, st, to); err != nil {
				return err
			}
		}
	}
}

// deliver tells what is due, after the token was looked at again.
func (s *Server) deliver(ctx context.Context, st *stream, to outlet) (again time.Duration, err error) {
	waiting, stale := st.due()
	if !waiting {
		return 0, nil
	}
	switch err := st.authorize(ctx, s, stale); {
	case isRefusal(err) || ctx.Err() != nil:
		return 0, cutOff(ctx, err)
	case err != nil: // nobody can say whether the token still works: nothing leaves until then
		return updateEvery, nil
	}
	if ctx.Err() != nil { // revoked meanwhile
		return 0, cutOff(ctx, ctx.Err())
	}
	uris, again := st.take(time.Now())
	for _, uri := range uris {
		if err := to.updated(uri); err != nil {
			return 0, err
		}
	}
	return again, nil
}

// heartbeat shows client and proxies that the stream lives, finds out that its token
// has expired, and looks for changes of which the word was lost.
func (s *Server) heartbeat(ctx context.Context, st *stream, to outlet) error {
	if err := st.authorize(ctx, s, false); isRefusal(err) {
		return cutOff(ctx, err)
	}
	s.hub.lookIfOld(st.tenant, s.keepAlive/2)
	return to.alive()
}
