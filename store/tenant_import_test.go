package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/export"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// row is a row of an export that a test changes.
type row map[string]any

// tables are the rows of an export; a table's columns are those of its first row.
type tables map[string][]row

// opened takes an export apart.
func opened(t *testing.T, file []byte) (export.Manifest, tables) {
	t.Helper()
	r, err := export.Open(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	all := tables{}
	for _, f := range r.Manifest.Files {
		all[f.Table] = []row{}
		for _, line := range strings.Split(strings.TrimSuffix(contents(t, file)[f.Name()], "\n"), "\n") {
			if line != "" {
				var v row
				require.NoError(t, json.Unmarshal([]byte(line), &v))
				all[f.Table] = append(all[f.Table], v)
			}
		}
	}
	return r.Manifest, all
}

// closed makes a file of changed rows that is whole in itself: only its contents
// are what no export holds.
func closed(t *testing.T, m export.Manifest, all tables) []byte {
	t.Helper()
	var file bytes.Buffer
	w := export.NewWriter(&file, storetest.Now)
	for _, f := range m.Files {
		require.NoError(t, w.Table(f.Table, f.Columns))
		for _, r := range all[f.Table] {
			line, err := json.Marshal(r)
			require.NoError(t, err)
			require.NoError(t, w.Row(line))
		}
	}
	_, _, err := w.Close(m)
	require.NoError(t, err)
	return file.Bytes()
}

// TestImport_Refuses changes one thing of a good export at a time. Each change is
// found, and nothing stays of the import.
func TestImport_Refuses(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme, other := fill(t, db, "acme"), fill(t, db, "beta")
	threads(t, db.Admin(t), acme)
	_, err := db.Admin(t).Exec(t.Context(), `update issues set parent_id = null where title in ('Hen', 'Egg')`)
	require.NoError(t, err)
	file := exported(t, db, "acme")
	_, theirs := opened(t, exported(t, db, "beta"))
	const stranger = "019d0000-0000-7000-8000-0000000000ff"
	byTitle := func(all tables, title string) row {
		for _, r := range all["issues"] {
			if r["title"] == title {
				return r
			}
		}
		require.Fail(t, "no such issue", title)
		return nil
	}
	column := func(m *export.Manifest, table string, with func([]string) []string) {
		for n := range m.Files {
			if m.Files[n].Table == table {
				m.Files[n].Columns = with(m.Files[n].Columns)
			}
		}
	}
	for name, c := range map[string]struct {
		change func(*export.Manifest, tables)
		want   string
	}{
		"NewerSchema": {func(m *export.Manifest, _ tables) { m.Schema = store.LatestVersion() + 1 }, "comes from a newer release"},
		"UnknownTable": {func(m *export.Manifest, _ tables) {
			m.Files = append(m.Files, export.File{Table: "wishes", Columns: []string{"id"}})
		}, "the table wishes, which this release does not know"},
		"SecretTable": {func(m *export.Manifest, _ tables) {
			m.Files = append(m.Files, export.File{Table: "signing_keys", Columns: []string{"id"}})
		}, "the table signing_keys, which this release does not know"},
		"OthersTable": {func(m *export.Manifest, _ tables) {
			m.Files = append(m.Files, export.File{Table: "tenants", Columns: []string{"id"}})
		}, "the table tenants, which"},
		"TenantID": {func(m *export.Manifest, all tables) {
			column(m, "members", func(c []string) []string { return append(c, "tenant_id") })
			for _, r := range all["members"] {
				r["tenant_id"] = other.ID.String()
			}
		}, "the column tenant_id of members, which this release does not import"},
		"TokenHash": {func(m *export.Manifest, all tables) {
			column(m, "tokens", func(c []string) []string { return append(c, "hash") })
			for _, r := range all["tokens"] {
				r["hash"] = `\x00`
			}
		}, "the column hash of tokens, which this release does not import"},
		"Generated": {func(m *export.Manifest, all tables) {
			column(m, "issues", func(c []string) []string { return append(c, "open") })
			for _, r := range all["issues"] {
				r["open"] = true
			}
		}, "the column open of issues"},
		"NoColumn": {func(m *export.Manifest, all tables) {
			column(m, "members", func(c []string) []string { return c[1:] })
			for _, r := range all["members"] {
				delete(r, "id")
			}
		}, "members.jsonl, line 1: the database refuses it, or one of the 1 rows that go with it (SQLSTATE 23502)"},
		"NotAnID":       {func(_ *export.Manifest, all tables) { all["issues"][1]["id"] = "1 or true" }, "issues.jsonl, line 2: id is not an id"},
		"NumberAsID":    {func(_ *export.Manifest, all tables) { all["issues"][1]["project_id"] = 7 }, "issues.jsonl, line 2: project_id is not an id"},
		"NoSuchMember":  {func(_ *export.Manifest, all tables) { all["issues"][0]["reporter_id"] = stranger }, "issues.jsonl, line 1: reporter_id refers to a row of members that the file does not have"},
		"OthersMember":  {func(_ *export.Manifest, all tables) { all["issues"][0]["assignee_id"] = other.Ada.ID.String() }, "assignee_id refers to a row of members"},
		"OthersIssue":   {func(_ *export.Manifest, all tables) { all["comments"][2]["issue_id"] = theirs["issues"][0]["id"] }, "comments.jsonl, line 3: issue_id refers to a row of issues"},
		"OthersProject": {func(_ *export.Manifest, all tables) { all["sprints"][0]["project_id"] = other.web.ID.String() }, "sprints.jsonl, line 1: project_id refers to a row of projects"},
		"NoSuchParent":  {func(_ *export.Manifest, all tables) { byTitle(all, "Child")["parent_id"] = stranger }, "it is under a row that the file does not have, or under itself"},
		"OwnParent":     {func(_ *export.Manifest, all tables) { r := byTitle(all, "Child"); r["parent_id"] = r["id"] }, "or under itself"},
		"Circle": {func(_ *export.Manifest, all tables) {
			hen, egg := byTitle(all, "Hen"), byTitle(all, "Egg")
			hen["parent_id"], egg["parent_id"] = egg["id"], hen["id"]
		}, "or under itself"},
		"NoSuchReply":  {func(_ *export.Manifest, all tables) { all["comments"][3]["reply_to"] = stranger }, "comments.jsonl, line 4: it is under a row that the file does not have"},
		"SameIDTwice":  {func(_ *export.Manifest, all tables) { all["members"][1]["id"] = all["members"][0]["id"] }, "members.jsonl, line 1: the database refuses it, or one of the 1 rows that go with it (SQLSTATE 23505)"},
		"SameHandle":   {func(_ *export.Manifest, all tables) { all["members"][1]["handle"] = all["members"][0]["handle"] }, "SQLSTATE 23505"},
		"NoHandle":     {func(_ *export.Manifest, all tables) { all["members"][1]["handle"] = "" }, "members.jsonl, line 2: handle is empty"},
		"BigHandle":    {func(_ *export.Manifest, all tables) { all["members"][1]["handle"] = "BEN" }, "members.jsonl, line 2: handle is empty or not in lower case"},
		"NoAddress":    {func(_ *export.Manifest, all tables) { all["members"][1]["email"] = "ben" }, "email is not an address"},
		"UnknownRole":  {func(_ *export.Manifest, all tables) { all["members"][1]["role"] = "root" }, "SQLSTATE 23514"},
		"NullName":     {func(_ *export.Manifest, all tables) { all["members"][1]["name"] = nil }, "SQLSTATE 23502"},
		"ObjectAsText": {func(_ *export.Manifest, all tables) { all["members"][1]["name"] = row{"a": 1} }, "members.jsonl, line 2: name holds an object or a list"},
		"ListAsText":   {func(_ *export.Manifest, all tables) { all["issues"][0]["title"] = []int{1} }, "title holds an object or a list"},
		"NUL":          {func(_ *export.Manifest, all tables) { all["issues"][0]["title"] = "a\x00b" }, "issues.jsonl, line 1: title holds the character NUL"},
		"NULInJSON":    {func(_ *export.Manifest, all tables) { all["issue_events"][0]["after"] = "a\x00b" }, "issue_events.jsonl, line 1: the database refuses it"},
		"NotATime": {func(_ *export.Manifest, all tables) {
			all["issues"][0]["created_at"] = "yesterday'; drop table issues; --"
		}, "SQLSTATE 22007"},
		"HugeNumber":   {func(_ *export.Manifest, all tables) { all["issues"][0]["number"] = 1e10 }, "SQLSTATE 22"},
		"NumberZero":   {func(_ *export.Manifest, all tables) { all["issues"][0]["number"] = 0 }, "projects.jsonl holds projects whose next number is taken"},
		"NumberTaken":  {func(_ *export.Manifest, all tables) { all["projects"][0]["next_number"] = 2 }, "projects.jsonl holds projects whose next number is taken"},
		"ProjectKey":   {func(_ *export.Manifest, all tables) { all["projects"][0]["key"] = "web" }, "projects.jsonl, line 1: key is not the key of a project"},
		"Timezone":     {func(_ *export.Manifest, all tables) { all["projects"][0]["timezone"] = "../../etc/passwd" }, "timezone is not known"},
		"NoTypes":      {func(_ *export.Manifest, all tables) { all["projects"][0]["issue_types"] = []string{} }, "issue_types is not a list of names"},
		"TypesAreText": {func(_ *export.Manifest, all tables) { all["projects"][0]["issue_types"] = "Bug" }, "issue_types is not a list of names"},
		"NoStatuses":   {func(_ *export.Manifest, all tables) { all["projects"][0]["workflow"] = row{} }, "workflow has no statuses"},
		"OddCategory": {func(_ *export.Manifest, all tables) {
			all["projects"][0]["workflow"] = tracker.Workflow{Statuses: []tracker.Status{{Name: "x", Category: "odd"}}}
		}, "workflow has a status without a name"},
		"LabelElsewhere": {func(_ *export.Manifest, all tables) {
			all["issue_labels"][0]["project_id"] = all["issue_labels"][1]["project_id"]
		}, "issue_labels.jsonl holds labels of another project than that of their issue"},
		"EventElsewhere": {func(_ *export.Manifest, all tables) {
			all["issue_events"][0]["project_id"] = acme.api.ID.String()
		}, "issue_events.jsonl holds events of another project"},
		"CommentElsewhere": {func(_ *export.Manifest, all tables) {
			all["comments"][0]["project_id"] = acme.api.ID.String()
		}, "comments.jsonl holds comments of another project"},
		"WorkElsewhere": {func(_ *export.Manifest, all tables) {
			all["worklogs"][0]["project_id"] = all["worklogs"][1]["project_id"]
		}, "worklogs.jsonl holds work on another project"},
		"WorkOfNone": {func(_ *export.Manifest, all tables) { all["worklogs"][0]["minutes"] = 0 }, "worklogs.jsonl, line 1: the database refuses it"},
		"FileElsewhere": {func(_ *export.Manifest, all tables) {
			all["attachments"][0]["project_id"] = all["attachments"][1]["project_id"]
		}, "attachments.jsonl holds files of another project than that of their issue"},
		"FileChanged": {func(_ *export.Manifest, all tables) {
			contents := []byte(all["attachments"][0]["content"].(string))
			contents[len(contents)-1] ^= 1
			all["attachments"][0]["content"] = string(contents)
		}, "attachments.jsonl holds files whose contents are not what their checksums say"},
		"FileOfOtherSize": {func(_ *export.Manifest, all tables) { all["attachments"][0]["size"] = 1 }, "attachments.jsonl, line 1: the database refuses it"},
		"FileIsText":      {func(_ *export.Manifest, all tables) { all["attachments"][0]["content"] = `\xzz` }, "attachments.jsonl, line 1: the database refuses it"},
		"ReplyElsewhere":  {func(_ *export.Manifest, all tables) { all["comments"][3]["reply_to"] = all["comments"][0]["id"] }, "comments.jsonl holds answers to comments of another issue"},
		"LinkElsewhere":   {func(_ *export.Manifest, all tables) { all["issue_links"][0]["to_project_id"] = stranger }, "issue_links.jsonl holds links of other projects"},
		"SprintElsewhere": {func(_ *export.Manifest, all tables) {
			for _, s := range all["sprints"] {
				if s["project_id"] == acme.api.ID.String() {
					byTitle(all, "Child")["sprint_id"] = s["id"]
				}
			}
		}, "issues.jsonl holds issues in a sprint of another project"},
		"ParentElsewhere": {func(_ *export.Manifest, all tables) {
			for _, i := range all["issues"] {
				if i["project_id"] == acme.api.ID.String() {
					byTitle(all, "Child")["parent_id"] = i["id"]
				}
			}
		}, "issues.jsonl holds issues under a parent of another project"},
		"NoDays":       {func(_ *export.Manifest, all tables) { all["projects"][0]["working_days"] = []string{} }, "working_days is not a list of weekdays"},
		"OddDay":       {func(_ *export.Manifest, all tables) { all["projects"][0]["working_days"] = []string{"day"} }, "working_days is not a list of weekdays"},
		"ScopeIsList":  {func(_ *export.Manifest, all tables) { all["sprint_snapshots"][0]["items"] = []string{} }, "items is not the scope of a sprint"},
		"ScopeOfWords": {func(_ *export.Manifest, all tables) { all["sprint_snapshots"][0]["items"] = row{"WEB-1": row{}} }, "items is not the scope of a sprint"},
		"ScopeOddState": {func(_ *export.Manifest, all tables) {
			all["sprint_snapshots"][0]["items"] = row{stranger: row{"category": "odd", "type": "Bug"}}
		}, "items holds an issue without a known category"},
		"ScopeElsewhere": {func(_ *export.Manifest, all tables) {
			all["sprint_snapshots"][0]["project_id"] = all["sprint_snapshots"][1]["project_id"]
		}, "sprint_snapshots.jsonl holds scopes of sprints of another project"},
		"NoSettings": {func(_ *export.Manifest, all tables) { all["tenant_settings"] = nil }, "tenant_settings.jsonl does not hold one row"},
	} {
		t.Run(name, func(t *testing.T) {
			m, all := opened(t, file)
			c.change(&m, all)
			_, err := tryImport(t, db, closed(t, m, all), store.ImportOptions{Slug: "copy"})
			require.ErrorContains(t, err, c.want)
			require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err))
			_, err = db.AnyTenant(t.Context(), "copy")
			require.Equal(t, tenancy.NotFound, tenancy.CodeOf(err), "nothing stays")
		})
	}
	// What was changed and is good is imported, in spite of all that failed before.
	m, all := opened(t, file)
	byTitle(all, "Hen")["title"] = "Rooster"
	byTitle(all, "Child")["points"] = 0.1
	imported(t, db, closed(t, m, all), "copy")
	require.Contains(t, contents(t, exported(t, db, "copy"))["issues.jsonl"], `"Rooster"`)
}

