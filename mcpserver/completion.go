package mcpserver

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/report"
)

const maxCompletions = 100

// completions implements server.ResourceCompletionProvider: values for every
// variable of every template, only from what the token sees. An unknown or
// hidden template has no values; to ask for them is a call of the same limits.
type completions struct{ server *Server }

// CompleteResourceArgument completes one variable of a resource template.
func (p completions) CompleteResourceArgument(ctx context.Context, uri string, arg mcp.CompleteArgument, more mcp.CompleteContext) (*mcp.Completion, error) {
	i := slices.IndexFunc(Resources(), func(res Resource) bool { return res.URI == uri && strings.Contains(uri, arg.Name) })
	if i < 0 {
		return p.complete(ctx, "completion", "", nil, mcp.CompleteArgument{}, more)
	}
	res := Resources()[i]
	return p.complete(ctx, "completion "+res.Name, uri, res.Permission, arg, more)
}

// CompletePromptArgument completes one argument of a prompt.
func (p completions) CompletePromptArgument(ctx context.Context, name string, arg mcp.CompleteArgument, more mcp.CompleteContext) (*mcp.Completion, error) {
	for _, prompt := range Prompts() {
		if prompt.Name == name && slices.ContainsFunc(prompt.Arguments, func(a PromptArgument) bool { return a.Name == arg.Name }) {
			return p.complete(ctx, "completion "+name, "prompt/"+name, &prompt.Permission, arg, more)
		}
	}
	return p.complete(ctx, "completion", "", nil, mcp.CompleteArgument{}, more)
}

func (p completions) complete(ctx context.Context, tool, target string, needs *tenancy.Permission, arg mcp.CompleteArgument, more mcp.CompleteContext) (*mcp.Completion, error) {
	data, err := p.server.dispatch(ctx, Tool{Name: tool, ReadOnly: true,
		run: func(ctx context.Context, c *Call, _ any) (any, error) {
			c.target = target
			if needs != nil && !c.May(*needs) {
				return []string{}, nil
			}
			return c.complete(ctx, arg.Name, tracker.CleanLine(arg.Value), more.Arguments)
		}}, requestFrom(ctx))
	if err != nil {
		return nil, err
	}
	values := []string{}
	if err := json.Unmarshal(data, &values); err != nil {
		return nil, err
	}
	total := len(values)
	return &mcp.Completion{Values: values[:min(total, maxCompletions)], Total: total, HasMore: total > maxCompletions}, nil
}

// complete lists values of a variable that begin with prefix.
func (c *Call) complete(ctx context.Context, variable, prefix string, given map[string]string) ([]string, error) {
	values := []string{}
	var err error
	switch variable {
	case "project":
		err = c.do(ctx, store.ProjectKeys(strings.ToUpper(prefix), maxCompletions+1, &values))
	case "key":
		err = c.do(ctx, store.IssueKeys(strings.ToUpper(prefix), maxCompletions+1, &values))
	case "assignee":
		var people []tenancy.Member
		err = c.do(ctx, store.Members(prefix, maxCompletions, &people))
		for _, m := range people {
			values = append(values, m.Label())
		}
	case "status":
		var projects []tracker.Project
		if err = c.do(ctx, store.ProjectsByKeys([]string{projectKey(given["project"])}, &projects)); err == nil && len(projects) == 1 {
			values = withPrefix(projects[0].Workflow.Names(), prefix)
		}
	case "sprint":
		special := []string{"current", "next", "none"}
		if strings.Contains(c.target, "/reports/") || strings.HasPrefix(c.target, "prompt/") {
			special[2] = "last"
		}
		values, err = c.completeSprints(ctx, special, prefix, given["project"])
	case "type":
		values = withPrefix(report.TypeNames(), prefix)
	}
	return values, err
}

// completeSprints lists a project's sprints after the words that a sprint may be
// named by as well.
func (c *Call) completeSprints(ctx context.Context, names []string, prefix, project string) ([]string, error) {
	c.Tx.Pin()
	var projects []tracker.Project
	if err := c.do(ctx, store.ProjectsByKeys([]string{projectKey(project)}, &projects)); err != nil {
		return nil, err
	}
	if len(projects) == 1 && c.May(tenancy.SprintsRead) {
		var sprints []tracker.Sprint
		if err := c.do(ctx, store.Sprints(store.SprintFilter{ProjectID: projects[0].ID, Limit: maxCompletions}, &sprints, nil)); err != nil {
			return nil, err
		}
		for _, s := range sprints {
			names = append(names, s.Name)
		}
	}
	return withPrefix(names, prefix), nil
}

func withPrefix(list []string, prefix string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return !strings.HasPrefix(strings.ToLower(s), strings.ToLower(prefix)) })
}
