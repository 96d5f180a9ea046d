package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/sso"
	"github.com/colaflow/colaflow/tenancy"
)

const providerColumns = `p.id, p.name, p.title, p.protocol, p.enabled, p.ceiling, p.settings, p.created_at, p.updated_at`

func scanProvider(row pgx.Rows, c *sso.Connection) error {
	var settings []byte
	if err := row.Scan(&c.ID, &c.Name, &c.Title, &c.Protocol, &c.Enabled, &c.Ceiling, &settings, &c.CreatedAt, &c.UpdatedAt); err != nil {
		return err
	}
	return json.Unmarshal(settings, &c.Settings)
}

// SSOProviders lists the tenant's connections to identity providers, by name.
func SSOProviders(into *[]sso.Connection) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select `+providerColumns+` from sso_providers p where p.tenant_id = $1 order by p.name`, scope.Tenant).Query(collect(into, scanProvider))
	}
}

// SSOProviderByName reads one connection; without one, into becomes the zero value.
func SSOProviderByName(name string, into *sso.Connection) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select `+providerColumns+` from sso_providers p where p.tenant_id = $1 and p.name = $2`, scope.Tenant, name).Query(collectOne(into, scanProvider))
	}
}

// SSORequired tells whether only owners may sign in without an identity provider.
func SSORequired(into *bool) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select sso_required from tenant_settings where tenant_id = $1`, scope.Tenant).QueryRow(scalar(into))
	}
}

// storedProvider is a connection with its secrets as they are stored.
type storedProvider struct {
	sso.Connection
	sealed string
}

// providerBy reads a connection; without one, into becomes the zero value.
func providerBy(condition, lock string, arg any, into *storedProvider) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select `+providerColumns+`, p.sealed from sso_providers p where p.tenant_id = $1 and `+condition+lock, scope.Tenant, arg).
			Query(collectOne(into, func(row pgx.Rows, p *storedProvider) error {
				var settings []byte
				err := row.Scan(&p.ID, &p.Name, &p.Title, &p.Protocol, &p.Enabled, &p.Ceiling, &settings, &p.CreatedAt, &p.UpdatedAt, &p.sealed)
				if err != nil {
					return err
				}
				return json.Unmarshal(settings, &p.Settings)
			}))
	}
}

// ErrNoProvider is the answer to a connection that is not there, or not this tenant's.
var ErrNoProvider = tenancy.Errorf(tenancy.NotFound, "There is no such connection to an identity provider.").WithNext("See: colaflow sso show")

// SSOParty returns a connection with its secrets, for a sign-in that begins.
func (s *Store) SSOParty(ctx context.Context, tenant tenancy.Tenant, id uuid.UUID) (sso.Party, error) {
	var p storedProvider
	err := s.Read(ctx, AsSystem(tenant.ID, "sso"), func(tx *Tx) error { return tx.Do(ctx, providerBy("p.id = $2", "", id, &p)) })
	if err != nil {
		return sso.Party{}, err
	}
	if p.ID == uuid.Nil {
		return sso.Party{}, ErrNoProvider
	}
	secrets, err := s.openSecrets(tenant.ID, p)
	return sso.Party{Tenant: tenant, Connection: p.Connection, Secrets: secrets}, err
}

// EnabledSSO lists the connections that people may sign in by, for a sign-in page.
func (s *Store) EnabledSSO(ctx context.Context, tenant tenancy.TenantID) (on []sso.Connection, err error) {
	var list []sso.Connection
	err = s.Read(ctx, AsSystem(tenant, "sso"), func(tx *Tx) error { return tx.Do(ctx, SSOProviders(&list)) })
	for _, c := range list {
		if c.Enabled {
			on = append(on, c)
		}
	}
	return on, err
}

func secretsOf(tenant tenancy.TenantID, provider uuid.UUID) []byte {
	return append(append([]byte("provider"), tenant[:]...), provider[:]...)
}

func (s *Store) openSecrets(tenant tenancy.TenantID, p storedProvider) (secrets sso.Secrets, err error) {
	data, err := s.secrets.Open(p.sealed, secretsOf(tenant, p.ID))
	if err == nil {
		err = json.Unmarshal(data, &secrets)
	}
	if err != nil {
		return secrets, fmt.Errorf("secrets of connection %s: %w", p.ID, err)
	}
	return secrets, nil
}