// TestImport_OlderSchema leaves out columns and tables that a file of old did not
// have: they get what a migration gave the rows that were there.
func TestImport_OlderSchema(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	fill(t, db, "acme")
	m, all := opened(t, exported(t, db, "acme"))
	m.Schema = 3
	for n, f := range m.Files {
		if f.Table == "projects" {
			for _, r := range all["projects"] {
				delete(r, "description")
				delete(r, "version")
				delete(r, "working_days")
			}
			m.Files[n].Columns = strings.Fields("created_at id key name state lead_id template timezone workflow issue_types next_number updated_at external_source")
		}
	}
	m.Files = slices.DeleteFunc(m.Files, func(f export.File) bool { return f.Table == "issue_links" || f.Table == "sprint_snapshots" })
	delete(all, "issue_links")
	delete(all, "sprint_snapshots")
	imported(t, db, closed(t, m, all), "copy")
	var project tracker.Project
	db.Find(t, "copy").Read(t, store.ProjectByKey("WEB", &project))
	require.Equal(t, []any{"Website of acme", "", 1}, []any{project.Name, project.Description, project.Version})
}

func TestImport_Plans(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	for n := range 11 {
		acme.Project(t, fmt.Sprintf("P%d", n), "One of many")
	}
	file := exported(t, db, "acme")
	_, err := tryImport(t, db, file, store.ImportOptions{Slug: "copy", Plan: "free"})
	require.Equal(t, tenancy.PlanLimit, tenancy.CodeOf(err))
	require.ErrorContains(t, err, `Plan free allows 10 active projects, and this would make 11. Give the new tenant a larger plan with --plan; where the export was made it had plan "enterprise".`)
	done, err := tryImport(t, db, file, store.ImportOptions{Slug: "copy", Plan: "team"})
	require.NoError(t, err)
	require.Equal(t, "team", done.Tenant.Plan)
	_, err = tryImport(t, db, file, store.ImportOptions{Slug: "another", Plan: "gold"})
	require.ErrorContains(t, err, `Plan "gold" is not known`)

	m, all := opened(t, file)
	for n := range 60 {
		all["members"] = append(all["members"], row{"id": tenancy.NewID(), "handle": fmt.Sprint("m", n), "email": nil, "name": "x", "role": "member", "state": "invited", "created_at": storetest.Now})
	}
	all["projects"] = all["projects"][:1]
	_, err = tryImport(t, db, closed(t, m, all), store.ImportOptions{Slug: "crowd", Plan: "free"})
	require.ErrorContains(t, err, "Plan free allows 50 members, and this would make 62.")
}

