package mcpserver_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
)

// Whole-catalogue tests read the tools from the wire and make arguments from
// their schemas, so that a new tool is attacked without being mentioned. What
// they cannot guess is said here, once.

// refKind is what a string argument names.
type refKind string

// refs are the arguments that name something of a tenant. An attacker puts a
// foreign name there.
var refs = map[string]refKind{
	"project": "project", "key": "issue", "keys": "issue", "issue": "issue", "parent": "other issue", "target": "other issue", "targets": "other issue",
	"sprint": "sprint", "carry_over": "sprint", "assignee": "member", "reporter": "member", "lead": "member", "actor": "member", "reply_to": "comment",
	"member": "member", "remove_entry": "work", "id": "attachment", "remove_file": "attachment",
}

// plain are the arguments that name nothing, with a value that fits.
var plain = map[string]any{
	"title": "Title", "name": "Name", "description": "Text", "body": "Text", "comment": "Text", "append_description": "More", "goal": "Goal",
	"old_text": "text", "new_text": "words", "query": "word", "status": "Backlog", "type": "Task", "labels": "label", "add_labels": "label",
	"remove_labels": "label", "ref": "ref", "start": "2026-05-01", "end": "2026-05-14", "due_date": "2026-05-01", "since": "2026-01-01",
	"after": "2026-01-01", "before": "2026-12-31", "from": "2026-01-01", "to": "2026-12-31", "template": "scrum", "idempotency_key": "", "cursor": "",
	"timezone": "Europe/Berlin", "confirm_token": "", "email": "new@example.test", "spent": "1h", "started": "2026-01-05",
	"text": "Text", "data": "VGV4dA==",
}

// notRefs are arguments that look like a reference and are none.
var notRefs = map[string]any{"create_project.key": "NEWKEY"}

// needs are arguments that a tool, or one of its arguments, makes sense with.
func needs(tool, path string, own names) args {
	switch {
	case tool == "save_sprint" && path == "carry_over":
		return args{"sprint": "current", "action": "complete"}
	case tool == "save_sprint" && path != "sprint":
		return args{"name": "Another sprint"}
	case tool == "log_work" && path != "spent" && path != "minutes":
		return args{"spent": "1h"}
	case tool == "add_attachment" && path == "data":
		return args{"name": "name.txt"}
	case tool == "add_attachment" && path != "text" && path != "remove_file":
		return args{"name": "name.txt", "text": "Text"}
	case tool == "add_attachment" && path == "text":
		return args{"name": "name.txt"}
	case tool == "manage_members" && path == "member":
		return args{"action": "deactivate"}
	case tool == "get_report" && path == "sprint":
		return args{"type": "project_status"}
	case tool == "batch_update_issues" && strings.HasPrefix(path, "filter"):
		return args{"filter": args{"project": []any{own["project"]}}, "expected_count": 1, "changes": args{"priority": "high"}}
	case tool == "batch_update_issues":
		return args{"keys": []any{own["issue"]}, "changes": args{"priority": "high"}}
	}
	return nil
}

// names are the values of references, by kind.
type names map[refKind]string

// world is two tenants full of marked text. Insider may do everything in acme;
// outsider everything in beta; limited everything in one project of acme.
type world struct {
	*bundle
	acme                       *storetest.Tenant
	insider, outsider, limited *client
	own                        map[*client]names
	// foreign exists in the project of acme that only insider sees; absent looks
	// the same and does not exist anywhere.
	foreign, absent names
	tools           []wireTool
}

// secretMark is in every text of the project that outsider and limited must not see.
const secretMark = "leakcanary"

// personMark is in every text about people of acme, which limited may see.
const personMark = "personcanary"

type wireTool struct {
	Name, Title, Description string
	InputSchema              schema
	OutputSchema             json.RawMessage
	Annotations              map[string]any
	raw                      json.RawMessage
}

type schema struct {
	Type       any
	Enum       []string
	Properties map[string]*schema
	Items      *schema
	Required   []string
	Minimum    *float64
	Maximum    *float64
	MaxItems   *float64
	Additional *bool `json:"additionalProperties"`
}

