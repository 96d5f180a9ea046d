package mcpserver

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/report"
)

type saveSprintIn struct {
	Project         string                   `json:"project" need:"true" doc:"Key"`
	Sprint          string                   `json:"sprint,omitempty" doc:"Name or current, next; leave out to make one"`
	Name            string                   `json:"name,omitempty"`
	Goal            tracker.Optional[string] `json:"goal,omitzero"`
	Start           tracker.Optional[string] `json:"start,omitzero" doc:"2026-01-31"`
	End             tracker.Optional[string] `json:"end,omitzero" doc:"2026-01-31"`
	Action          string                   `json:"action,omitempty" enum:"start|complete"`
	CarryOver       string                   `json:"carry_over,omitempty" doc:"Where open issues go on complete: next, backlog or a sprint"`
	ExpectedVersion int                      `json:"expected_version,omitempty" range:"1,1000000000"`
	Confirmation
	WriteOptions
}

type saveSprintOut struct {
	sprintView
	CarriedOver []string `json:"carried_over,omitempty"`
	CarriedTo   string   `json:"carried_to,omitempty"`
}

func saveSprint() Tool {
	return define(Tool{
		Name: "save_sprint", Title: "Plan, start or complete a sprint", Permission: needs(tenancy.SprintsWrite),
		Description: "Make or change a sprint, start it, or complete it. Completing with open issues needs carry_over.",
	}, saveSprintHandler)
}

func saveSprintHandler(ctx context.Context, c *Call, in saveSprintIn) (saveSprintOut, error) {
	var p tracker.Project
	if err := c.do(ctx, store.LockProject(projectKey(in.Project), &p)); err != nil {
		return saveSprintOut{}, err
	}
	if err := c.foundProject(ctx, p, in.Project); err != nil {
		return saveSprintOut{}, err
	}
	c.touch(p.Key, p.ID)
	if err := p.CheckWritable(); err != nil {
		return saveSprintOut{}, err
	}
	before, err := c.sprintToSave(ctx, p, in)
	if err != nil {
		return saveSprintOut{}, err
	}
	s := before
	if err := c.describeSprint(ctx, &s, in); err != nil {
		return saveSprintOut{}, err
	}
	var out saveSprintOut
	switch in.Action {
	case "start":
		err = c.startSprint(ctx, p, &s)
	case "complete":
		err = c.completeSprint(ctx, p, &s, in.CarryOver, &out)
	}
	if err != nil {
		return saveSprintOut{}, err
	}
	var writes []store.Query
	if in.Sprint == "" {
		writes = append(writes, store.InsertSprint(s))
	} else if len(tracker.ChangedFields(before.Fields(), s.Fields())) > 0 {
		writes = append(writes, store.SaveSprint(before, s))
	}
	if in.Action == "start" {
		writes = append(writes, store.FreezeSprint(s, store.SprintStart))
	}
	c.changes = append(c.changes, change{Key: p.Key, Field: "sprint", After: map[string]string{"name": s.Name, "state": string(s.State)}})
	var saved []tracker.Sprint
	writes = append(writes, store.Sprints(store.SprintFilter{ProjectID: p.ID, Name: s.Name, Limit: 1}, &saved, nil))
	if err := c.do(ctx, writes...); err != nil {
		return saveSprintOut{}, err
	}
	out.sprintView = viewSprint(saved[0])
	return out, nil
}

// sprintToSave finds the sprint that is to change, or begins one.
func (c *Call) sprintToSave(ctx context.Context, p tracker.Project, in saveSprintIn) (tracker.Sprint, error) {
	switch {
	case in.Sprint != "":
		s, err := c.sprint(ctx, p, in.Sprint)
		if err == nil && in.ExpectedVersion != 0 && in.ExpectedVersion != s.Version {
			err = c.staleSprint(ctx, s, in.ExpectedVersion)
		}
		return s, err
	case in.Name == "":
		return tracker.Sprint{}, tenancy.Errorf(tenancy.Missing, "save_sprint needs name to make a sprint, or sprint to change one.")
	case in.ExpectedVersion != 0:
		return tracker.Sprint{}, tenancy.Errorf(tenancy.UnknownArgument, "expected_version is of a sprint that is there.").WithNext("Pass sprint, or leave it out.")
	}
	return tracker.Sprint{ID: tenancy.NewID(), ProjectID: p.ID, ProjectKey: p.Key, State: tracker.SprintPlanned, CreatedAt: c.Now}, nil
}

// describeSprint sets name, goal and days. A name is unique in its project.
func (c *Call) describeSprint(ctx context.Context, s *tracker.Sprint, in saveSprintIn) error {
	if in.Name != "" {
		name, err := tracker.CheckLine("name", in.Name, tracker.MaxName)
		if err != nil {
			return err
		}
		if word := strings.ToLower(name); word == "current" || word == "next" || word == "none" || word == "backlog" {
			return tenancy.Errorf(tenancy.InvalidValue, "A sprint cannot be called %q: the word has a meaning of its own.", name)
		}
		var same []tracker.Sprint
		if err := c.do(ctx, store.Sprints(store.SprintFilter{ProjectID: s.ProjectID, Name: name, Limit: 1}, &same, nil)); err != nil {
			return err
		}
		if len(same) > 0 && same[0].ID != s.ID {
			return tenancy.Errorf(tenancy.Conflict, "%s has a sprint %q already.", s.ProjectKey, same[0].Name).WithNext("Choose another name.")
		}
		s.Name = name
	}
	if in.Goal.Given {
		goal, err := tracker.CheckText("goal", in.Goal.Value, tracker.MaxTitle)
		if err != nil {
			return err
		}
		s.Goal = goal
	}
	for _, d := range []struct {
		name string
		in   tracker.Optional[string]
		into **time.Time
	}{{"start", in.Start, &s.StartsOn}, {"end", in.End, &s.EndsOn}} {
		if !d.in.Given {
			continue
		}
		*d.into = nil
		if d.in.Null {
			continue
		}
		t, err := tracker.ParseDay(d.name, d.in.Value)
		if err != nil {
			return err
		}
		*d.into = &t
	}
	if s.StartsOn != nil && s.EndsOn != nil && s.EndsOn.Before(*s.StartsOn) {
		return tenancy.Errorf(tenancy.InvalidValue, "end %s is before start %s.", day(s.EndsOn), day(s.StartsOn))
	}
	return nil
}

