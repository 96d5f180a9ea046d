package store

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
)

// exportedTable is a table whose rows travel in an export.
type exportedTable struct {
	name    string
	columns string // in the order of the file
	order   string // of the rows, among those of a tenant; text by its bytes
	// stays holds the columns that do not travel, and why. Generated columns and
	// tenant_id need no word.
	stays map[string]string
	// readOnly tables travel for people to read; an import leaves them out.
	readOnly bool
	makes    string   // columns that an import makes, with
	made     makeRow  // what it makes of them
	texts    []string // columns that count for the plan
	check    checkRow // refuses what the rest of the program relies on never being so
}

// exportedTables is everything that travels, in the order in which it is imported:
// a table comes after those that it refers to.
var exportedTables = []exportedTable{
	{name: "tenant_settings", columns: "max_pages page_life page_token_life page_space memory updated_at",
		stays: map[string]string{"name": "is in the manifest", "sso_required": "of providers that are set up anew"},
		makes: "name", made: func(im *importer, _ value) []any { return []any{im.tenant.Name} }},
	{name: "members", columns: "id handle email name role state created_at", order: "id",
		stays: map[string]string{"epoch": "counts the revocations of sessions, which stay"}, check: checkMember},
	// Names only, because the history of issues refers to them.
	{name: "tokens", columns: "id name member_id role created_by created_at", order: "id", stays: map[string]string{
		"hash": "secret", "hint": "part of the secret", "previous_hash": "secret", "previous_until": "goes with it",
		"grants": "an imported token can do nothing", "scope": "as grants", "allowed_ips": "as grants", "epoch": "as grants",
		"expires_at": "an imported token has ended", "revoked_at": "as expires_at", "rotated_at": "as expires_at", "removed_at": "as expires_at", "ended_why": "as expires_at"},
		makes: "hint grants scope revoked_at removed_at", made: func(im *importer, _ value) []any { return []any{"", "{}", "none", im.now, im.now} }},
	{name: "projects", columns: `id key name description state lead_id template timezone working_days workflow issue_types next_number
		version external_source created_at updated_at`, order: "id", check: checkProject, stays: map[string]string{
		"tx": "counts this server's transactions", "field_versions": "explain conflicts of writes that are under way"}},
	{name: "sprints", columns: "id project_id name goal state starts_on ends_on started_at completed_at version created_at", order: "id",
		stays: map[string]string{"tx": "counts this server's transactions", "field_versions": "as those of projects"}},
	{name: "issues", columns: `id project_id number title description type status category priority assignee_id reporter_id points sprint_id
		parent_id due_date version external_source external_id created_at updated_at started_at completed_at`, order: "id", texts: []string{"title", "description"}},
	{name: "issue_labels", columns: "project_id issue_id label", order: `issue_id, label collate "C"`,
		stays: map[string]string{"folded": "follows from label"},
		makes: "folded", made: func(_ *importer, v value) []any { return []any{strings.ToLower(v.text("label"))} }},
	{name: "issue_links", columns: "project_id from_id relation to_project_id to_id created_at", order: `from_id, relation collate "C", to_id`},
	{name: "comments", columns: "id project_id issue_id author_id token_id body reply_to external_id created_at", order: "id", texts: []string{"body"}},
	{name: "worklogs", columns: "id project_id issue_id author_id token_id minutes started_on comment created_at", order: "id", texts: []string{"comment"}},
	{name: "attachments", columns: "id project_id issue_id author_id token_id name type size sha256 content created_at", order: "id"},
	{name: "issue_events", columns: "id project_id issue_id change_id kind field before after actor_id token_id at", order: "id",
		stays: map[string]string{"tx": "counts this server's transactions"}},
	{name: "sprint_snapshots", columns: "project_id sprint_id moment at items", order: `sprint_id, moment collate "C"`, check: checkSnapshot},
	{name: "audit_log", columns: `id written_at at kind member_id actor token_id token_name client method tool decision rule target project_id
		args_digest args changes request_id client_ip duration_us code bytes repeats`, order: "written_at, id", readOnly: true,
		stays: map[string]string{"mac": "binds the row to this tenant and this server's key"}},
}

