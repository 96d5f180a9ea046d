package mcpserver

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// issueFields are the fields that create, update and batches set alike.
type issueFields struct {
	Type     string                     `json:"type,omitempty"`
	Status   string                     `json:"status,omitempty"`
	Priority string                     `json:"priority,omitempty" enum:"urgent|high|medium|low"`
	Assignee tracker.Optional[string]   `json:"assignee,omitzero" doc:"E-mail, name or me"`
	Labels   tracker.Optional[[]string] `json:"labels,omitzero"`
	Points   tracker.Optional[float64]  `json:"points,omitzero" range:"0,1000"`
	Sprint   tracker.Optional[string]   `json:"sprint,omitzero" doc:"Name, current or next"`
	Parent   tracker.Optional[string]   `json:"parent,omitzero" doc:"Issue key"`
	DueDate  tracker.Optional[string]   `json:"due_date,omitzero" doc:"2026-01-31"`
}

// patcher applies fields to issues of one project, resolving each name once.
type patcher struct {
	c       *Call
	project tracker.Project
	people  map[string]tenancy.Member
	sprints map[string]tracker.Sprint
	parents map[tracker.IssueKey]tracker.Issue
}

func newPatcher(c *Call, p tracker.Project) *patcher {
	return &patcher{c: c, project: p, people: map[string]tenancy.Member{}, sprints: map[string]tracker.Sprint{},
		parents: map[tracker.IssueKey]tracker.Issue{}}
}

// apply returns the issue with the fields set. A new issue (no status yet) may
// start anywhere in the workflow; an existing one moves along its transitions.
func (p *patcher) apply(ctx context.Context, i tracker.Issue, f issueFields) (tracker.Issue, error) {
	var err error
	if f.Type != "" {
		if i.Type, err = p.project.IssueType(f.Type); err != nil {
			return i, err
		}
	}
	if i, err = p.move(i, f.Status); err != nil {
		return i, err
	}
	if f.Priority != "" {
		if i.Priority, err = tracker.ParsePriority(f.Priority); err != nil {
			return i, err
		}
	}
	if f.Points.Given {
		i.Points = nil
		if !f.Points.Null {
			i.Points = &f.Points.Value
		}
	}
	if f.DueDate.Given {
		i.DueDate = nil
		if !f.DueDate.Null && f.DueDate.Value != "" {
			due, err := tracker.ParseDay("due_date", f.DueDate.Value)
			if err != nil {
				return i, err
			}
			i.DueDate = &due
		}
	}
	if i, err = p.assign(ctx, i, f.Assignee); err != nil {
		return i, err
	}
	if i, err = p.plan(ctx, i, f.Sprint); err != nil {
		return i, err
	}
	if f.Labels.Given {
		if i.Labels, err = p.labels(ctx, nil, f.Labels.Value, nil); err != nil {
			return i, err
		}
	}
	return p.adopt(ctx, i, f.Parent)
}

func (p *patcher) move(i tracker.Issue, status string) (tracker.Issue, error) {
	if i.Status == "" { // new
		first := p.project.Workflow.Initial()
		i.Status, i.Category = first.Name, first.Category
		if status == "" {
			return i, nil
		}
		to, err := p.project.FindStatus(status)
		return i.Moved(to, p.c.Now), err
	}
	if status == "" {
		return i, nil
	}
	to, err := p.project.Transition(i.Status, status)
	if err != nil {
		return i, err
	}
	return i.Moved(to, p.c.Now), nil
}

func (p *patcher) assign(ctx context.Context, i tracker.Issue, to tracker.Optional[string]) (tracker.Issue, error) {
	name := strings.ToLower(tracker.CleanLine(to.Value))
	switch {
	case !to.Given:
		return i, nil
	case to.Null || name == "" || name == "none":
		i.AssigneeID, i.Assignee = uuid.Nil, ""
		return i, nil
	}
	m, ok := p.people[name]
	if !ok {
		var err error
		if m, err = p.c.member(ctx, name); err != nil {
			return i, err
		}
		p.people[name] = m
	}
	i.AssigneeID, i.Assignee = m.ID, m.Label()
	return i, nil
}

