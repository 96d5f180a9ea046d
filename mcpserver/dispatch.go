package mcpserver

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/google/uuid"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// maxIdempotencyKey bounds what a client may call one of its calls, in bytes.
const maxIdempotencyKey = 200

// handler is the tool as mcp-go calls it. Arguments come from our own reading
// of the message; mcp-go's copy has lost the difference of null and absent.
func (s *Server) handler(t Tool) func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	return func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		r := requestFrom(ctx)
		data, err := s.dispatch(ctx, t, r)
		var ask asking
		if errors.As(err, &ask) {
			return ask.result(r.id), nil
		}
		var wrong *protocolError
		if errors.As(err, &wrong) {
			r.problem, r.detail = &wrong.problem, wrong.detail
		}
		if err != nil {
			s.askScope(ctx, t, r, err)
			return failure(err, r.id), nil
		}
		return success(data, append(r.beside, r.file.content()...)...), nil
	}
}

// dispatch runs one tool call: permission, arguments, transaction, audit row.
// A stale epoch (the token or its owner changed since it was cached) is read
// again once; if the token is then refused, the transport answers 401.
func (s *Server) dispatch(ctx context.Context, t Tool, r *request) (json.RawMessage, error) {
	data, err := s.attempt(ctx, t, r)
	if tenancy.CodeOf(err) == tenancy.Unauthenticated && !wasCut(ctx) {
		if err = s.refresh(ctx, r); err == nil {
			data, err = s.attempt(ctx, t, r)
		}
	}
	r.outcome = string(tenancy.CodeOf(err))
	switch tenancy.CodeOf(err) {
	case tenancy.Unauthenticated, tenancy.TenantIsSuspended, tenancy.AddressNotAllowed:
		r.refused = err
	case tenancy.Internal:
		s.log.ErrorContext(ctx, "tool failed", "tool", t.Name, "request", r.id, "tenant", r.principal.TenantSlug, "error", err)
	}
	return data, err
}

func (s *Server) attempt(ctx context.Context, t Tool, r *request) (data json.RawMessage, err error) {
	c := &Call{Principal: r.principal, Now: s.now(), Log: s.log, tool: t.Name, narrow: r.narrow, optional: s.optional, cursors: s.cursors, putPage: s.putPage, progress: r.progress, memory: r.memory,
		links: links{s.publicURL, r.principal.TenantSlug}}
	if t.Permission != nil && !r.principal.May(*t.Permission) {
		err = forbidden(r.principal, *t.Permission, "")
	} else if err = s.throttle.Admit(r.principal, !t.ReadOnly); err != nil {
		c.target = "limit"
	} else if t.ReadOnly {
		data, err = s.read(ctx, t, r, c)
	} else {
		data, err = s.write(ctx, t, r, c)
	}
	if err = cutOff(ctx, err); isRefusal(err) && !wasCut(ctx) {
		return nil, err
	}
	if r.audited {
		return data, err
	}
	r.audited, r.beside, r.file = true, c.beside, c.file
	if recordErr := s.record(context.WithoutCancel(ctx), s.auditRow(r, c, data, err)); recordErr != nil {
		r.failed = fmt.Errorf("audit: %w", recordErr)
		return nil, r.failed
	}
	if tenancy.CodeOf(err) == tenancy.RateLimited {
		s.holdBack(ctx)
	}
	return data, err
}

// refresh reads the request's principal again. If the token no longer works, the
// old one stays: the audit needs to know whom it belonged to.
func (s *Server) refresh(ctx context.Context, r *request) error {
	fresh, err := s.tokens.Refresh(ctx, r.token)
	if err == nil {
		r.principal = r.narrow.apply(fresh)
		err = checkAddress(r)
	}
	return cutOff(ctx, err)
}

// isRefusal reports whether the token itself was refused: then the call is tried
// again with what the database says now, or ends with 401 or 403.
func isRefusal(err error) bool {
	code := tenancy.CodeOf(err)
	return code == tenancy.Unauthenticated || code == tenancy.TenantIsSuspended || code == tenancy.AddressNotAllowed
}

func (s *Server) read(ctx context.Context, t Tool, r *request, c *Call) (data json.RawMessage, err error) {
	in, err := t.arguments(r.message.arguments, r.narrow.Project)
	if err != nil {
		return nil, err
	}
	err = s.store.Read(ctx, store.ForPrincipal(r.principal).For(t.Name), func(tx *store.Tx) error {
		c.Tx = tx
		if data, err = s.runSafely(ctx, t, c, in); err != nil {
			return err
		}
		return tx.Ensure(ctx)
	})
	return data, err
}