// stayingTables are the tables that do not travel, and why.
var stayingTables = map[string]string{
	"audit_checkpoints": "bind the audit log to this tenant and this server's key",
	"deletions":         "tell open streams of this server what is gone, and keep its keys from tokens, which stay",
	"identities":        "of providers that are set up anew",
	"idempotency_keys":  "answers for clients whose tokens stay, for a day",
	"issue_timelines":   "follow from the events",
	"oauth_connections": "secrets of connected clients, which connect anew",
	"pages":             "rendered reports that live for hours; their links are signed here",
	"sessions":          "people sign in anew",
	"signing_keys":      "secrets; the new tenant makes its own",
	"spent_nonces":      "of links that are signed here",
	"sso_providers":     "secrets, and addresses that are of this server",
	"sso_replay":        "of sign-ins that are under way",
	"tenant_usage":      "is counted anew",
	"token_usage":       "of tokens that end with the move; the audit log tells the same",
}

// list returns the columns of the file.
func (e exportedTable) list() []string { return strings.Fields(e.columns) }

// tableColumn is a column of a tenant's table, as the database has it.
type tableColumn struct {
	table, name, kind, refers string // refers: the table whose id it holds, if any
}

// catalogue is what the database says of the tables of tenants.
type catalogue []tableColumn

// readCatalogue reads the columns of every table of tenants, but generated ones and
// tenant_id. Partitions are part of their table.
func readCatalogue(into *catalogue) Query {
	return func(b *pgx.Batch, _ Scope) {
		b.Queue(`select c.relname, a.attname, format_type(a.atttypid, null), coalesce((
			  select f.relname from pg_constraint k join pg_class f on f.oid = k.confrelid
			  where k.contype = 'f' and k.conrelid = c.oid and a.attnum = any(k.conkey) limit 1), '')
			from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
			where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
			  and a.attname <> 'tenant_id' and a.attgenerated = ''
			  and exists (select from pg_attribute t where t.attrelid = c.oid and t.attname = 'tenant_id' and not t.attisdropped)
			order by c.relname, a.attnum`).
			Query(collect((*[]tableColumn)(into), func(row pgx.Rows, c *tableColumn) error { return row.Scan(&c.table, &c.name, &c.kind, &c.refers) }))
	}
}

// unknown lists the tables and columns about which nobody has decided whether they
// travel, and those that were decided about and are gone.
func (c catalogue) unknown() (list []string) {
	decided := map[string]bool{}
	for table := range stayingTables {
		decided[table] = true
	}
	for _, e := range exportedTables {
		for _, column := range e.list() {
			decided[e.name+"."+column] = true
		}
		for column := range e.stays {
			decided[e.name+"."+column] = true
		}
	}
	seen := map[string]bool{}
	for _, column := range c {
		name := column.table + "." + column.name
		if _, stays := stayingTables[column.table]; stays {
			name = column.table
		}
		if seen[name] = true; !decided[name] {
			list = append(list, name)
		}
	}
	for name := range decided {
		if !seen[name] {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// checkCatalogue fails on a schema that has more or less than this release knows:
// then something would be left behind in silence.
func (tx *Tx) checkCatalogue(ctx context.Context) (c catalogue, err error) {
	if err = tx.Do(ctx, readCatalogue(&c)); err != nil {
		return nil, err
	}
	if unknown := c.unknown(); len(unknown) > 0 {
		return nil, tenancy.Errorf(tenancy.Unavailable, "The database has tables or columns that this release cannot move: %s.", strings.Join(unknown, ", ")).
			WithNext("Use the release of colaflow that migrated the database.")
	}
	return c, nil
}
