package main

import (
	"context"
	"fmt"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker/demo"
)

// demoPlan has limits that nobody meets by hand.
const demoPlan = "enterprise"

// seed makes the demo companies that are not there yet. A project is loaded whole
// or not at all, so that a start that was killed halfway is finished by the next.
func (p *program) seed(ctx context.Context, db *database) ([]demoTenant, error) {
	var tenants []demoTenant
	for _, company := range demo.Tenants(p.clock()) {
		tenant, err := p.seedCompany(ctx, db, company)
		if err != nil {
			return nil, fmt.Errorf("make demo company %s: %w", company.Slug, err)
		}
		size, err := db.TenantSize(ctx, tenant.ID)
		if err != nil {
			return nil, err
		}
		shown := demoTenant{Slug: tenant.Slug, name: company.Name, owner: company.Owner, issues: size.Issues}
		for _, d := range company.Datasets {
			shown.projects = append(shown.projects, d.Project.Key)
		}
		tenants = append(tenants, shown)
	}
	return tenants, nil
}

func (p *program) seedCompany(ctx context.Context, db *database, company demo.Tenant) (tenancy.Tenant, error) {
	tenant, err := db.Tenant(ctx, company.Slug)
	if tenancy.CodeOf(err) == tenancy.NotFound {
		tenant, err = p.createCompany(ctx, db, company)
	}
	if err != nil {
		return tenant, err
	}
	var keys, present []string
	for _, d := range company.Datasets {
		keys = append(keys, d.Project.Key)
	}
	scope := store.AsSystem(tenant.ID, actor())
	err = db.Read(ctx, scope, func(tx *store.Tx) error { return tx.Do(ctx, store.ExistingProjects(keys, &present)) })
	if err != nil {
		return tenant, err
	}
	there := map[string]bool{}
	for _, key := range present {
		there[key] = true
	}
	for _, d := range company.Datasets {
		if there[d.Project.Key] {
			continue
		}
		if _, err := db.LoadDataset(ctx, scope, d, store.LoadOptions{}); err != nil {
			return tenant, fmt.Errorf("load project %s: %w", d.Project.Key, err)
		}
	}
	return tenant, nil
}

func (p *program) createCompany(ctx context.Context, db *database, company demo.Tenant) (tenancy.Tenant, error) {
	var members []tenancy.Member
	for _, person := range company.People {
		m, err := tenancy.NewMember(person.Email, person.Name, person.Role, p.clock())
		if err != nil {
			return tenancy.Tenant{}, err
		}
		members = append(members, m)
	}
	if _, err := db.CreateTenant(ctx, company.Slug, company.Name, actor(), members...); err != nil {
		return tenancy.Tenant{}, err
	}
	return db.SetPlan(ctx, company.Slug, actor(), demoPlan)
}
