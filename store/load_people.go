package store

import (
	"cmp"
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
)

// loadPeople finds the people of the dataset among the members, by e-mail, then
// by handle; the others become members who cannot sign in until invited.
func (l *loader) loadPeople(ctx context.Context) error {
	handles, emails := make([]string, len(l.data.People)), make([]string, 0, len(l.data.People))
	for n, p := range l.data.People {
		handles[n] = p.Handle
		if p.Email != "" {
			emails = append(emails, strings.ToLower(p.Email))
		}
	}
	var present []tenancy.Member
	err := l.tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`select `+memberColumns+` from members m where m.tenant_id = $1 and (m.handle = any($2) or m.email = any($3))`,
			scope.Tenant, handles, emails).Query(collect(&present, scanMember))
	})
	if err != nil {
		return err
	}
	byHandle, byEmail := map[string]tenancy.Member{}, map[string]tenancy.Member{}
	for _, m := range present {
		byHandle[m.Handle] = m
		if m.Email != "" {
			byEmail[m.Email] = m
		}
	}
	var added []tenancy.Member
	for _, p := range l.data.People {
		email := strings.ToLower(p.Email)
		m, known := byEmail[email]
		if !known {
			m, known = byHandle[p.Handle]
		}
		if known {
			l.report.People.Present++
			if m.State != tenancy.MemberImported && p.State == "" {
				l.report.Notes.Add(p.Handle+" is "+m.Label(), "People of the source were taken for members of the same name or e-mail.")
			}
		} else {
			m = tenancy.Member{ID: tenancy.NewID(), Handle: p.Handle, Email: email, Name: p.Name, CreatedAt: l.now,
				Role: cmp.Or(p.Role, tenancy.RoleMember), State: cmp.Or(p.State, tenancy.MemberImported)}
			l.report.People.Added++
			added = append(added, m)
			byHandle[m.Handle] = m
			if email != "" {
				byEmail[email] = m
			}
		}
		l.members[p.Handle] = m
	}
	return l.tx.Do(ctx, InsertMembers(added))
}
