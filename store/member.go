package store

import (
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
)

const memberColumns = `m.id, m.handle, coalesce(m.email, ''), m.name, m.role, m.state, m.created_at`

// MembersByName finds the members whose e-mail, handle or name equals one of
// the given, ignoring case. An ambiguous name yields several.
func MembersByName(names []string, into *[]tenancy.Member) Query {
	return func(b *pgx.Batch, scope Scope) {
		lower := make([]string, len(names))
		for i, n := range names {
			lower[i] = strings.ToLower(n)
		}
		b.Queue(`select `+memberColumns+` from members m
			where m.tenant_id = $1 and (m.email = any($2) or m.handle = any($2) or fold(m.name) = any($2))
			order by m.handle limit 200`, scope.Tenant, lower).Query(collect(into, scanMember))
	}
}

// PickMember picks whom a name means of those that MembersByName found: an e-mail goes
// before a handle, and both before display names, which anybody may give themselves.
func PickMember(name string, found []tenancy.Member) (tenancy.Member, error) {
	name = strings.ToLower(name)
	for _, called := range []func(tenancy.Member) string{
		func(m tenancy.Member) string { return m.Email },
		func(m tenancy.Member) string { return m.Handle },
		func(m tenancy.Member) string { return strings.ToLower(m.Name) },
	} {
		var matches []tenancy.Member
		for _, m := range found {
			if called(m) == name {
				matches = append(matches, m)
			}
		}
		switch len(matches) {
		case 0:
		case 1:
			return matches[0], nil
		default:
			return tenancy.Member{}, tenancy.Errorf(tenancy.Ambiguous, "%q matches %d members.", shortName(name), len(matches)).WithNext("Pass the e-mail.")
		}
	}
	return tenancy.Member{}, tenancy.Errorf(tenancy.NotFound, "Nobody here is called %q.", shortName(name))
}

// shortName is as much of a name as a message needs.
func shortName(name string) string {
	if runes := []rune(name); len(runes) > 60 {
		return string(runes[:59]) + "…"
	}
	return name
}

// MemberByID returns one member; into stays as it was if there is none.
func MemberByID(id uuid.UUID, into *tenancy.Member) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select `+memberColumns+` from members m where m.tenant_id = $1 and m.id = $2`, scope.Tenant, id).
			Query(collectOne(into, scanMember))
	}
}

// Members lists the members of the tenant whose handle, e-mail or name begins
// with prefix, people who may act first.
func Members(prefix string, limit int, into *[]tenancy.Member) Query {
	return listMembers(prefix, limit, false, into)
}

// MembersAndFormer lists like Members, and those too whose access has ended.
func MembersAndFormer(prefix string, limit int, into *[]tenancy.Member) Query {
	return listMembers(prefix, limit, true, into)
}

// MembersPage lists everybody of the tenant by handle, from the one that follows after,
// whose handle, e-mail or name begins with prefix, and counts all of those.
func MembersPage(prefix, after string, limit int, into *[]tenancy.Member, total *int) Query {
	return func(b *pgx.Batch, scope Scope) {
		const match = `m.tenant_id = $1
			and ($2 = '' or starts_with(m.handle, $2) or starts_with(coalesce(m.email, ''), $2) or starts_with(fold(m.name), $2))`
		prefix := strings.ToLower(prefix)
		b.Queue(`select count(*) from members m where `+match, scope.Tenant, prefix).QueryRow(scalar(total))
		b.Queue(`select `+memberColumns+` from members m where `+match+` and m.handle collate "C" > $3 order by m.handle collate "C" limit $4`,
			scope.Tenant, prefix, after, limit).Query(collect(into, scanMember))
	}
}

func listMembers(prefix string, limit int, former bool, into *[]tenancy.Member) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`select `+memberColumns+` from members m
			where m.tenant_id = $1 and ($4 or m.state <> 'disabled')
			  and ($2 = '' or starts_with(m.handle, $2) or starts_with(coalesce(m.email, ''), $2) or starts_with(fold(m.name), $2))
			order by m.state = 'active' desc, m.handle limit $3`, scope.Tenant, strings.ToLower(prefix), limit, former).
			Query(collect(into, scanMember))
	}
}

// InsertMembers adds people. Handles and e-mails must be lower-case and unique.
func InsertMembers(members []tenancy.Member) Query {
	return func(b *pgx.Batch, scope Scope) {
		counts := slices.ContainsFunc(members, tenancy.Member.TakesPlace)
		if counts {
			holdQuota(tenancy.QuotaMembers)(b, scope)
		}
		for _, m := range members {
			b.Queue(`insert into members (tenant_id, id, handle, email, name, role, state, created_at)
				values ($1, $2, $3, nullif($4, ''), $5, $6, $7, $8)`,
				scope.Tenant, m.ID, m.Handle, m.Email, m.Name, m.Role, m.State, m.CreatedAt)
		}
		if counts {
			withinPlan(tenancy.QuotaMembers, 0)(b, scope)
		}
	}
}

func scanMember(row pgx.Rows, m *tenancy.Member) error {
	return row.Scan(&m.ID, &m.Handle, &m.Email, &m.Name, &m.Role, &m.State, &m.CreatedAt)
}