func (s *schema) is(kind string) bool {
	switch t := s.Type.(type) {
	case string:
		return t == kind
	case []any:
		return slices.Contains(t, any(kind))
	}
	return false
}

// listTools reads tools/list; raw is its whole result.
func (c *client) listTools() (tools []wireTool, raw json.RawMessage) {
	c.t.Helper()
	raw, rpcError := c.rpc("tools/list", args{})
	require.Empty(c.t, rpcError)
	var list struct{ Tools []json.RawMessage }
	require.NoError(c.t, json.Unmarshal(raw, &list))
	for _, data := range list.Tools {
		tool := wireTool{raw: data}
		require.NoError(c.t, json.Unmarshal(data, &tool))
		tools = append(tools, tool)
	}
	return tools, raw
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{bundle: setup(t), own: map[*client]names{}}
	w.acme = w.db.Tenant(t, "acme")
	beta := w.db.Tenant(t, "beta")
	person := func(tn *storetest.Tenant, handle, name string) {
		tn.Write(t, func(tx *store.Tx) error {
			return tx.Do(t.Context(), store.InsertMembers([]tenancy.Member{{ID: tenancy.NewID(), Handle: handle, Name: name,
				Role: tenancy.RoleMember, State: tenancy.MemberImported, CreatedAt: storetest.Now}}))
		})
	}
	person(w.acme, "zzqxwvk", personMark)
	person(beta, "hhggffd", "Somebody")
	person(w.acme, "hhggffd", "Somebody")
	_, token := w.acme.Token(t, personMark, allGrants(t, nil))
	w.insider = w.client(t, token).all()
	_, token = beta.Token(t, "outsider", allGrants(t, nil))
	w.outsider = w.client(t, token).all()

	w.foreign = w.furnish(w.insider, "QXZVK", "Zzqxwvk sprint", "zzqxwvk", secretMark)
	w.own[w.insider] = w.foreign
	w.own[w.outsider] = w.furnish(w.outsider, "BETAB", "Own sprint", "hhggffd", "harmless")
	own := w.furnish(w.insider, "MMNNO", "Own sprint", "hhggffd", "harmless")
	_, token = w.acme.Token(t, "limited", allGrants(t, []string{"MMNNO"}))
	w.limited = w.client(t, token).all()
	w.own[w.limited] = own
	// What links the two projects of acme must not show on the visible side.
	w.insider.ok("link_issues", args{"key": "MMNNO-1", "relation": "relates_to", "targets": "QXZVK-1"})
	w.insider.ok("link_issues", args{"key": "QXZVK-2", "relation": "blocks", "targets": "MMNNO-1"})
	w.absent = names{"project": "QXZVJ", "issue": "QXZVJ-1", "other issue": "QXZVJ-2", "sprint": "Zzqxwvj sprint", "member": "zzqxwvj",
		"comment": "019a0000-0000-7000-8000-000000000000", "work": "019a0000-0000-7000-8000-000000000000", "attachment": "019a0000-0000-7000-8000-000000000000"}
	w.tools, _ = w.insider.listTools()
	require.Len(t, w.tools, len(mcpserver.Catalogue()))
	return w
}

// furnish makes a project with two issues, an active and a planned sprint, a
// comment, and mark in every text.
func (w *world) furnish(c *client, key, sprint, member, mark string) names {
	c.t.Helper()
	c.ok("create_project", args{"name": "Project " + mark, "key": key, "description": mark})
	c.ok("save_sprint", args{"project": key, "name": "Active " + mark, "goal": mark, "end": "2026-05-01", "action": "start"})
	c.ok("save_sprint", args{"project": key, "name": sprint, "goal": mark})
	issue := args{"project": key, "title": "Word " + mark, "description": "Some text " + mark, "labels": []string{"label " + mark}, "sprint": "current",
		"assignee": member, "points": 3}
	c.ok("create_issue", issue)
	issue["title"] = "Other word " + mark
	delete(issue, "sprint")
	c.ok("create_issue", issue)
	c.ok("update_issue", args{"key": key + "-2", "title": "Another word " + mark})
	comment := c.ok("add_comment", args{"key": key + "-1", "body": "Comment " + mark})
	work := c.ok("log_work", args{"key": key + "-1", "spent": "1h", "comment": "Work " + mark})
	file := c.ok("add_attachment", args{"key": key + "-1", "name": "File " + mark + ".txt", "text": "Contents " + mark})
	return names{"work": work["id"].(string), "attachment": file["id"].(string), "project": key, "issue": key + "-1", "other issue": key + "-2", "sprint": sprint, "member": member, "comment": comment["id"].(string)}
}

