package mcpserver

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// staleMost is how many changes a conflict names.
const staleMost = 5

// staleError explains a conflict: the thing is not of the expected version any more.
func staleError(what string, expected, version int, changes []string) error {
	text := fmt.Sprintf("%s changed (version %d to %d) since you read it", what, expected, version)
	if expected > version {
		text = fmt.Sprintf("%s never had version %d, only up to %d", what, expected, version)
	} else if len(changes) > 0 {
		text += ": " + strings.Join(changes[:min(len(changes), staleMost)], "; ")
	}
	return tenancy.Errorf(tenancy.Conflict, "%s.", text).
		WithNext(fmt.Sprintf("Read it again or retry with expected_version %d.", version))
}

// staleIssue says of an issue what changed since the expected version.
func (c *Call) staleIssue(ctx context.Context, i tracker.Issue, expected int) error {
	var events []store.EventRow
	f := store.EventFilter{IssueIDs: []uuid.UUID{i.ID}, Kinds: []string{string(tracker.EventChanged)}, Limit: 100}
	if err := c.do(ctx, store.Events(f, &events, nil)); err != nil {
		return err
	}
	var parts []string
	changes := map[uuid.UUID]bool{}
	for _, e := range events {
		if !e.OfVersion() {
			continue
		}
		changes[e.ChangeID] = true
		if len(changes) > i.Version-expected {
			break
		}
		parts = append(parts, e.Field+" "+brief(e.Before)+" to "+brief(e.After))
	}
	return staleError(i.Key.String(), expected, i.Version, parts)
}

// staleSprint says of a sprint what changed since the expected version.
func (c *Call) staleSprint(ctx context.Context, s tracker.Sprint, expected int) error {
	var versions store.FieldVersions
	if err := c.do(ctx, store.SprintVersions(s.ID, &versions)); err != nil {
		return err
	}
	return staleError(fmt.Sprintf("Sprint %q of %s", s.Name, s.ProjectKey), expected, s.Version, changedSince(s.Fields(), versions, expected))
}

// staleProject says of a project what changed since the expected version.
func (c *Call) staleProject(ctx context.Context, p tracker.Project, expected int) error {
	var versions store.FieldVersions
	var lead tenancy.Member
	if err := c.do(ctx, store.ProjectVersions(p.ID, &versions), store.MemberByID(p.LeadID, &lead)); err != nil {
		return err
	}
	fields := p.Fields()
	for n := range fields {
		if fields[n].Name == tracker.FieldLead {
			fields[n].Value = lead.Label()
		}
	}
	return staleError(p.Key, expected, p.Version, changedSince(fields, versions, expected))
}

// changedSince tells of the fields that changed after a version what they are now.
func changedSince(fields []tracker.Field, versions store.FieldVersions, expected int) (changes []string) {
	for _, f := range fields {
		switch {
		case versions[f.Name] <= expected:
		case f.Value == "":
			changes = append(changes, f.Name+" is now empty")
		default:
			changes = append(changes, f.Name+" is now "+brief(f.Value))
		}
	}
	return changes
}

// brief shows a before or after in a few words.
func brief(v any) string {
	if v == nil {
		return "nothing"
	}
	text := string(mustJSON(v))
	var named struct{ Name string }
	if unmarshal(text, &named) && named.Name != "" {
		return named.Name
	}
	return shorten(strings.Trim(text, `"`), 40)
}
