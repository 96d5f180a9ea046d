package mcpserver

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

const (
	// hubReaders is how many tenants' changes are read at once.
	hubReaders = 4
	// hubRetry is how long to wait after changes could not be read.
	hubRetry = time.Second
)

// hub knows the open streams of this node, and what each tenant's have heard of.
type hub struct {
	read    func(context.Context, tenancy.TenantID, store.WorkPosition, []uuid.UUID) (store.Work, error)
	failed  func(tenancy.TenantID, error)
	limit   func(plan string) int // streams of one token
	slots   chan struct{}
	closing chan struct{} // closed when the server stops

	mu        sync.Mutex
	closed    bool
	audiences map[tenancy.TenantID]*audience
	callers   map[uuid.UUID]int
}

// audience is the streams of one tenant. It takes its position before the first of
// them is acknowledged, so that whatever commits later is news.
type audience struct {
	ready    chan struct{} // closed when the position is known, or err
	err      error
	position store.WorkPosition
	streams  map[*stream]bool
	readAt   time.Time
	dirty    bool // something may have changed since it was read
	reading  bool
}

func newHub(s *Server, limits func(string) tenancy.Limits) *hub {
	return &hub{
		read:  s.store.ReadWork,
		limit: func(plan string) int { return limits(plan).TokenStreams },
		failed: func(tenant tenancy.TenantID, err error) {
			s.log.Warn("changes for open streams could not be read; trying again", "tenant", tenant, "error", err)
		},
		slots: make(chan struct{}, hubReaders), closing: make(chan struct{}),
		audiences: map[tenancy.TenantID]*audience{}, callers: map[uuid.UUID]int{},
	}
}

// join adds a stream; leave must follow. Changes that commit after it returns reach
// the stream. It fails with RateLimited when the token has its number of streams.
func (h *hub) join(ctx context.Context, st *stream) (leave func(), err error) {
	p := st.principal
	a, first, err := h.admit(p, st)
	if err != nil {
		return nil, err
	}
	leave = sync.OnceFunc(func() { h.remove(p, a, st) })
	if first {
		work, err := h.read(context.WithoutCancel(ctx), p.TenantID, "", nil)
		a.position, a.err = work.Position, err
		close(a.ready)
	}
	<-a.ready
	if a.err != nil {
		leave()
		return nil, a.err
	}
	return leave, nil
}

// admit counts a stream in, and tells whether it is the first of its tenant.
func (h *hub) admit(p tenancy.Principal, st *stream) (a *audience, first bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, false, tenancy.Errorf(tenancy.Unavailable, "The server is stopping.").WithNext("Connect again in a moment.")
	}
	if most := h.limit(p.Plan); most > 0 && h.callers[p.Caller()] >= most {
		e := tenancy.Errorf(tenancy.RateLimited, "This token has %d streams open on this server, as many as its plan allows.", most).
			WithNext("Watch several resources in one stream.")
		e.Retry, e.RetryAfter = true, time.Second
		return nil, false, e
	}
	a = h.audiences[p.TenantID]
	if first = a == nil; first {
		a = &audience{ready: make(chan struct{}), streams: map[*stream]bool{}}
		h.audiences[p.TenantID] = a
	}
	a.streams[st] = true
	h.callers[p.Caller()]++
	return a, first, nil
}

func (h *hub) remove(p tenancy.Principal, a *audience, st *stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(a.streams, st)
	if len(a.streams) == 0 || a.err != nil {
		if h.audiences[p.TenantID] == a {
			delete(h.audiences, p.TenantID)
		}
	}
	if h.callers[p.Caller()]--; h.callers[p.Caller()] == 0 {
		delete(h.callers, p.Caller())
	}
}

// look has a tenant's changes read soon. It never blocks.
func (h *hub) look(tenant tenancy.TenantID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a := h.audiences[tenant]; a != nil {
		h.lookLocked(tenant, a)
	}
}

// lookIfOld is look for a tenant that was not looked at for a while.
func (h *hub) lookIfOld(tenant tenancy.TenantID, age time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a := h.audiences[tenant]; a != nil && time.Since(a.readAt) >= age {
		h.lookLocked(tenant, a)
	}
}

func (h *hub) lookLocked(tenant tenancy.TenantID, a *audience) {
	a.dirty = true
	if !a.reading {
		a.reading = true
		go h.catchUp(tenant, a)
	}
}

// lookAll is look for every tenant: words may have been lost.
func (h *hub) lookAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for tenant, a := range h.audiences {
		h.lookLocked(tenant, a)
	}
}

// catchUp reads an audience's changes until there is no word of more.
func (h *hub) catchUp(tenant tenancy.TenantID, a *audience) {
	<-a.ready
	for {
		h.mu.Lock()
		if !a.dirty || len(a.streams) == 0 || a.err != nil {
			a.reading = false
			h.mu.Unlock()
			return
		}
		a.dirty = false
		known := make([]uuid.UUID, 0, len(a.streams))
		for st := range a.streams {
			known = append(known, st.caller)
		}
		h.mu.Unlock()
		if err := h.readOnce(tenant, a, known); err != nil {
			h.failed(tenant, err)
			h.mu.Lock()
			a.dirty = true
			h.mu.Unlock()
			select {
			case <-time.After(hubRetry):
			case <-h.closing:
			}
		}
	}
}

// readOnce reads what changed and marks it in every stream. A stream that joined since
// the tokens were listed reads its own again.
func (h *hub) readOnce(tenant tenancy.TenantID, a *audience, known []uuid.UUID) error {
	h.slots <- struct{}{}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	work, err := h.read(ctx, tenant, a.position, known)
	cancel()
	<-h.slots
	if err != nil {
		return err
	}
	a.position = work.Position
	n := newsOf(work)
	h.mu.Lock()
	defer h.mu.Unlock()
	a.readAt = time.Now()
	for st := range a.streams {
		st.notice(n)
	}
	return nil
}

// changed marks the streams of a token, member or tenant that is not what it was; those
// that ended are cut off like any call.
func (h *hub) changed(c tokens.Change) {
	if c.Subject == tokens.SubjectAny {
		h.lookAll()
	}
	if c.Ended {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.audiences {
		for st := range a.streams {
			st.tokenChanged(c)
		}
	}
}

// close ends every stream, and lets none begin.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.closed = true
		close(h.closing)
	}
}

// byPlan counts the open streams of each plan.
func (h *hub) byPlan() map[string]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	count := map[string]int{}
	for _, a := range h.audiences {
		for st := range a.streams {
			count[st.plan()]++
		}
	}
	return count
}

// len returns how many streams are open.
func (h *hub) len() (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.audiences {
		n += len(a.streams)
	}
	return n
}
