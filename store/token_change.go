package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

const maxTokenName = 100

// check refuses settings that cannot be stored, and tidies the name.
func (t *TokenSettings) check() error {
	if t.Name = strings.TrimSpace(t.Name); t.Name == "" || utf8.RuneCountInString(t.Name) > maxTokenName {
		return tenancy.Errorf(tenancy.InvalidValue, "A token needs a name of 1 to %d characters.", maxTokenName)
	}
	return nil
}

// networks is the list as a column that is never null.
func (t TokenSettings) networks() tenancy.Networks { return append(tenancy.Networks{}, t.Networks...) }

// changeToken runs fn on a token whose row it holds, with the token as it was,
// and commits it together with the audit row of what became of it.
func (s *Store) changeToken(ctx context.Context, scope Scope, actor, method string, id uuid.UUID,
	fn func(tx *Tx, before Token, by power) error) (Token, error) {
	var before, after Token
	entry := func() AuditRow {
		row := scope.adminRow(actor, method, id.String())
		row.Changes = changesBetween(before.audited(), after.audited())
		return row
	}
	err := s.Write(ctx, scope, entry, func(tx *Tx) error {
		by, err := tx.power(ctx)
		if err != nil {
			return err
		}
		err = tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`select from tokens where tenant_id = $1 and id = $2 for update`, scope.Tenant, id)
		}, TokenByID(id, &before))
		if err != nil {
			return err
		}
		if before.ID == uuid.Nil {
			return errNoToken(id)
		}
		if err := by.self(id); err != nil {
			return err
		}
		if err := by.manage(before.owner); err != nil {
			return err
		}
		if err := fn(tx, before, by); err != nil {
			return err
		}
		return tx.Do(ctx, TokenByID(id, &after))
	})
	if err != nil {
		return Token{}, fmt.Errorf("%s: %w", method, err)
	}
	return after, nil
}

// auditedToken is what the audit compares of a token.
type auditedToken struct {
	TokenSettings
	State         string     `json:"state"`
	Hint          string     `json:"hint"`
	PreviousUntil *time.Time `json:"previous_until"`
}

func (t Token) audited() auditedToken {
	return auditedToken{t.TokenSettings, t.State, t.Hint, t.PreviousUntil}
}

// changesBetween lists the fields in which two values differ, as the audit keeps
// them: [{"field", "before", "after"}].
func changesBetween(before, after any) json.RawMessage {
	type change struct {
		Field  string          `json:"field"`
		Before json.RawMessage `json:"before,omitempty"`
		After  json.RawMessage `json:"after,omitempty"`
	}
	var a, b map[string]json.RawMessage
	if json.Unmarshal(asJSON(before), &a) != nil || json.Unmarshal(asJSON(after), &b) != nil {
		panic("store: changesBetween compares objects")
	}
	fields := make([]string, 0, len(a)+len(b))
	for field := range a {
		fields = append(fields, field)
	}
	for field := range b {
		fields = append(fields, field)
	}
	slices.Sort(fields)
	list := []change{}
	for _, field := range slices.Compact(fields) {
		if string(a[field]) != string(b[field]) {
			list = append(list, change{field, a[field], b[field]})
		}
	}
	return asJSON(list)
}

// UpdateToken changes a token's settings; edit also gets the database's time. It
// is in force when UpdateToken returns: whatever still acts by the old settings
// is refused at its next transaction.
func (s *Store) UpdateToken(ctx context.Context, scope Scope, actor string, id uuid.UUID,
	edit func(settings *TokenSettings, now time.Time) error) (Token, error) {
	return s.changeToken(ctx, scope, actor, "token.update", id, func(tx *Tx, before Token, by power) error {
		if before.State == TokenRevoked {
			return errTokenEnded
		}
		var now time.Time
		var reached string
		err := tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`select now(), scope from tokens where tenant_id = $1 and id = $2`, scope.Tenant, id).
				QueryRow(func(row pgx.Row) error { return row.Scan(&now, &reached) })
		})
		if err != nil {
			return err
		}
		t := before.TokenSettings
		t.Grants.Projects, t.Networks = slices.Clone(t.Grants.Projects), slices.Clone(t.Networks)
		if err := edit(&t, now); err != nil {
			return err
		}
		if err := t.check(); err != nil {
			return err
		}
		// Nobody widens a token, or makes it live longer, beyond their own power.
		added := t.Grants.Allow &^ t.Grants.Deny &^ (before.Grants.Allow &^ before.Grants.Deny)
		if err := by.give(before.Role, added|t.Grants.Effective(before.Role), t.Grants); err != nil {
			return err
		}
		reach, err := tx.projectScope(ctx, t.Grants, projectsOf(before.Grants, reached))
		if err != nil {
			return err
		}
		ended := t.ExpiresAt != nil && !t.ExpiresAt.After(now)
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`update tokens set name = $3, grants = $4, scope = $5, expires_at = $6, allowed_ips = $7, epoch = epoch + 1
				where tenant_id = $1 and id = $2`, scope.Tenant, id, t.Name, t.Grants, reach, t.ExpiresAt, t.networks())
		}, Notify(tokens.SubjectToken, id, ended))
	})
}

var errTokenEnded = tenancy.Errorf(tenancy.Conflict, "The token is revoked, and stays so.").WithNext("Create a new token.")
