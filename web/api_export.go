package web

import (
	"net/http"
	"time"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// exportTenant sends all of a tenant's data to an owner, as a zip. When something fails
// on the way, the connection breaks off, so that no half of a file looks whole.
func (s *Server) exportTenant(w http.ResponseWriter, r *http.Request, me session) {
	if err := s.Store.Read(r.Context(), me.scope(), func(tx *store.Tx) error { return tx.Ensure(r.Context()) }); err != nil {
		s.fail(w, err)
		return
	}
	if me.claims.Role != tenancy.RoleOwner { // the epoch, just checked, says that it still holds
		s.fail(w, tenancy.Errorf(tenancy.Forbidden, "Only an owner may take all data along.").WithNext("Ask an owner of your tenant."))
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // it takes as long as it takes
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", `attachment; filename="`+me.app.Tenant().Slug+`.zip"`)
	h.Set("Cache-Control", "no-store")
	if _, err := s.Store.ExportTenant(r.Context(), me.app.Tenant().Slug, me.claims.Email, w, nil); err != nil {
		s.Log.Error("export was not written whole", "tenant", me.app.Tenant().Slug, "error", err)
		panic(http.ErrAbortHandler)
	}
}