func (c *Call) startSprint(ctx context.Context, p tracker.Project, s *tracker.Sprint) error {
	if s.State != tracker.SprintPlanned {
		return tenancy.Errorf(tenancy.InvalidValue, "Sprint %q is %s; only a planned sprint can start.", s.Name, s.State)
	}
	if s.EndsOn == nil {
		return tenancy.Errorf(tenancy.Missing, "save_sprint needs end to start sprint %q.", s.Name).WithNext("Pass end as a date.")
	}
	var active []tracker.Sprint
	f := store.SprintFilter{ProjectID: s.ProjectID, State: tracker.SprintActive, Limit: 1}
	if err := c.do(ctx, store.Sprints(f, &active, nil)); err != nil {
		return err
	}
	if len(active) > 0 {
		return tenancy.Errorf(tenancy.Conflict, "Sprint %q of %s is still active.", active[0].Name, s.ProjectKey).WithNext("Complete it first.")
	}
	s.State, s.StartedAt = tracker.SprintActive, &c.Now
	if s.StartsOn == nil {
		today := report.Today(p, c.Now)
		s.StartsOn = &today
	}
	return nil
}

// completeSprint closes the sprint; its open issues go where carry says.
func (c *Call) completeSprint(ctx context.Context, p tracker.Project, s *tracker.Sprint, carry string, out *saveSprintOut) error {
	if s.State != tracker.SprintActive {
		return tenancy.Errorf(tenancy.InvalidValue, "Sprint %q is %s; only an active sprint can be completed.", s.Name, s.State)
	}
	const most = 2000
	f := tracker.Filter{SprintID: s.ID, Categories: []tracker.Category{tracker.Todo, tracker.InProgress}}
	var open []tracker.Issue
	var total int
	if err := c.do(ctx, store.LockSprint(s.ID), store.SearchIssues(f, store.Page{Sort: tracker.SortKey, Limit: most}, &open, &total)); err != nil {
		return err
	}
	s.State, s.CompletedAt = tracker.SprintCompleted, &c.Now
	freeze := store.FreezeSprint(*s, store.SprintEnd)
	if total == 0 {
		if err := c.confirm(ctx, fmt.Sprintf("Complete sprint %q of %s, with no open issues.", s.Name, p.Key)); err != nil {
			return err
		}
		return c.do(ctx, freeze)
	}
	if carry == "" {
		return tenancy.Errorf(tenancy.Missing, "%d issues of sprint %q are open; save_sprint needs carry_over.", total, s.Name).
			WithNext("Pass next, backlog or the name of a sprint.")
	}
	if total > most {
		return tenancy.Errorf(tenancy.TooLarge, "%d issues of sprint %q are open; at most %d can be carried over.", total, s.Name, most).
			WithNext("Move some with batch_update_issues first.")
	}
	target := tracker.Sprint{}
	if !strings.EqualFold(strings.TrimSpace(carry), "backlog") {
		var err error
		if target, err = c.sprint(ctx, p, carry); err != nil {
			return err
		}
		if target.State == tracker.SprintCompleted || target.ID == s.ID {
			return tenancy.Errorf(tenancy.InvalidValue, "Sprint %q cannot take the open issues.", target.Name).WithNext("Pass next, backlog or a planned sprint.")
		}
	}
	text := fmt.Sprintf("Complete sprint %q of %s, and move its %d open issues to %s.", s.Name, p.Key, total, cmp.Or(target.Name, "the backlog"))
	if err := c.confirm(ctx, text); err != nil {
		return err
	}
	return c.carryOver(ctx, open, s.ID, target, freeze, out)
}

// carryOver moves issues from a sprint to another, or to the backlog if that has no id,
// after the scope that they leave was frozen.
func (c *Call) carryOver(ctx context.Context, open []tracker.Issue, from uuid.UUID, to tracker.Sprint, freeze store.Query, out *saveSprintOut) error {
	keys := make([]tracker.IssueKey, len(open))
	for n, i := range open {
		keys[n] = i.Key
	}
	var locked []tracker.Issue
	if err := c.do(ctx, store.LockIssues(keys, &locked)); err != nil {
		return err
	}
	issues, _ := inOrder(keys, locked)
	by := c.author()
	writes := []store.Query{freeze}
	for _, before := range issues {
		if before.Category.Closed() || before.SprintID != from {
			continue // done or moved while we waited for its lock
		}
		after := before
		after.SprintID, after.Sprint = to.ID, to.Name
		writes = append(writes, store.SaveIssue(before, after, by))
		out.CarriedOver = append(out.CarriedOver, before.Key.String())
	}
	out.CarriedTo = to.Name
	if to.ID == uuid.Nil {
		out.CarriedTo = "backlog"
	}
	return c.do(ctx, writes...)
}
