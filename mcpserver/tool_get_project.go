package mcpserver

import (
	"context"
	"slices"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

type getProjectIn struct {
	Project string   `json:"project" need:"true" doc:"Key"`
	Include []string `json:"include" enum:"workflow|issue_types|labels|members|sprints|stats"`
}

func (in getProjectIn) alsoNeeds() (set tenancy.PermissionSet) {
	if slices.Contains(in.Include, "sprints") {
		set = tenancy.NewPermissionSet(tenancy.SprintsRead)
	}
	return set
}

type projectView struct {
	Key         string          `json:"key"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	State       string          `json:"state"`
	Lead        string          `json:"lead,omitempty"`
	Template    string          `json:"template"`
	Timezone    string          `json:"timezone"`
	WorkingDays []string        `json:"working_days,omitempty"`
	Version     int             `json:"version"`
	URL         string          `json:"url"`
	Workflow    []statusView    `json:"workflow,omitempty"`
	IssueTypes  []string        `json:"issue_types,omitempty"`
	Labels      []tracker.Group `json:"labels,omitempty"`
	Members     []memberView    `json:"members,omitempty"`
	Sprints     []sprintView    `json:"sprints,omitempty"`
	Stats       map[string]int  `json:"stats,omitempty"`
}

type statusView struct {
	Name     string   `json:"name"`
	Category string   `json:"category"`
	Next     []string `json:"next"`
}

type memberView struct {
	Email  string `json:"email,omitempty"`
	Handle string `json:"handle,omitempty"`
	Name   string `json:"name"`
	Role   string `json:"role"`
}

func getProject() Tool {
	return define(Tool{
		Name: "get_project", Title: "Get a project", ReadOnly: true, Idempotent: true, Permission: needs(tenancy.ProjectsRead),
		Description: "One project; include adds its workflow, issue types, labels, members, sprints or counts.",
	}, func(ctx context.Context, c *Call, in getProjectIn) (projectView, error) {
		return c.projectView(ctx, in.Project, in.Include)
	})
}

// projectView reads a project with what is asked for, in one snapshot.
func (c *Call) projectView(ctx context.Context, key string, include []string) (projectView, error) {
	c.Tx.Pin()
	p, err := c.projectByKey(ctx, key)
	if err != nil {
		return projectView{}, err
	}
	c.touch(p.Key, p.ID)
	var lead tenancy.Member
	var people []tenancy.Member
	var sprints []tracker.Sprint
	view := projectView{Key: p.Key, Name: p.Name, Description: p.Description, State: string(p.State), Template: p.Template,
		Timezone: p.Timezone, WorkingDays: p.WorkingDays.Names(), Version: p.Version, URL: c.links.project(p.Key)}
	queries := []store.Query{store.MemberByID(p.LeadID, &lead)}
	wants := func(name string) bool { return slices.Contains(include, name) }
	var counts []tracker.Group
	if wants("labels") {
		queries = append(queries, store.Labels(p.ID, 100, &view.Labels))
	}
	if wants("members") {
		queries = append(queries, store.Members("", 100, &people))
	}
	if wants("sprints") {
		if !c.May(tenancy.SprintsRead) {
			return projectView{}, forbidden(c.Principal, tenancy.SprintsRead, p.Key)
		}
		queries = append(queries, store.Sprints(store.SprintFilter{ProjectID: p.ID, Limit: 20}, &sprints, nil))
	}
	if wants("stats") {
		queries = append(queries, store.CountIssues(tracker.Filter{Projects: []string{p.Key}}, "category", &counts))
	}
	if err := c.do(ctx, queries...); err != nil {
		return projectView{}, err
	}
	view.Lead = lead.Label()
	if wants("workflow") {
		for _, s := range p.Workflow.Statuses {
			view.Workflow = append(view.Workflow, statusView{s.Name, string(s.Category), p.Workflow.NextOf(s.Name)})
		}
	}
	if wants("issue_types") {
		view.IssueTypes = p.IssueTypes
	}
	for _, m := range people {
		view.Members = append(view.Members, viewMember(m))
	}
	for _, s := range sprints {
		view.Sprints = append(view.Sprints, viewSprint(s))
	}
	if wants("stats") {
		view.Stats = map[string]int{}
		for _, category := range tracker.Categories() {
			view.Stats[string(category)] = 0
		}
		for _, g := range counts {
			view.Stats[g.Value] = g.Count
		}
	}
	return view, nil
}

func viewMember(m tenancy.Member) memberView {
	v := memberView{Email: m.Email, Name: m.Name, Role: string(m.Role)}
	if m.Email == "" {
		v.Handle = m.Handle
	}
	return v
}