// SaveSSOProvider stores a connection that Connection.Check has passed, under its name:
// a new one, or in place of the one with that name, whose secrets stay where none
// are given. It is not switched on or off by that. Nobody gives roles above their own by
// it, or changes one that somebody above them has set up.
func (s *Store) SaveSSOProvider(ctx context.Context, scope Scope, actor string, c sso.Connection, secrets *sso.Secrets) (sso.Connection, error) {
	var before, after storedProvider
	entry := func() AuditRow {
		row := scope.adminRow(actor, "sso.save", c.Name)
		row.Changes = changesBetween(before.audited(), after.audited())
		return row
	}
	err := s.Write(ctx, scope, entry, func(tx *Tx) error {
		by, err := tx.power(ctx)
		if err != nil {
			return err
		}
		var plan string
		if err := tx.Do(ctx, providerBy("p.name = $2", " for update", c.Name, &before), planName(&plan)); err != nil {
			return err
		}
		if !tenancy.PlanOf(plan).SSO {
			return tenancy.Errorf(tenancy.PlanLimit, "Plan %s has no single sign-on.", plan).WithNext("Choose another plan: colaflow tenant set-plan")
		}
		ceiling, err := by.connect(before.Connection)
		if err != nil {
			return err
		}
		if err := by.give(c.Rules.HighestRole(), 0, by.grants); err != nil {
			return err
		}
		if before.ID != uuid.Nil && before.Protocol != c.Protocol {
			return tenancy.Errorf(tenancy.Conflict, "Connection %q speaks %s.", c.Name, before.Protocol).WithNext("Remove it first, or choose another name.")
		}
		if secrets == nil && c.OIDC != nil && before.OIDC != nil && c.OIDC.Issuer != before.OIDC.Issuer {
			return tenancy.Errorf(tenancy.Missing, "The issuer changes, and the client secret that is stored belongs to the one before.").
				WithNext("Give the client secret again.")
		}
		after = storedProvider{Connection: c, sealed: before.sealed}
		after.ID, after.Enabled, after.CreatedAt = before.ID, before.Enabled, before.CreatedAt
		after.Ceiling, after.UpdatedAt = ceiling, s.clock().UTC()
		if before.ID == uuid.Nil {
			after.ID, after.CreatedAt = c.ID, after.UpdatedAt
		}
		if secrets != nil || before.ID == uuid.Nil {
			if secrets == nil {
				secrets = &sso.Secrets{}
			}
			after.sealed = s.secrets.Seal(asJSON(secrets), secretsOf(scope.Tenant, after.ID))
		}
		return tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`insert into sso_providers as p (tenant_id, id, name, title, protocol, enabled, ceiling, settings, sealed, created_at, updated_at)
				values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
				on conflict (tenant_id, id) do update set title = excluded.title, ceiling = excluded.ceiling, settings = excluded.settings,
				  sealed = excluded.sealed, updated_at = excluded.updated_at`,
				scope.Tenant, after.ID, after.Name, after.Title, after.Protocol, after.Enabled, after.Ceiling, after.Settings.Stored(), after.sealed,
				after.CreatedAt, after.UpdatedAt)
		})
	})
	if err != nil {
		return sso.Connection{}, fmt.Errorf("sso.save: %w", err)
	}
	return after.Connection, nil
}

// SetSSOProvider switches a connection on or off. Sessions that began by it go on.
func (s *Store) SetSSOProvider(ctx context.Context, scope Scope, actor string, id uuid.UUID, enabled bool) (sso.Connection, error) {
	method := "sso.disable"
	if enabled {
		method = "sso.enable"
	}
	return s.changeProvider(ctx, scope, actor, method, id, func(c *sso.Connection) Query {
		c.Enabled, c.UpdatedAt = enabled, s.clock().UTC()
		return func(b *pgx.Batch, scope Scope) {
			b.Queue(`update sso_providers set enabled = $3, updated_at = $4 where tenant_id = $1 and id = $2`, scope.Tenant, id, c.Enabled, c.UpdatedAt)
		}
	})
}

// RemoveSSOProvider removes a connection, its secrets, and who the members are at that
// provider. The members stay.
func (s *Store) RemoveSSOProvider(ctx context.Context, scope Scope, actor string, id uuid.UUID) error {
	_, err := s.changeProvider(ctx, scope, actor, "sso.remove", id, func(c *sso.Connection) Query {
		*c = sso.Connection{}
		return func(b *pgx.Batch, scope Scope) {
			b.Queue(`delete from identities where tenant_id = $1 and provider_id = $2`, scope.Tenant, id)
			b.Queue(`delete from sso_providers where tenant_id = $1 and id = $2`, scope.Tenant, id)
		}
	})
	return err
}

