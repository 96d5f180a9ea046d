package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tenancy"
)

// Route is one operation of the JSON API. openapi.yaml describes each; a test holds the
// two against each other.
type Route struct {
	Method string
	Path   string
	handle http.HandlerFunc
}

// maxAPIBody bounds what a request may send.
const maxAPIBody = 1 << 20

// routes lists the JSON API.
func (s *Server) routes() []Route {
	open := func(method, path string, answer func(http.ResponseWriter, *http.Request) (any, error)) Route {
		return Route{method, path, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, maxAPIBody)
			v, err := answer(w, r)
			s.answer(w, r, v, err)
		}}
	}
	own := func(method, path string, serve func(http.ResponseWriter, *http.Request, session) error) Route {
		return Route{method, path, s.withSession(serve)}
	}
	limited := func(write bool, method, path string, answer func(*http.Request, session) (any, error)) Route {
		return own(method, path, func(w http.ResponseWriter, r *http.Request, me session) error {
			if err := s.pay(me, write); err != nil {
				return err
			}
			v, err := answer(r, me)
			if err == nil {
				s.answer(w, r, v, nil)
			}
			return err
		})
	}
	member := func(method, path string, answer func(*http.Request, session) (any, error)) Route {
		return limited(method != http.MethodGet, method, path, answer)
	}
	admin := func(p tenancy.Permission, method, path string, answer func(*http.Request, session) (any, error)) Route {
		return member(method, path, func(r *http.Request, me session) (any, error) {
			if !me.claims.Role.Permissions().Has(p) { // the database asks again
				return nil, tenancy.Errorf(tenancy.Forbidden, "Your role, %s, lacks %s.", me.claims.Role, p).WithNext("Ask an admin of your tenant.")
			}
			return answer(r, me)
		})
	}
	return []Route{
		open("GET", "/api/v1/tenant", s.tenantInfo),
		open("POST", "/api/v1/auth/refresh", s.refresh),
		open("POST", "/api/v1/auth/logout", s.logout),
		member("GET", "/api/v1/me", s.me),
		member("GET", "/api/v1/sessions", s.listSessions),
		member("DELETE", "/api/v1/sessions", s.endSessions),
		member("DELETE", "/api/v1/sessions/{id}", s.endSession),
		member("GET", "/api/v1/tokens", s.listTokens),
		member("POST", "/api/v1/tokens", s.createToken),
		member("GET", "/api/v1/permissions", s.permissions),
		limited(false, "POST", "/api/v1/tokens/preview", s.previewToken),
		member("GET", "/api/v1/tokens/{id}", s.showToken),
		member("PATCH", "/api/v1/tokens/{id}", s.updateToken),
		member("DELETE", "/api/v1/tokens/{id}", s.revokeToken),
		member("POST", "/api/v1/tokens/{id}/rotate", s.rotateToken),
		admin(tenancy.MembersManage, "POST", "/api/v1/tokens/{id}/explain", s.explainToken),
		member("GET", "/api/v1/members", s.listMembers),
		admin(tenancy.MembersManage, "POST", "/api/v1/members", s.inviteMember),
		admin(tenancy.MembersManage, "PATCH", "/api/v1/members/{id}", s.updateMember),
		admin(tenancy.MembersManage, "POST", "/api/v1/members/{id}/signin-link", s.makeSignInLink),
		admin(tenancy.AuditRead, "GET", "/api/v1/audit", s.listAudit),
		admin(tenancy.AuditRead, "GET", "/api/v1/audit/verification", s.verifyAudit),
		admin(tenancy.MembersManage, "GET", "/api/v1/settings", s.settings),
		admin(tenancy.MembersManage, "POST", "/api/v1/settings/rotate-keys", s.rotateKeys),
		admin(tenancy.MembersManage, "PUT", "/api/v1/settings/state", s.stopTenant),
		own("GET", "/api/v1/export", s.exportTenant),
		admin(tenancy.MembersManage, "GET", "/api/v1/sso", s.showSSO),
		admin(tenancy.MembersManage, "PATCH", "/api/v1/sso", s.requireSSO),
		admin(tenancy.MembersManage, "PUT", "/api/v1/sso/{name}", s.saveSSO),
		admin(tenancy.MembersManage, "PATCH", "/api/v1/sso/{name}", s.switchSSO),
		admin(tenancy.MembersManage, "DELETE", "/api/v1/sso/{name}/accounts/{member}", s.unlinkSSO),
		admin(tenancy.MembersManage, "DELETE", "/api/v1/sso/{name}", s.removeSSO),
		admin(tenancy.MembersManage, "POST", "/api/v1/sso/{name}/check", s.checkSSO),
		member("GET", "/api/v1/pages", s.listPages),
		admin(tenancy.MembersManage, "DELETE", "/api/v1/pages/{id}", s.deletePage),
		own("POST", "/api/v1/pages/{id}/open", s.openOwnPage),
		own("GET", "/api/v1/attachments/{id}", s.sendAttachment),
		own("POST", "/api/v1/tools/{name}", s.callTool), // the catalogue has the same limits
	}
}

// answer writes what a route returned; nothing is 204.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, v any, err error) {
	switch {
	case err != nil:
		s.fail(w, r, err)
	case v == nil:
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
	default:
		writeJSON(w, http.StatusOK, v)
	}
}

// decode reads a JSON body. Names that are not known are refused: a setting that is
// misspelt must not be lost in silence.
func decode(r *http.Request, into any) error {
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind != "application/json" {
		return tenancy.Errorf(tenancy.InvalidValue, "The body must be JSON.").WithNext("Send Content-Type: application/json.")
	}
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		var known *tenancy.Error
		if errors.As(err, &known) {
			return known
		}
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return tenancy.Errorf(tenancy.TooLarge, "The body is longer than 1 MiB.")
		}
		return tenancy.Errorf(tenancy.InvalidValue, "The body is not what this operation takes.").WithNext("See the API's description.")
	}
	if dec.More() {
		return tenancy.Errorf(tenancy.InvalidValue, "The body holds more than one JSON value.")
	}
	return nil
}

// pathID reads an id of the path. What is no id names nothing.
func pathID(r *http.Request, what string) (uuid.UUID, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return uuid.Nil, notFound(what)
	}
	return id, nil
}

// notFound is the one answer to an id that is unknown, not visible, or another tenant's.
func notFound(what string) error {
	return tenancy.Errorf(tenancy.NotFound, "There is no such %s.", what)
}
