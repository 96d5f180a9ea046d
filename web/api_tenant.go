package web

import (
	"net/http"
	"time"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

type settingsAnswer struct {
	Slug   string            `json:"slug"`
	Plan   tenancy.Plan      `json:"plan"`
	Limits tenancy.Limits    `json:"limits"`
	Usage  store.TenantSize  `json:"usage"`
	Config tenancy.AppConfig `json:"config"`
}

// enter has the database check a member for what is done in their name by others.
func (s *Server) enter(r *http.Request, me session) error {
	return s.Store.Read(r.Context(), me.scope(), func(tx *store.Tx) error { return tx.Ensure(r.Context()) })
}

// settings tells what the tenant may hold, and what it does.
func (s *Server) settings(r *http.Request, me session) (any, error) {
	t := me.app.Tenant()
	if err := s.enter(r, me); err != nil {
		return nil, err
	}
	usage, err := s.Store.TenantSize(r.Context(), t.ID)
	return settingsAnswer{t.Slug, tenancy.PlanOf(t.Plan), tenancy.LimitsOf(t.Plan), usage, me.app.Config()}, err
}

// rotateKeys makes a new signing key. What is signed in stays so.
func (s *Server) rotateKeys(r *http.Request, me session) (any, error) {
	if err := s.enter(r, me); err != nil {
		return nil, err
	}
	if err := s.payHeavy(me); err != nil {
		return nil, err
	}
	return nil, me.app.RotateKeys(r.Context(), me.claims.Email, 24*time.Hour)
}

// stopTenant suspends or deletes the tenant for an owner, who names it once more. Resuming
// it is for whoever runs the server: nobody of the tenant can sign in any more.
func (s *Server) stopTenant(r *http.Request, me session) (any, error) {
	var body struct {
		State   tenancy.TenantState `json:"state"`
		Confirm string              `json:"confirm"`
	}
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	if err := s.enter(r, me); err != nil {
		return nil, err
	}
	slug, err := me.app.Tenant().Slug, error(nil)
	switch {
	case me.claims.Role != tenancy.RoleOwner: // the epoch, just checked, says that it still holds
		return nil, tenancy.Errorf(tenancy.Forbidden, "Only an owner may suspend or delete a tenant.").WithNext("Ask an owner of your tenant.")
	case body.Confirm != slug:
		return nil, tenancy.Errorf(tenancy.InvalidValue, "The confirmation is not the tenant's name.").WithNext("Send confirm: " + slug + ".")
	case body.State == tenancy.TenantSuspended:
		_, err = s.Store.SuspendTenant(r.Context(), slug, me.claims.Email)
	case body.State == tenancy.TenantDeleted:
		_, err = s.Store.DeleteTenant(r.Context(), slug, me.claims.Email, store.DeletionGrace)
	default:
		err = tenancy.Errorf(tenancy.InvalidValue, "The state must be %s or %s.", tenancy.TenantSuspended, tenancy.TenantDeleted)
	}
	return nil, err
}

func (s *Server) listPages(r *http.Request, me session) (any, error) {
	if err := s.enter(r, me); err != nil {
		return nil, err
	}
	pages, err := me.app.ListPages(r.Context())
	if pages == nil {
		pages = []tenancy.Page{}
	}
	return pages, err
}

func (s *Server) deletePage(r *http.Request, me session) (any, error) {
	id, err := pathID(r, "page")
	if err != nil {
		return nil, err
	}
	if err := s.enter(r, me); err != nil {
		return nil, err
	}
	return nil, me.app.DeletePage(r.Context(), id, me.claims.Email)
}