// planName reads the tenant's plan.
func planName(into *string) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select plan from tenants where id = $1`, scope.Tenant).QueryRow(scalar(into))
	}
}

// changeProvider commits a change of a connection together with its audit row.
func (s *Store) changeProvider(ctx context.Context, scope Scope, actor, method string, id uuid.UUID, change func(*sso.Connection) Query) (sso.Connection, error) {
	var before, after storedProvider
	entry := func() AuditRow {
		row := scope.adminRow(actor, method, before.Name)
		row.Changes = changesBetween(before.audited(), after.audited())
		return row
	}
	err := s.Write(ctx, scope, entry, func(tx *Tx) error {
		by, err := tx.power(ctx)
		if err != nil {
			return err
		}
		if err := tx.Do(ctx, providerBy("p.id = $2", " for update", id, &before)); err != nil {
			return err
		}
		if before.ID == uuid.Nil {
			return ErrNoProvider
		}
		if _, err := by.connect(before.Connection); err != nil {
			return err
		}
		after = before
		return tx.Do(ctx, change(&after.Connection))
	})
	if err != nil {
		return sso.Connection{}, fmt.Errorf("%s: %w", method, err)
	}
	return after.Connection, nil
}

// RequireSSO says whether only owners may sign in without an identity provider. It needs
// one that is switched on, and ends the sessions that would not begin any more.
func (s *Store) RequireSSO(ctx context.Context, scope Scope, actor string, required bool) error {
	entry := func() AuditRow {
		row := scope.adminRow(actor, "sso.require", "")
		row.Changes = changesBetween(map[string]bool{}, map[string]bool{"required": required})
		return row
	}
	err := s.Write(ctx, scope, entry, func(tx *Tx) error {
		by, err := tx.power(ctx)
		if err != nil {
			return err
		}
		if _, err := by.connect(sso.Connection{}); err != nil {
			return err
		}
		var list []sso.Connection
		if err := tx.Do(ctx, SSOProviders(&list)); err != nil {
			return err
		}
		on := !required
		for _, c := range list {
			on = on || c.Enabled
		}
		if !on {
			return tenancy.Errorf(tenancy.Conflict, "No connection to an identity provider is switched on.").WithNext("Enable one first.")
		}
		err = tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
			b.Queue(`update tenant_settings set sso_required = $2 where tenant_id = $1`, scope.Tenant, required)
		})
		if err != nil || !required {
			return err
		}
		_, err = tx.endSessions(ctx, endedSSORequired, `provider = $3 and member_id in
			(select m.id from members m where m.tenant_id = $1 and m.role <> $4)`, ByLink, tenancy.RoleOwner)
		return err
	})
	if err != nil {
		return fmt.Errorf("sso.require: %w", err)
	}
	return nil
}

// connect refuses who may not change this connection, and returns the role up to which
// theirs will let people in.
func (p power) connect(c sso.Connection) (tenancy.Role, error) {
	if p.system {
		return tenancy.RoleOwner, nil
	}
	if p.token != uuid.Nil {
		return "", tenancy.Errorf(tenancy.Forbidden, "Tokens may not manage sign-in.").WithNext("Sign in as an admin.")
	}
	if err := p.admin("manage sign-in"); err != nil {
		return "", err
	}
	if c.Ceiling.Exceeds(p.role) {
		return "", tenancy.Errorf(tenancy.Forbidden, "Connection %q was set up by an owner.", c.Name).WithNext("Ask an owner of your tenant.")
	}
	return p.role, nil
}

// audited is what the audit compares of a connection: settings in full, metadata and
// secrets by their digest.
func (p storedProvider) audited() map[string]any {
	if p.ID == uuid.Nil {
		return map[string]any{}
	}
	settings := p.Settings
	if settings.SAML != nil {
		saml := *settings.SAML
		saml.Metadata = digestOf(saml.Metadata)
		settings.SAML = &saml
	}
	return map[string]any{"name": p.Name, "title": p.Title, "protocol": p.Protocol, "enabled": p.Enabled, "ceiling": p.Ceiling, "address": settings.Address,
		"oidc": settings.OIDC, "saml": settings.SAML, "rules": settings.Rules, "secrets": digestOf(p.sealed)}
}

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:8])
}
