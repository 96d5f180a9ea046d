package main

import (
	"context"

	"github.com/colaflow/colaflow/tenancy"
)

// applications returns the tenants' Applications over a database. The issuer is
// the public URL of the servers that shall accept what they sign; nil meters count
// nothing.
func (p *program) applications(db *database, issuer string, meters *tenancy.Meters) *tenancy.Applications {
	return tenancy.NewApplications(tenancy.AppsConfig{
		Ports: tenancy.Ports{Keys: db.Store, Nonces: db.Store, Pages: db.Store}, Key: db.key, Issuer: issuer,
		Lookup: db.TenantByID, Meters: meters, Clock: p.clock,
	})
}

// withApplication runs fn with one tenant's Application.
func (p *program) withApplication(db *database, t tenancy.Tenant, issuer string, fn func(*tenancy.Application) error) error {
	apps := p.applications(db, issuer, nil)
	defer func() { _ = apps.Close(context.Background()) }() // nobody uses them any more
	app, release, err := apps.Use(t)
	if err != nil {
		return err
	}
	defer release()
	return fn(app)
}
