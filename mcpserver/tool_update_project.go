package mcpserver

import (
	"context"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

type updateProjectIn struct {
	Project         string                   `json:"project" need:"true" doc:"Key"`
	Name            string                   `json:"name,omitempty"`
	Description     tracker.Optional[string] `json:"description,omitzero"`
	Lead            tracker.Optional[string] `json:"lead,omitzero"`
	State           string                   `json:"state,omitempty" enum:"active|archived"`
	Timezone        string                   `json:"timezone,omitempty" doc:"Of days in reports, such as Europe/Berlin"`
	WorkingDays     []string                 `json:"working_days,omitempty" enum:"mon|tue|wed|thu|fri|sat|sun"`
	ExpectedVersion int                      `json:"expected_version,omitempty" range:"1,1000000000"`
	WriteOptions
}

func updateProject() Tool {
	return define(Tool{
		Name: "update_project", Title: "Update a project", Idempotent: true, Permission: needs(tenancy.ProjectsUpdate),
		Description: "Change a project's name, description, lead, state or calendar. Archived projects take no changes.",
	}, updateProjectHandler)
}

func updateProjectHandler(ctx context.Context, c *Call, in updateProjectIn) (projectView, error) {
	var p tracker.Project
	if err := c.do(ctx, store.LockProject(projectKey(in.Project), &p)); err != nil {
		return projectView{}, err
	}
	if err := c.foundProject(ctx, p, in.Project); err != nil {
		return projectView{}, err
	}
	c.touch(p.Key, p.ID)
	if in.ExpectedVersion != 0 && in.ExpectedVersion != p.Version {
		return projectView{}, c.staleProject(ctx, p, in.ExpectedVersion)
	}
	before := p
	if err := c.patchProject(ctx, &p, in); err != nil {
		return projectView{}, err
	}
	for _, f := range tracker.ChangedFields(before.Fields(), p.Fields()) {
		c.changes = append(c.changes, change{p.Key, f.Name, shorten(f.Before, maxAuditText), shorten(f.After, maxAuditText)})
	}
	if len(c.changes) > 0 {
		p.UpdatedAt = c.Now
		p.Version++
		if err := c.do(ctx, store.SaveProject(before, p)); err != nil {
			return projectView{}, err
		}
	}
	var lead tenancy.Member
	if err := c.do(ctx, store.MemberByID(p.LeadID, &lead)); err != nil {
		return projectView{}, err
	}
	return projectView{Key: p.Key, Name: p.Name, Description: p.Description, State: string(p.State), Lead: lead.Label(),
		Template: p.Template, Timezone: p.Timezone, WorkingDays: p.WorkingDays.Names(), Version: p.Version, URL: c.links.project(p.Key)}, nil
}

func (c *Call) patchProject(ctx context.Context, p *tracker.Project, in updateProjectIn) (err error) {
	if in.Name != "" {
		if p.Name, err = tracker.CheckLine("name", in.Name, tracker.MaxName); err != nil {
			return err
		}
	}
	if in.Description.Given {
		if p.Description, err = tracker.CheckText("description", in.Description.Value, tracker.MaxBody); err != nil {
			return err
		}
	}
	if in.Lead.Given {
		p.LeadID = uuid.Nil
		if !in.Lead.Null {
			lead, err := c.member(ctx, in.Lead.Value)
			if err != nil {
				return err
			}
			p.LeadID = lead.ID
		}
	}
	if in.State != "" {
		p.State = tracker.ProjectState(in.State)
	}
	if in.Timezone != "" {
		if err = tracker.CheckTimezone(in.Timezone); err != nil {
			return err
		}
		p.Timezone = in.Timezone
	}
	if in.WorkingDays != nil {
		p.WorkingDays, err = tracker.ParseWeek(in.WorkingDays)
	}
	return err
}
