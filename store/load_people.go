package store

import (
	"cmp"
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker/dataset"
)

// loadPeople finds the people of the dataset among the members; the others
// become members who cannot sign in until invited.
func (l *loader) loadPeople(ctx context.Context) error {
	known, err := l.membersLike(ctx, l.data.People)
	if err != nil {
		return err
	}
	var added []tenancy.Member
	for _, p := range l.data.People {
		m, found := known.find(p)
		if found {
			l.report.People.Present++
			if m.State != tenancy.MemberImported && p.State == "" {
				l.report.Notes.Add(p.Handle+" is "+m.Label(), "People of the source were taken for members of the same name or e-mail.")
			}
		} else {
			m = known.add(tenancy.Member{ID: tenancy.NewID(), Handle: p.Handle, Email: strings.ToLower(p.Email), Name: p.Name,
				Role: cmp.Or(p.Role, tenancy.RoleMember), State: cmp.Or(p.State, tenancy.MemberImported), CreatedAt: l.now})
			l.report.People.Added++
			added = append(added, m)
		}
		l.members[p.Handle] = m
	}
	return l.tx.Do(ctx, InsertMembers(added))
}

// membersLike reads the members that have a handle or e-mail of these people.
func (l *loader) membersLike(ctx context.Context, people []dataset.Person) (roster, error) {
	var handles, emails []string
	for _, p := range people {
		handles = append(handles, p.Handle)
		if p.Email != "" {
			emails = append(emails, strings.ToLower(p.Email))
		}
	}
	var present []tenancy.Member
	err := l.tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`select `+memberColumns+` from members m where m.tenant_id = $1 and (m.handle = any($2) or m.email = any($3))`,
			scope.Tenant, handles, emails).Query(collect(&present, scanMember))
	})
	known := roster{byHandle: map[string]tenancy.Member{}, byEmail: map[string]tenancy.Member{}}
	for _, m := range present {
		known.add(m)
	}
	return known, err
}

// roster finds members by what a source calls them.
type roster struct{ byHandle, byEmail map[string]tenancy.Member }

// find is the member with the person's e-mail, else the one with their handle
// unless both have an e-mail, which then is another.
func (r roster) find(p dataset.Person) (tenancy.Member, bool) {
	if m, found := r.byEmail[strings.ToLower(p.Email)]; found {
		return m, true
	}
	m, found := r.byHandle[p.Handle]
	return m, found && (p.Email == "" || m.Email == "")
}

// add puts a member on the roster. One whose handle somebody else has gets their
// e-mail as a handle.
func (r roster) add(m tenancy.Member) tenancy.Member {
	if other, taken := r.byHandle[m.Handle]; taken && other.ID != m.ID {
		m.Handle = m.Email
	}
	r.byHandle[m.Handle] = m
	if m.Email != "" {
		r.byEmail[m.Email] = m
	}
	return m
}