// TestImport_TextOfPlan meets the plan's limit before it has written everything.
func TestImport_TextOfPlan(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), "Long")
	m, all := opened(t, exported(t, db, "acme"))
	long := all["issues"][0]
	long["description"] = strings.Repeat("long ", 3<<20)
	all["issues"] = nil
	for n := range 40 {
		r := row{}
		for k, v := range long {
			r[k] = v
		}
		r["id"], r["number"] = tenancy.NewID(), n+1
		all["issues"] = append(all["issues"], r)
	}
	file := closed(t, m, all)
	require.Less(t, len(file), 10<<20)
	seen, total := int64(0), int64(0)
	r, err := export.Open(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	_, err = db.ImportTenant(t.Context(), r, store.ImportOptions{Slug: "copy", Plan: "free", Actor: "test", Progress: func(done, of int64) { seen, total = done, of }})
	require.ErrorContains(t, err, "Plan free allows 500 MB of text")
	require.Less(t, seen, total-5)
}

// TestImport_Again: a slug is taken once, and whoever repeats an import whose answer
// was lost is told that it is done.
func TestImport_Again(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	fill(t, db, "acme")
	file := exported(t, db, "acme")
	first := imported(t, db, file, "copy")
	require.False(t, first.Again)
	again := imported(t, db, file, "copy")
	require.True(t, again.Again)
	require.Equal(t, first.Tenant.ID, again.Tenant.ID)
	for slug, want := range map[string]string{"acme": `Tenant slug "acme" is taken.`, "Copy": "is not valid", "admin": "is reserved"} {
		_, err := tryImport(t, db, file, store.ImportOptions{Slug: slug})
		require.ErrorContains(t, err, want)
	}
	_, err := tryImport(t, db, exported(t, db, "acme"), store.ImportOptions{Slug: "copy"}) // another file
	require.Equal(t, tenancy.Conflict, tenancy.CodeOf(err))

	// Two at once: one makes the tenant, the other finds it made or taken.
	var wait sync.WaitGroup
	made := make([]store.Imported, 4)
	errs := make([]error, 4)
	for n := range made {
		wait.Go(func() { made[n], errs[n] = tryImport(t, db, file, store.ImportOptions{Slug: "race"}) })
	}
	wait.Wait()
	winners := 0
	for n := range made {
		if errs[n] == nil && !made[n].Again {
			winners++
		} else if errs[n] != nil {
			require.Contains(t, []tenancy.Code{tenancy.Conflict, tenancy.Unavailable}, tenancy.CodeOf(errs[n]))
		}
	}
	require.Equal(t, 1, winners)
	require.True(t, imported(t, db, file, "race").Again)
}

