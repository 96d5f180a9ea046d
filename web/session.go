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

// withSession authenticates a request by its bearer JWT, without the database
// if the revocation feed was healthy ever since the JWT was issued. A JWT of another tenant than the
// address names is 403; anything else that is wrong is 401 with one body.
func (s *Server) withSession(next func(http.ResponseWriter, *http.Request, session)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		raw, ok := bearerJWT(r.Header)
		if !ok {
			s.unauthorized(w)
			return
		}
		app, release, err := s.application(r, raw)
		if err != nil {
			s.refuse(w, err)
			return
		}
		defer release()
		claims, err := app.Verify(r.Context(), tenancy.KindSession, raw)
		if err != nil {
			s.refuse(w, err)
			return
		}
		if err := s.checkTenant(r, app.Tenant()); err != nil {
			s.fail(w, err)
			return
		}
		member, err := uuid.Parse(claims.Subject)
		tenant := app.Tenant().ID
		sid, _ := uuid.Parse(claims.SessionID) // none: no session can end it
		if err != nil || s.revoked.since(memberKey{tenant, member}, claims.IssuedAt.Time) || s.revoked.since(memberKey{tenant, sid}, claims.IssuedAt.Time) {
			s.unauthorized(w)
			return
		}
		if !s.FeedHealthy() || s.revoked.unsure(claims.IssuedAt.Time) {
			if err := s.CheckMember(r.Context(), app.Tenant().ID, member, claims.MemberEpoch); err != nil {
				s.refuse(w, err)
				return
			}
		}
		free, err := app.Budget().Reserve(requestRoom + bodyRoom(r))
		if err != nil {
			s.fail(w, err)
			return
		}
		defer free()
		next(w, r, session{app, claims, member, sid})
	}
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
func (s *Server) refuse(w http.ResponseWriter, err error) {
	switch tenancy.CodeOf(err) {
	case tenancy.NotFound, tenancy.Unauthenticated:
		s.unauthorized(w)
	default:
		s.fail(w, err)
	}
}

func (s *Server) unauthorized(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	s.fail(w, tenancy.Errorf(tenancy.Unauthenticated, "The session is missing, invalid or expired.").WithNext("Sign in again."))
}

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
