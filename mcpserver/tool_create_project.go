package mcpserver

import (
	"context"
	"strconv"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

type createProjectIn struct {
	Name        string `json:"name" need:"true"`
	Key         string `json:"key,omitempty" doc:"2-10 letters and digits; made from the name if left out"`
	Description string `json:"description,omitempty"`
	Lead        string `json:"lead,omitempty" doc:"E-mail, name or me"`
	Template    string `json:"template,omitempty" enum:"scrum|kanban|basic" doc:"Default scrum"`
	WriteOptions
}

func createProject() Tool {
	return define(Tool{
		Name: "create_project", Title: "Create a project", Permission: needs(tenancy.ProjectsCreate),
		Description: "Make a project from a template (workflow and issue types).",
	}, createProjectHandler)
}

func createProjectHandler(ctx context.Context, c *Call, in createProjectIn) (projectView, error) {
	if c.Grants.Limited {
		return projectView{}, tenancy.Errorf(tenancy.Forbidden, "Token %q is limited to its projects and cannot make another.", c.TokenName).
			WithNext("Ask an admin. Do not retry.")
	}
	name, err := tracker.CheckLine("name", in.Name, tracker.MaxName)
	if err != nil {
		return projectView{}, err
	}
	description, err := tracker.CheckText("description", in.Description, tracker.MaxBody)
	if err != nil {
		return projectView{}, err
	}
	template, err := tracker.FindTemplate(in.Template)
	if err != nil {
		return projectView{}, err
	}
	p := tracker.Project{ID: tenancy.NewID(), Key: projectKey(in.Key), Name: name, Description: description, State: tracker.ProjectActive,
		Template: template.Name, Timezone: "UTC", Workflow: template.Workflow, IssueTypes: template.IssueTypes, Version: 1,
		CreatedAt: c.Now, UpdatedAt: c.Now}
	var lead tenancy.Member
	if in.Lead != "" {
		if lead, err = c.member(ctx, in.Lead); err != nil {
			return projectView{}, err
		}
		p.LeadID = lead.ID
	}
	if p.Key, err = c.freeProjectKey(ctx, p.Key, name); err != nil {
		return projectView{}, err
	}
	c.touch(p.Key, p.ID)
	c.changes = append(c.changes, change{Key: p.Key, Field: "project", After: p.Name})
	if err := c.do(ctx, store.InsertProject(p)); err != nil {
		return projectView{}, err
	}
	return projectView{Key: p.Key, Name: p.Name, Description: p.Description, State: string(p.State), Lead: lead.Label(),
		Template: p.Template, Timezone: p.Timezone, Version: p.Version, URL: c.links.project(p.Key), IssueTypes: p.IssueTypes}, nil
}

// freeProjectKey checks a given key, or finds a free one for a name.
func (c *Call) freeProjectKey(ctx context.Context, key, name string) (string, error) {
	base := key
	if key == "" {
		base = tracker.SuggestProjectKey(name)
	}
	if err := tracker.CheckProjectKey(base); err != nil {
		return "", err
	}
	for n := 1; n < 50; n++ {
		candidate := base
		if n > 1 {
			candidate = base[:min(len(base), 8)] + strconv.Itoa(n)
		}
		var taken, retired bool
		if err := c.do(ctx, store.ProjectKeyState(candidate, &taken, &retired)); err != nil {
			return "", err
		}
		if !taken && !retired {
			return candidate, nil
		}
		if key != "" {
			if err := store.CheckRetired(key, retired); err != nil {
				return "", err
			}
			break
		}
	}
	return "", tenancy.Errorf(tenancy.Conflict, "Project key %s is taken.", base).WithNext("Choose another key, or read it with get_project.")
}