// TestImport_Unseen: until it is whole, nobody sees anything of an import.
func TestImport_Unseen(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	fill(t, db, "acme")
	file := exported(t, db, "acme")
	r, err := export.Open(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	writing := 0
	look := func(done, total int64) {
		if done <= r.Manifest.Rows() {
			return // verifying
		}
		writing++
		_, err := db.AnyTenant(t.Context(), "copy")
		require.Equal(t, tenancy.NotFound, tenancy.CodeOf(err))
		if done > total*3/4 {
			cancel()
		}
	}
	_, err = db.ImportTenant(ctx, r, store.ImportOptions{Slug: "copy", Plan: "enterprise", Actor: "test", Progress: look})
	require.True(t, errors.Is(err, context.Canceled) || tenancy.CodeOf(err) == tenancy.Unavailable, "%v", err)
	require.Greater(t, writing, 10)
	imported(t, db, file, "copy")
	requireSame(t, file, exported(t, db, "copy"))
}

// TestImport_AfterTheFileChanged: what was verified is verified again as it is read.
func TestImport_AfterTheFileChanged(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	acme.Issues(t, acme.Project(t, "WEB", "Website"), strings.Split(strings.Repeat("An issue,", 50), ",")[:50]...)
	file := exported(t, db, "acme")
	changing := bytes.Clone(file)
	r, err := export.Open(bytes.NewReader(changing), int64(len(changing)))
	require.NoError(t, err)
	_, err = db.ImportTenant(t.Context(), r, store.ImportOptions{Slug: "copy", Plan: "enterprise", Actor: "test", Progress: func(done, _ int64) {
		if done == r.Manifest.Rows() {
			at := bytes.Index(changing, []byte("issue_events.jsonl"))
			for n := range 200 {
				changing[at+100+n] ^= 0x55
			}
		}
	}})
	require.ErrorContains(t, err, "issue_events.jsonl")
	require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err))
	_, err = db.AnyTenant(t.Context(), "copy")
	require.Equal(t, tenancy.NotFound, tenancy.CodeOf(err))
}
