package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/colaflow/colaflow/tenancy"
)

const (
	// exportsRead is how many tenants are read for an export at once: each takes a
	// connection and a snapshot.
	exportsRead = 2
	// exportPart must be taken by who downloads within exportStall.
	exportPart  = 64 << 10
	exportStall = 30 * time.Second
)

// exportTenant sends all of a tenant's data to an owner, as a zip. It is whole, and the
// database free again, before the first byte is sent: who reads slowly, or not at all,
// takes up no more than a file. When something fails on the way, the connection breaks
// off, so that no half of a file looks whole.
func (s *Server) exportTenant(w http.ResponseWriter, r *http.Request, me session) error {
	t := me.app.Tenant()
	if err := s.enter(r, me); err != nil {
		return err
	}
	if me.claims.Role != tenancy.RoleOwner { // the epoch, just checked, says that it still holds
		return tenancy.Errorf(tenancy.Forbidden, "Only an owner may take all data along.").WithNext("Ask an owner of your tenant.")
	}
	leave, err := s.downloads.enter(t.ID, "export")
	if err != nil {
		return err
	}
	defer leave()
	if err := s.payHeavy(me); err != nil {
		return err
	}
	file, size, err := s.spool(r.Context(), t, me.claims.Email)
	if err != nil {
		return err
	}
	defer discard(file)
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	h.Set("Content-Disposition", `attachment; filename="`+t.Slug+`.zip"`)
	h.Set("Cache-Control", "no-store")
	if err := send(w, file); err != nil {
		s.Log.Warn("export was not sent whole", "request", requestID(r), "tenant", t.Slug, "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

// spool writes a tenant's export to a file that has no name any more, where the system
// can do that. discard must follow.
func (s *Server) spool(ctx context.Context, t tenancy.Tenant, actor string) (_ *os.File, size int64, err error) {
	leave, err := s.exports.enter(t.ID, "export")
	if err != nil {
		return nil, 0, err
	}
	defer leave()
	file, err := os.CreateTemp("", "colaflow-export-") // mode 0600
	if err != nil {
		return nil, 0, fmt.Errorf("make a file for the export: %w", err)
	}
	_ = os.Remove(file.Name())
	if _, err = s.Store.ExportTenant(ctx, t.Slug, actor, file, nil); err == nil {
		size, err = file.Seek(0, io.SeekCurrent)
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		discard(file)
		return nil, 0, fmt.Errorf("spool the export: %w", err)
	}
	return file, size, nil
}

// discard closes a spooled file, and removes it where open files cannot be.
func discard(file *os.File) {
	_ = file.Close()
	_ = os.Remove(file.Name())
}

// send copies a file to who takes it in parts, each in good time.
func send(w http.ResponseWriter, file io.Reader) error {
	c := http.NewResponseController(w)
	for {
		_ = c.SetWriteDeadline(time.Now().Add(exportStall)) // not every transport has deadlines
		switch _, err := io.CopyN(w, file, exportPart); {
		case errors.Is(err, io.EOF):
			if err := c.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
				return err
			}
			return c.SetWriteDeadline(time.Time{}) // the connection may serve on
		case err != nil:
			return err
		}
	}
}
