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
	return nil, me.app.RotateKeys(r.Context(), me.claims.Email, 24*time.Hour)
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
	if !me.claims.Role.Permissions().Has(tenancy.MembersManage) {
		return nil, tenancy.Errorf(tenancy.Forbidden, "Only an admin may delete pages.").WithNext("Ask an admin of your tenant.")
	}
	if err := s.enter(r, me); err != nil {
		return nil, err
	}
	return nil, me.app.DeletePage(r.Context(), id, me.claims.Email)
}
