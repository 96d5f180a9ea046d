package clients

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// modern is the revision without a handshake; legacy the newest one with it.
const (
	modern = "2026-07-28"
	legacy = "2025-11-25"
)

type args = map[string]any

// step is one request of a job and what its answer must be. Each client turns
// method and params into the call that its users write.
type step struct {
	Method string `json:"method"`
	Params args   `json:"params,omitempty"`
	check  func(t *testing.T, o outcome)
}

// name says which step of a job this is.
func (s step) name(i int) string {
	what := s.Params["name"]
	if what == nil {
		what = s.Params["uri"]
	}
	if what == nil {
		what = ""
	}
	return fmt.Sprint(i, " ", s.Method, " ", what)
}

// outcome is what a client made of the answer.
type outcome struct {
	protocol string
	Result   json.RawMessage `json:"result"`
	Error    *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// answers are the outcomes of a whole job, in the order of its steps.
type answers struct {
	Protocol string    `json:"protocol"`
	Outcomes []outcome `json:"outcomes"`
}

// check compares every outcome with its step.
func (a answers) check(t *testing.T, protocol string, job []step) {
	t.Helper()
	require.Equal(t, protocol, a.Protocol, "negotiated protocol")
	require.Len(t, a.Outcomes, len(job))
	for i, s := range job {
		a.Outcomes[i].protocol = a.Protocol
		t.Run(s.name(i), func(t *testing.T) { s.check(t, a.Outcomes[i]) })
	}
}

// result reads a successful answer into v.
func (o outcome) result(t *testing.T, v any) {
	t.Helper()
	require.Nil(t, o.Error, "%+v", o.Error)
	require.NoError(t, json.Unmarshal(o.Result, v), string(o.Result))
}

// toolAnswer is the result of tools/call.
type toolAnswer struct {
	Content []struct{ Text string }
	Data    map[string]any `json:"structuredContent"`
	IsError bool
}

// call is a tool call that succeeds; want are members of its structured content.
// The text carries the same.
func call(tool string, arguments, want args) step {
	return step{"tools/call", args{"name": tool, "arguments": arguments}, func(t *testing.T, o outcome) {
		var a toolAnswer
		o.result(t, &a)
		require.Len(t, a.Content, 1)
		require.False(t, a.IsError, a.Content[0].Text)
		var text map[string]any
		require.NoError(t, json.Unmarshal([]byte(a.Content[0].Text), &text))
		require.Equal(t, a.Data, text)
		for name, value := range want {
			require.EqualValues(t, value, a.Data[name], "%s in %s", name, a.Content[0].Text)
		}
	}}
}

// refused is a tool call whose result tells the model what is wrong.
func refused(tool string, arguments args, code, hint string) step {
	return step{"tools/call", args{"name": tool, "arguments": arguments}, func(t *testing.T, o outcome) {
		var a toolAnswer
		o.result(t, &a)
		require.Len(t, a.Content, 1)
		require.True(t, a.IsError, a.Content[0].Text)
		require.True(t, strings.HasPrefix(a.Content[0].Text, code+": "), a.Content[0].Text)
		require.Contains(t, a.Content[0].Text, hint)
	}}
}

// lists is a list request whose items have these names.
func lists(method, member, name string, want ...string) step {
	return step{method, nil, func(t *testing.T, o outcome) {
		var result map[string]json.RawMessage
		o.result(t, &result)
		var items []map[string]any
		require.NoError(t, json.Unmarshal(result[member], &items))
		names := make([]string, len(items))
		for i, item := range items {
			names[i], _ = item[name].(string)
		}
		require.ElementsMatch(t, want, names)
	}}
}

// reads is a resources/read whose text contains want.
func reads(uri, want string) step {
	return step{"resources/read", args{"uri": uri}, func(t *testing.T, o outcome) {
		var result struct{ Contents []struct{ URI, Text string } }
		o.result(t, &result)
		require.Len(t, result.Contents, 1)
		require.Equal(t, uri, result.Contents[0].URI)
		require.Contains(t, result.Contents[0].Text, want)
	}}
}

// prompts is a prompts/get whose last message contains want.
func prompts(name string, arguments args, want string) step {
	return step{"prompts/get", args{"name": name, "arguments": arguments}, func(t *testing.T, o outcome) {
		var result struct {
			Messages []struct{ Content struct{ Text string } }
		}
		o.result(t, &result)
		require.Len(t, result.Messages, 2)
		require.Contains(t, result.Messages[1].Content.Text, want)
	}}
}

// fails is a request that the protocol itself refuses: legacy and modern
// revisions may have different codes.
func fails(method string, params args, legacyCode, modernCode int, hint string) step {
	return step{method, params, func(t *testing.T, o outcome) {
		code := legacyCode
		if o.protocol == modern {
			code = modernCode
		}
		require.NotNil(t, o.Error, string(o.Result))
		require.Equal(t, code, o.Error.Code, o.Error.Message)
		require.Contains(t, o.Error.Message, hint)
	}}
}

// completes is a completion of one variable of a resource template, or argument of a prompt.
func completes(of, variable, value string, want ...string) step {
	ref := args{"type": "ref/prompt", "name": of}
	if strings.Contains(of, "://") {
		ref = args{"type": "ref/resource", "uri": of}
	}
	params := args{"ref": ref, "argument": args{"name": variable, "value": value}}
	return step{"completion/complete", params, func(t *testing.T, o outcome) {
		var result struct{ Completion struct{ Values []string } }
		o.result(t, &result)
		require.ElementsMatch(t, want, result.Completion.Values)
	}}
}

// agentTools are all tools, readerTools those that change nothing.
var (
	agentTools = []string{"get_me", "list_projects", "get_project", "create_project", "update_project", "search_issues", "get_issue",
		"create_issue", "update_issue", "batch_create_issues", "batch_update_issues", "add_comment", "link_issues", "list_sprints",
		"save_sprint", "get_report", "list_activity"}
	readerTools = []string{"get_me", "list_projects", "get_project", "search_issues", "get_issue", "list_sprints", "list_activity"}
)

// agentJob is a working session of an agent that may do everything: it calls
// every tool, so that clients check every output schema, and reads beside.
func agentJob(tenant string) []step {
	issues := make([]args, 50)
	for i := range issues {
		issues[i] = args{"ref": fmt.Sprint("r", i), "title": fmt.Sprintf("Step %d of the migration", i+1)}
		if i > 0 {
			issues[i]["parent"] = "r0"
		}
	}
	edit := args{"key": "WEB-3", "status": "in progress", "expected_version": 1, "comment": "On it.", "assignee": "ben@" + tenant + ".test"}
	again := args{"project": "WEB", "title": "Say it once", "idempotency_key": "once"}
	return []step{
		lists("tools/list", "tools", "name", agentTools...),
		call("get_me", args{}, args{"tenant": tenant, "member": "ada@" + tenant + ".test"}),
		call("list_projects", args{}, args{"total": 1, "returned": 1}),
		call("get_project", args{"project": "web", "include": []string{"workflow", "issue_types", "labels", "members", "sprints", "stats"}}, args{"key": "WEB"}),
		call("search_issues", args{"query": "safari", "project": "WEB"}, args{"total": 1, "returned": 1}),
		call("search_issues", args{"project": "WEB", "count_only": true}, args{"total": 2}),
		call("create_issue", args{"project": "WEB", "title": "Buttons are too small", "type": "bug", "labels": []string{"design"}, "points": 2}, args{"key": "WEB-3"}),
		call("update_issue", edit, args{"key": "WEB-3", "version": 2}),
		refused("update_issue", args{"key": "WEB-3", "title": "x", "expected_version": 1}, "conflict", "version 1 to 2"),
		call("get_issue", args{"keys": []string{"WEB-3"}, "include": []string{"comments", "history", "relations", "children", "time_in_status"}}, args{}),
		call("add_comment", args{"key": "WEB-3", "body": "Done **soon**."}, args{}),
		call("link_issues", args{"key": "WEB-3", "relation": "blocks", "targets": []string{"WEB-1"}}, args{}),
		call("batch_create_issues", args{"project": "WEB", "issues": issues}, args{"count": 50}),
		call("batch_update_issues", args{"keys": []string{"WEB-5", "WEB-6"}, "changes": args{"priority": "high"}}, args{}),
		call("save_sprint", args{"project": "WEB", "name": "Sprint 1", "goal": "Move", "start": "2026-05-04", "end": "2026-05-15", "action": "start"}, args{}),
		call("list_sprints", args{"project": "WEB"}, args{"total": 1}),
		call("list_activity", args{"project": "WEB"}, args{}),
		call("update_project", args{"project": "WEB", "description": "The shop"}, args{"key": "WEB"}),
		call("create_project", args{"name": "Interface", "key": "API"}, args{"key": "API"}),
		call("create_issue", args{"project": "WEB", "title": "Only a thought", "dry_run": true}, args{"dry_run": true}),
		call("create_issue", again, args{"key": "WEB-54"}),
		call("create_issue", again, args{"key": "WEB-54", "replayed": true}),
		refused("create_issue", args{"project": "WEBB", "title": "x"}, "not_found", "WEB"),
		refused("search_issues", args{"assigne": "me"}, "unknown_argument", "assignee"),
		fails("tools/call", args{"name": "delete_everything", "arguments": args{}}, -32602, -32602, "delete_everything is not known"),
		lists("resources/list", "resources", "uri", "colaflow://me", "colaflow://projects", "colaflow://reference/search",
			"colaflow://projects/WEB", "colaflow://projects/API"),
		lists("resources/templates/list", "resourceTemplates", "name", "project", "workflow", "project-issues", "current-sprint", "report", "issue", "issue-history"),
		lists("prompts/list", "prompts", "name", "triage_issue", "plan_sprint", "sprint_review", "standup", "break_down_epic", "write_bug_report"),
		prompts("triage_issue", args{"key": "WEB-3"}, "Buttons are too small"),
		prompts("sprint_review", args{"project": "WEB", "sprint": "current"}, `"Sprint 1"`),
		fails("prompts/get", args{"name": "standup", "arguments": args{"project": "NOPE"}}, -32602, -32602, "not found"),
		completes("standup", "project", "a", "API"),
		reads("colaflow://me", `"tenant":"`+tenant+`"`),
		reads("colaflow://issues/WEB-3", "Buttons are too small"),
		reads("colaflow://projects/WEB/issues?status=In%20Progress", `"total":1`),
		fails("resources/read", args{"uri": "colaflow://issues/WEB-999"}, -32002, -32602, "not found"),
		completes("colaflow://projects/{project}", "project", "a", "API"),
		completes("colaflow://issues/{key}", "key", "WEB-5", "WEB-5", "WEB-50", "WEB-51", "WEB-52", "WEB-53", "WEB-54"),
	}
}

// readerJob is a session of an agent that may only read.
func readerJob() []step {
	return []step{
		lists("tools/list", "tools", "name", readerTools...),
		lists("prompts/list", "prompts", "name", "triage_issue", "plan_sprint", "standup", "break_down_epic", "write_bug_report"),
		call("search_issues", args{"query": "export"}, args{"total": 1}),
		refused("create_issue", args{"project": "WEB", "title": "x"}, "forbidden", "lacks issues:create"),
		refused("update_issue", args{"key": "WEB-1", "title": "x"}, "forbidden", "Do not retry"),
	}
}

// office is a tenant of one client, with the tokens of its jobs.
type office struct {
	agent, reader, clerk string
}

func (b *bundle) office(t *testing.T, slug string) office {
	t.Helper()
	tenant := b.db.Tenant(t, slug)
	web := tenant.Project(t, "WEB", "Website")
	tenant.Issues(t, web, "Login fails on Safari", "Export is slow")
	_, reader := tenant.Token(t, "reader", `{"projects":["read","search"],"issues":["read","search"],"comments":["read"],"sprints":["read"]}`)
	_, clerk := tenant.Token(t, "clerk", `{"issues":["read","search","update"]}`)
	return office{tenant.FullToken(t), reader, clerk}
}
