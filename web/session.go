package web

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// SessionLife is how long an access token of a person is good.
const SessionLife = time.Hour

// session is a signed-in member's request.
type session struct {
	app    *tenancy.Application
	claims tenancy.Claims
	member uuid.UUID
	id     uuid.UUID
}

// scope is that of the member's transactions: the database checks that they are still
// who the JWT says.
func (me session) scope() store.Scope {
	return store.ForMember(me.app.Tenant().ID, me.member, me.claims.MemberEpoch)
}

// withSession serves signed-in members. What they may not do leaves a row in the audit
// log before it is answered.
func (s *Server) withSession(serve func(http.ResponseWriter, *http.Request, session) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		me, release, err := s.authenticate(r)
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		defer release()
		if err = s.serve(w, r, me, serve); err == nil {
			return
		}
		if err = s.audited(r, me, err); tenancy.CodeOf(err) == tenancy.Unauthenticated {
			s.unauthorized(w, r)
			return
		}
		s.fail(w, r, err)
	}
}

// authenticate finds who a request's bearer JWT signs in, without the database; whatever
// is wrong with it is 401 with one body.
func (s *Server) authenticate(r *http.Request) (me session, release func(), err error) {
	raw, ok := bearerJWT(r.Header)
	if !ok {
		return me, nil, errNoSession
	}
	app, release, err := s.application(r, raw)
	if err != nil {
		return me, nil, err
	}
	defer func() {
		if err != nil {
			release()
		}
	}()
	me.app = app
	if me.claims, err = me.app.Verify(r.Context(), tenancy.KindSession, raw); err != nil {
		return me, release, err
	}
	if me.member, err = uuid.Parse(me.claims.Subject); err != nil {
		return me, release, errNoSession
	}
	me.id, _ = uuid.Parse(me.claims.SessionID) // none: no session can end it
	tenant, issued := me.app.Tenant().ID, me.claims.IssuedAt.Time
	if s.revoked.since(memberKey{tenant, me.member}, issued) || s.revoked.since(memberKey{tenant, me.id}, issued) {
		return me, release, errNoSession
	}
	return me, release, nil
}

// serve answers a member's request, unless it returns why it may not be. An address that
// names another tenant is 403. The database is asked about the member only if the
// revocation feed was not healthy ever since the JWT was issued.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, me session, next func(http.ResponseWriter, *http.Request, session) error) error {
	tenant := me.app.Tenant()
	if err := s.checkTenant(r, tenant); err != nil {
		return err
	}
	if !s.FeedHealthy() || s.revoked.unsure(me.claims.IssuedAt.Time) {
		if err := s.CheckMember(r.Context(), tenant.ID, me.member, me.claims.MemberEpoch); err != nil {
			return err
		}
	}
	free, err := me.app.Budget().Reserve(requestRoom + bodyRoom(r))
	if err != nil {
		return err
	}
	defer free()
	r.Body = http.MaxBytesReader(w, r.Body, maxAPIBody)
	return next(w, r, me)
}

// requestRoom is what a member's request is charged for beside its body: about what
// the answer takes.
const requestRoom = 64 << 10

// bodyRoom is what the body of a request may take.
func bodyRoom(r *http.Request) int64 {
	if r.ContentLength < 0 || r.ContentLength > maxAPIBody {
		return maxAPIBody
	}
	return r.ContentLength
}

// application finds the Application whose key a JWT claims. Anybody can claim a tenant
// that is not there, so an address that did so too often is not looked up again.
func (s *Server) application(r *http.Request, raw string) (*tenancy.Application, func(), error) {
	id, err := tenancy.TenantOfJWT(raw)
	if err != nil {
		return nil, nil, err
	}
	if !s.Apps.IsLive(id) {
		if err := s.pace.Take(s.ClientIP(r), 0); err != nil {
			return nil, nil, err
		}
	}
	app, release, err := s.Apps.UseID(r.Context(), id)
	if tenancy.CodeOf(err) == tenancy.NotFound {
		s.failed(r)
	}
	return app, release, err
}

// refuse answers what kept a credential from working: an unknown tenant looks
// like any other bad token.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	switch tenancy.CodeOf(err) {
	case tenancy.NotFound, tenancy.Unauthenticated:
		s.unauthorized(w, r)
	default:
		s.fail(w, r, err)
	}
}

func (s *Server) unauthorized(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	s.fail(w, r, errNoSession)
}

var errNoSession = tenancy.Errorf(tenancy.Unauthenticated, "The session is missing, invalid or expired.").WithNext("Sign in again.")

func bearerJWT(h http.Header) (string, bool) {
	values := h.Values("Authorization")
	if len(values) != 1 {
		return "", false
	}
	scheme, raw, found := strings.Cut(values[0], " ")
	return raw, found && strings.EqualFold(scheme, "Bearer") && !strings.HasPrefix(raw, "mcp_")
}

// revokedMembers remembers, for as long as a JWT lives, when a member changed:
// what was issued before is refused, and a new one says the new role.
type revokedMembers struct {
	mu    sync.Mutex
	at    map[memberKey]time.Time
	blind time.Time // until then changes may have gone unseen
}

// unsure reports whether a member may have changed unseen after a JWT was issued.
func (r *revokedMembers) unsure(issued time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !issued.After(r.blind)
}

// memberKey is a member of a tenant: an imported tenant keeps the ids of its members.
type memberKey struct{ tenant, member uuid.UUID }

func (r *revokedMembers) note(member memberKey, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at == nil {
		r.at = map[memberKey]time.Time{}
	}
	for id, at := range r.at {
		if now.Sub(at) > SessionLife {
			delete(r.at, id)
		}
	}
	r.at[member] = now
}

// since reports whether the member changed after a JWT was issued. Seconds are
// the resolution of a JWT: what was issued in the same second is refused too.
func (r *revokedMembers) since(member memberKey, issued time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, changed := r.at[member]
	return changed && !issued.After(at)
}

// SessionEnded tells that a session was signed out, on whatever node.
func (s *Server) SessionEnded(tenant tenancy.TenantID, id uuid.UUID) {
	s.revoked.note(memberKey{tenant, id}, s.Clock())
}

// MemberChanged tells that a member's role or state is not what it was.
func (s *Server) MemberChanged(tenant tenancy.TenantID, member uuid.UUID) {
	s.revoked.note(memberKey{tenant, member}, s.Clock())
}

// AnyoneChanged tells that changes of members may have gone unseen until now: of
// sessions that are older, the database is asked.
func (s *Server) AnyoneChanged() {
	s.revoked.mu.Lock()
	defer s.revoked.mu.Unlock()
	s.revoked.blind = s.Clock()
}