// allGrants is the JSON of every permission, for some projects or all, without some.
func allGrants(t testing.TB, projects []string, deny ...tenancy.Permission) string {
	t.Helper()
	data, err := json.Marshal(tenancy.Grants{Allow: tenancy.AllPermissions, Deny: tenancy.NewPermissionSet(deny...), Limited: projects != nil, Projects: projects})
	require.NoError(t, err)
	return string(data)
}

// leaf is one argument, at any depth, that is not an object or a list of them.
type leaf struct {
	path   string // dotted; lists of objects have [] in it
	name   string
	schema *schema
}

// leaves lists the arguments of a schema in a fixed order.
func leaves(s *schema, prefix string) (list []leaf) {
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[name]
		switch {
		case p.is("object"):
			list = append(list, leaves(p, prefix+name+".")...)
		case p.is("array") && p.Items.is("object"):
			list = append(list, leaves(p.Items, prefix+name+"[].")...)
		default:
			list = append(list, leaf{prefix + name, name, p})
		}
	}
	return list
}

// values is whose names an argument gets.
type filler struct {
	t    testing.TB
	tool string
	own  names
}

// arguments makes the arguments of a call in which one leaf has a value; value
// nil leaves it to the filler.
func (f filler) arguments(tool wireTool, at leaf, value any) args {
	f.t.Helper()
	out := args{}
	maps.Copy(out, needs(tool.Name, at.path, f.own))
	if _, ok := tool.InputSchema.Properties["dry_run"]; ok {
		out["dry_run"] = true
	}
	return f.object(&tool.InputSchema, out, "", at, value)
}

func (f filler) object(s *schema, out args, prefix string, at leaf, value any) args {
	f.t.Helper()
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p, path := s.Properties[name], prefix+name
		_, given := out[name]
		here := at.path == path
		within := strings.HasPrefix(at.path, path+".") || strings.HasPrefix(at.path, path+"[].")
		if !here && !within && (given || !slices.Contains(s.Required, name)) {
			continue
		}
		switch {
		case here && value != nil:
			out[name] = value
		case p.is("object"):
			inner, _ := out[name].(args)
			if inner == nil {
				inner = args{}
			}
			out[name] = f.object(p, inner, path+".", at, value)
		case p.is("array") && p.Items.is("object"):
			out[name] = []any{f.object(p.Items, args{}, path+"[].", at, value)}
		default:
			out[name] = f.value(path, name, p)
		}
	}
	return out
}

// value is a fitting value of a leaf.
func (f filler) value(path, name string, s *schema) any {
	f.t.Helper()
	var v any
	item := s
	if s.is("array") {
		item = s.Items
	}
	kind, isRef := refs[name]
	other, isNot := notRefs[f.tool+"."+path]
	text, isPlain := plain[name]
	switch {
	case len(item.Enum) > 0:
		v = item.Enum[0]
	case isNot:
		v = other
	case isRef:
		v = f.own[kind]
	case isPlain:
		v = text
	case item.is("integer") || item.is("number"):
		v = 1
		if s.Minimum != nil {
			v = *s.Minimum
		}
	case item.is("boolean"):
		v = false
	default:
		require.Failf(f.t, "unknown argument", "%s.%s: say in refs or plain of world_test.go what it is", f.tool, path)
	}
	if s.is("array") {
		return []any{v}
	}
	return v
}

// with puts a name where the leaf wants one, alone or in a list.
func (l leaf) with(name string) any {
	if l.schema.is("array") {
		return []any{name}
	}
	return name
}

// ref is what kind of thing the leaf names; ok is false if it names nothing.
func (l leaf) ref(tool string) (kind refKind, ok bool) {
	if _, not := notRefs[tool+"."+l.path]; not {
		return "", false
	}
	kind, ok = refs[l.name]
	return kind, ok && len(l.schema.Enum) == 0
}
