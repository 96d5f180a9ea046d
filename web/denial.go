package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// consoleClient is what the audit log calls the client of this API.
const consoleClient = "console"

// audited leaves a row of a request that its member may not make, as agents' calls do, and
// returns what to answer: the denial, or why it could not be recorded.
func (s *Server) audited(r *http.Request, me session, err error) error {
	var known *tenancy.Error
	if !errors.As(err, &known) || !known.Code.IsDenial() {
		return err
	}
	row := store.AuditRow{TenantID: me.app.Tenant().ID, Kind: "call", MemberID: &me.member, Actor: me.claims.Email, Client: consoleClient,
		Method: r.Pattern, Decision: store.Denied, Rule: known.Message, Code: string(known.Code)}
	if id, err := uuid.Parse(r.PathValue("id")); err == nil {
		row.Target = id.String()
	}
	if me.id != uuid.Nil {
		row.Args, _ = json.Marshal(map[string]uuid.UUID{"session": me.id}) // cannot fail
	}
	if recordErr := s.Store.Record(context.WithoutCancel(r.Context()), row); recordErr != nil {
		return fmt.Errorf("audit: %w", recordErr)
	}
	return err
}
