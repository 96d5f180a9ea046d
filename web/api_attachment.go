package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strconv"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// sendAttachment sends a member the contents of a file, for the browser to keep: never
// to show or run, whatever is in it. It is read as agents read it, with the same
// permission, limits and audit, so the catalogue's errors are answered here.
func (s *Server) sendAttachment(w http.ResponseWriter, r *http.Request, me session) error {
	id, err := pathID(r, "attachment")
	if err != nil {
		return err
	}
	p, err := s.principal(r, me)
	if err != nil {
		return err
	}
	args, err := json.Marshal(map[string]string{"id": id.String()})
	if err != nil {
		return fmt.Errorf("name the attachment: %w", err)
	}
	free, err := me.app.Budget().Reserve(tracker.MaxAttachment) // until who reads slowly has it
	if err != nil {
		return err
	}
	defer free()
	answer, err := s.CallTool(r.Context(), p, ToolCall{"get_attachment", args, consoleClient})
	if tenancy.CodeOf(err) == tenancy.NotFound {
		err = notFound("attachment")
	}
	var a struct{ Name, Type string }
	if err == nil {
		err = json.Unmarshal(answer.Data, &a)
	}
	if err != nil {
		s.fail(w, r, err)
		return nil
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.Itoa(len(answer.File)))
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": tracker.Attachment{Name: a.Name, Type: a.Type}.SaveName()}))
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
	h.Set("Cache-Control", "no-store")
	if err := send(w, bytes.NewReader(answer.File)); err != nil {
		s.Log.Warn("attachment was not sent whole", "request", requestID(r), "tenant", me.app.Tenant().Slug, "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}
