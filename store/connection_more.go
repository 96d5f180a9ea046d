package store

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
)

const (
	// askingLife is how long after a call was refused its client's request for more is taken
	// as the answer to that.
	askingLife = 30 * time.Minute
	// askedMost is how many different things a client is known to have been told in that time;
	// more are told, and not noted.
	askedMost = 8
)

// AskMore notes that the client of a connection is told to ask its member for permissions,
// so that the connection it gets by that takes the place of the one it has. It reports false
// for a token of no connection. Scope is the token; the same told again leaves the note.
func (s *Store) AskMore(ctx context.Context, scope Scope, tokenName string, permissions tenancy.PermissionSet) (connected bool, err error) {
	var id uuid.UUID
	var told []tenancy.Grants
	var fresh bool
	err = s.Read(ctx, scope, func(tx *Tx) error {
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`select id, `+askedLately+`, coalesce(asked_at > now() - $3::interval / 2, false) from oauth_connections
				where tenant_id = $1 and token_id = $2 and ended_at is null`, scope.Tenant, scope.Subject, askingLife).
				Query(func(rows pgx.Rows) error {
					if rows.Next() {
						return rows.Scan(&id, &told, &fresh)
					}
					return rows.Err()
				})
		})
	})
	asked := tenancy.Grants{Allow: permissions}
	noted := len(told) >= askedMost || fresh && slices.ContainsFunc(told, func(g tenancy.Grants) bool { return g.Allow == permissions })
	if err != nil || id == uuid.Nil || noted {
		return id != uuid.Nil, err
	}
	entry := func() AuditRow {
		row := scope.adminRow(tokenName, "oauth.ask", id.String())
		row.Args = asJSON(map[string]any{"permissions": asked})
		return row
	}
	return true, s.Write(ctx, scope, entry, func(tx *Tx) error {
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`update oauth_connections set asked = `+askedLately+` || $4::jsonb, asked_at = now() where tenant_id = $1 and id = $2`,
				scope.Tenant, id, askingLife, asJSON([]tenancy.Grants{asked}))
		})
	})
}

// askedLately lists what a client was told within the interval $3.
const askedLately = `case when asked_at > now() - $3::interval then asked else '[]' end`

// WasTold reads whether a client of the scope's member was lately told to ask for exactly
// these permissions.
func WasTold(clientID, resource string, permissions tenancy.PermissionSet, told *bool) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select exists (select from oauth_connections, jsonb_array_elements(`+askedLately+`) asking
			where tenant_id = $1 and member_id = $2 and client_id = $4 and resource = $5 and ended_at is null and asking = $6)`,
			scope.Tenant, scope.Subject, askingLife, clientID, resource, tenancy.Grants{Allow: permissions}).QueryRow(scalar(told))
	}
}

// continued finds the connection whose client has come with a consent: the only one of the
// same client, member and resource that was lately told to ask for what it asks now. Two
// that fit may be two devices, so then there is none.
func (tx *Tx) continued(ctx context.Context, c Consent) (*uuid.UUID, error) {
	if c.Asked == 0 {
		return nil, nil
	}
	var fit []uuid.UUID
	err := tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`select id, `+askedLately+` from oauth_connections where tenant_id = $1 and member_id = $2 and client_id = $4 and resource = $5
			and ended_at is null and expires_at > now()`,
			scope.Tenant, scope.Subject, askingLife, c.ClientID, c.Resource).Query(func(rows pgx.Rows) error {
			var id uuid.UUID
			var told []tenancy.Grants
			_, err := pgx.ForEachRow(rows, []any{&id, &told}, func() error {
				if slices.ContainsFunc(told, func(g tenancy.Grants) bool { return g.Allow&^c.Asked == 0 }) {
					fit = append(fit, id)
				}
				return nil
			})
			return err
		})
	})
	if err != nil || len(fit) != 1 {
		return nil, err
	}
	return &fit[0], nil
}

// endReplaced ends the connection whose place another takes, unless it has ended.
func (tx *Tx) endReplaced(ctx context.Context, c Connection) error {
	if c.Replaces == uuid.Nil {
		return nil
	}
	old := Connection{ID: c.Replaces}
	err := tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`select coalesce(token_id, '00000000-0000-0000-0000-000000000000') from oauth_connections
			where tenant_id = $1 and id = $2 for update`, scope.Tenant, old.ID).
			Query(collectOne(&old.TokenID, func(row pgx.Rows, id *uuid.UUID) error { return row.Scan(id) }))
	})
	if err != nil {
		return err
	}
	return tx.endConnection(ctx, old, EndedReplaced)
}