// write runs a write under its options. The idempotency key is claimed in the
// write's own transaction; a replay gives the first answer.
func (s *Server) write(ctx context.Context, t Tool, r *request, c *Call) (data json.RawMessage, err error) {
	in, err := t.arguments(r.message.arguments, r.narrow.Project)
	if err != nil {
		return nil, err
	}
	opt := in.(writeArguments).writeOptions()
	if opt.IdempotencyKey != "" && r.principal.TokenID == uuid.Nil {
		return nil, tenancy.Errorf(tenancy.UnknownArgument, "idempotency_key is for agents' tokens; a signed-in member's calls have none.").WithNext("Leave it out.")
	}
	if n := len(opt.IdempotencyKey); n > maxIdempotencyKey {
		return nil, tenancy.Errorf(tenancy.TooLarge, "idempotency_key has %d bytes; at most %d are kept.", n, maxIdempotencyKey).WithNext("Use a UUID.")
	}
	c.consent = s.consentOf(r, in, opt.DryRun)
	entry := func() store.AuditRow {
		r.audited = true
		return s.auditRow(r, c, data, nil)
	}
	err = s.store.Write(ctx, store.ForPrincipal(r.principal).For(t.Name), entry, func(tx *store.Tx) error {
		c.Tx, c.changes, c.edited = tx, nil, nil
		if opt.DryRun {
			tx.DryRun()
		} else if opt.IdempotencyKey != "" {
			before, err := tx.ClaimKey(ctx, t.Name, opt.IdempotencyKey, c.consent.digest[:])
			if err != nil {
				return err
			}
			if before != nil {
				data = splice(`"replayed":true`, before)
				return nil
			}
		}
		if data, err = s.runSafely(ctx, t, c, in); err != nil {
			return err
		}
		switch {
		case opt.DryRun:
			data = splice(`"dry_run":true`, data)
		case opt.IdempotencyKey != "":
			tx.KeepAnswer(t.Name, opt.IdempotencyKey, data)
		}
		return nil
	})
	if err != nil {
		r.audited = false // the row went with the transaction
		return nil, err
	}
	return data, nil
}

// fitter is a result that can be cut to so many bytes of JSON, where it is too long.
type fitter interface{ fit(most int) any }

// runSafely turns a panic of a handler into an internal error.
func (s *Server) runSafely(ctx context.Context, t Tool, c *Call, in any) (data json.RawMessage, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in tool %s: %v\n%s", t.Name, p, debug.Stack())
		}
	}()
	out, err := t.run(ctx, c, in)
	if err != nil {
		return nil, err
	}
	data, err = json.Marshal(out)
	if long, ok := out.(fitter); ok && len(data) > maxText {
		return json.Marshal(long.fit(maxText))
	}
	return data, err
}

// splice adds a member to the front of a JSON object.
func splice(member string, object json.RawMessage) json.RawMessage {
	if len(object) <= len("{}") {
		return json.RawMessage("{" + member + "}")
	}
	return json.RawMessage("{" + member + "," + string(object[1:]))
}

// forbidden names the missing grant and who can give it.
func forbidden(p tenancy.Principal, perm tenancy.Permission, project string) error {
	where := ""
	if project != "" {
		where = " on " + project
	}
	if p.TokenID == uuid.Nil {
		return tenancy.Errorf(tenancy.Forbidden, "Your role, %s, lacks %s%s.", p.Role, perm, where).WithNext("Ask an admin of your tenant.")
	}
	return tenancy.Errorf(tenancy.Forbidden, "Token %q lacks %s%s.", p.TokenName, perm, where).
		WithNext("An admin can grant it in the console. Do not retry.")
}

// auditRow says how the call went.
func (s *Server) auditRow(r *request, c *Call, data json.RawMessage, err error) store.AuditRow {
	row := store.AuditRow{
		TenantID: r.principal.TenantID, At: r.started, Kind: "call", Actor: r.principal.TokenName, TokenID: r.tokenID(),
		TokenName: r.principal.TokenName, Client: r.client, Method: r.message.method, Tool: r.message.name, Decision: store.Allowed,
		RequestID: r.id, ClientIP: r.clientIP, DurationUS: time.Since(r.started).Microseconds(), Bytes: len(data),
		Code: string(tenancy.CodeOf(err)),
	}
	if c != nil {
		row.Tool, row.Target = c.tool, c.target // what ran, whatever else the message named
	}
	row.Client, row.Method = redactText(row.Client), redactText(row.Method)
	row.Tool, row.Target = redactText(row.Tool), redactText(row.Target)
	if r.principal.MemberID != uuid.Nil {
		row.MemberID, row.Actor = &r.principal.MemberID, r.principal.MemberEmail
	}
	if len(r.message.arguments) > 0 {
		digest := sha256.Sum256(r.message.arguments)
		row.ArgsDigest, row.Args = digest[:], redact(r.message.arguments)
	}
	if c != nil {
		row.Changes = redact(c.changesJSON())
		if c.project != uuid.Nil {
			row.ProjectID = &c.project
		}
	}
	var known *tenancy.Error
	if errors.As(err, &known) && known.Code.IsDenial() {
		row.Decision, row.Rule = store.Denied, known.Message
	} else if err != nil {
		row.Decision = store.Failed
	}
	return row
}

// recordRefusal leaves the row of a call whose token was good when it came and
// refused by the database before it ended.
func (s *Server) recordRefusal(ctx context.Context, r *request) {
	if r.audited {
		return
	}
	row := s.auditRow(r, nil, nil, r.refused)
	row.Method = cmp.Or(row.Method, "connect") // refused before its message was read
	if err := s.record(context.WithoutCancel(ctx), row); err != nil {
		s.log.ErrorContext(ctx, "a refusal was not audited", "request", r.id, "error", err)
	}
}