func (p *patcher) plan(ctx context.Context, i tracker.Issue, to tracker.Optional[string]) (tracker.Issue, error) {
	name := strings.ToLower(tracker.CleanLine(to.Value))
	switch {
	case !to.Given:
		return i, nil
	case to.Null || name == "" || name == "none" || name == "backlog":
		i.SprintID, i.Sprint = uuid.Nil, ""
		return i, nil
	}
	s, ok := p.sprints[name]
	if !ok {
		var err error
		if s, err = p.c.sprint(ctx, p.project, to.Value); err != nil {
			return i, err
		}
		if err = p.c.do(ctx, store.HoldSprint(s.ID, &s.State)); err != nil {
			return i, err
		}
		p.sprints[name] = s
	}
	if s.State == tracker.SprintCompleted && s.ID != i.SprintID {
		return i, tenancy.Errorf(tenancy.InvalidValue, "Sprint %q is completed and takes no issues.", s.Name).
			WithNext("Use current, next or another sprint.")
	}
	i.SprintID, i.Sprint = s.ID, s.Name
	return i, nil
}

// labels merges labels in the spelling that the project already uses.
func (p *patcher) labels(ctx context.Context, current, add, remove []string) ([]string, error) {
	for n, l := range add {
		clean, err := tracker.CheckLine("label", l, tracker.MaxLabel)
		if err != nil {
			return nil, err
		}
		add[n] = clean
	}
	var known []string
	if len(add) > 0 {
		if err := p.c.do(ctx, store.LabelSpellings(p.project.ID, add, &known)); err != nil {
			return nil, err
		}
	}
	merged := tracker.MergeLabels(current, add, remove, known)
	if len(merged) > 50 {
		return nil, tenancy.Errorf(tenancy.TooLarge, "An issue can have 50 labels; this would make %d.", len(merged))
	}
	return merged, nil
}

// adopt sets the parent. It must be of the same project and not a descendant.
func (p *patcher) adopt(ctx context.Context, i tracker.Issue, to tracker.Optional[string]) (tracker.Issue, error) {
	switch {
	case !to.Given:
		return i, nil
	case to.Null || to.Value == "":
		i.ParentID, i.Parent = uuid.Nil, nil
		return i, nil
	}
	key, err := tracker.ParseIssueKey(to.Value)
	if err != nil {
		return i, err
	}
	parent, ok := p.parents[key]
	if !ok {
		var found []tracker.Issue
		if err := p.c.do(ctx, store.IssuesByKeys([]tracker.IssueKey{key}, &found)); err != nil {
			return i, err
		}
		if len(found) == 0 {
			return i, noIssues([]string{key.String()})
		}
		parent = found[0]
		p.parents[key] = parent
	}
	return p.c.withParent(ctx, i, parent)
}

// withParent makes parent the issue's parent, or says why it cannot be.
func (c *Call) withParent(ctx context.Context, i, parent tracker.Issue) (tracker.Issue, error) {
	if parent.ProjectID != i.ProjectID {
		return i, tenancy.Errorf(tenancy.InvalidValue, "%s is in another project; parent and child share one.", parent.Key).
			WithNext("Link them with relates_to instead.")
	}
	if i.Version > 0 { // an existing issue may have children
		var up []string
		if err := c.do(ctx, store.HoldLinks(tracker.ChildOf), store.AncestorPath(parent.ID, &up)); err != nil {
			return i, err
		}
		for n, key := range up {
			if key == i.Key.String() {
				return i, tenancy.Errorf(tenancy.InvalidValue, "%s cannot be under %s: that would close a circle, %s.",
					i.Key, parent.Key, strings.Join(append(up[:n+1], parent.Key.String()), " under "))
			}
		}
	}
	i.ParentID, i.Parent = parent.ID, &tracker.IssueKey{Project: parent.Key.Project, Number: parent.Key.Number}
	return i, nil
}
