package mcpserver

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// projectKey normalizes a project argument.
func projectKey(s string) string { return strings.ToUpper(strings.TrimSpace(s)) }

// foundProject turns a project that was not found into an error with a hint;
// the hint names only what the token may see.
func (c *Call) foundProject(ctx context.Context, p tracker.Project, key string) error {
	if p.ID != uuid.Nil {
		return nil
	}
	e := tenancy.Errorf(tenancy.NotFound, "Project %q not found or not visible to this token.", shorten(tracker.CleanLine(key), 40))
	var keys []string
	if err := c.do(ctx, store.ProjectKeys("", 200, &keys)); err != nil {
		return err
	}
	if best := closest(key, keys); best != "" {
		return e.WithNext("Did you mean " + best + "?")
	}
	if len(keys) == 0 {
		return e.WithNext("This token sees no project.")
	}
	return e.WithNext("It sees " + strings.Join(keys[:min(len(keys), 10)], ", ") + "; list_projects shows all.")
}

// projectByKey reads a project or explains that it is not there.
func (c *Call) projectByKey(ctx context.Context, key string) (tracker.Project, error) {
	var p tracker.Project
	if err := c.do(ctx, store.ProjectByKey(projectKey(key), &p)); err != nil {
		return p, err
	}
	return p, c.foundProject(ctx, p, projectKey(key))
}

// writableProject reads a project that a write is about.
func (c *Call) writableProject(ctx context.Context, key string) (tracker.Project, error) {
	p, err := c.projectByKey(ctx, key)
	if err != nil {
		return p, err
	}
	c.touch(p.Key, p.ID)
	return p, p.CheckWritable()
}

// writableIssue locks the issue that a write is about.
func (c *Call) writableIssue(ctx context.Context, key tracker.IssueKey) (i tracker.Issue, p tracker.Project, err error) {
	var found []tracker.Issue
	if err := c.do(ctx, store.LockIssues([]tracker.IssueKey{key}, &found), store.ProjectByKey(key.Project, &p)); err != nil {
		return i, p, err
	}
	if len(found) == 0 {
		return i, p, noIssues([]string{key.String()})
	}
	c.touch(key.String(), p.ID)
	return found[0], p, p.CheckWritable()
}

// writableIssues locks the issues that a write is about, in the order of their keys, and
// returns the projects that they are of.
func (c *Call) writableIssues(ctx context.Context, keys []tracker.IssueKey) (issues []tracker.Issue, projects []tracker.Project, err error) {
	var found []tracker.Issue
	if err := c.do(ctx, store.LockIssues(keys, &found), store.ProjectsByKeys(projectsOf(keys), &projects)); err != nil {
		return nil, nil, err
	}
	issues, missing := inOrder(keys, found)
	if len(missing) > 0 {
		return nil, nil, noIssues(missing)
	}
	for _, p := range projects {
		if err := p.CheckWritable(); err != nil {
			return nil, nil, err
		}
	}
	return issues, projects, nil
}

// member finds the person that a name means: "me", an e-mail, a handle or a
// display name.
func (c *Call) member(ctx context.Context, name string) (tenancy.Member, error) {
	people, err := c.members(ctx, name)
	if err != nil {
		return tenancy.Member{}, err
	}
	return people[strings.ToLower(tracker.CleanLine(name))], nil
}

// members is member for several names at once; the result is by lower-case name.
func (c *Call) members(ctx context.Context, names ...string) (map[string]tenancy.Member, error) {
	found := map[string]tenancy.Member{}
	var ask []string
	for _, name := range names {
		name = strings.ToLower(tracker.CleanLine(name))
		if name != "me" {
			ask = append(ask, name)
			continue
		}
		if c.MemberID == uuid.Nil {
			return nil, tenancy.Errorf(tenancy.InvalidValue, `"me" means nobody: this is a service token without an owner.`).
				WithNext("Pass the e-mail of a member.")
		}
		found["me"] = tenancy.Member{ID: c.MemberID, Name: c.MemberName, Email: c.MemberEmail}
	}
	if len(ask) == 0 {
		return found, nil
	}
	var candidates []tenancy.Member
	if err := c.do(ctx, store.MembersByName(ask, &candidates)); err != nil {
		return nil, err
	}
	for _, name := range ask {
		m, err := store.PickMember(name, candidates)
		if err != nil {
			if tenancy.CodeOf(err) == tenancy.NotFound {
				return nil, c.suggestMember(ctx, name, err)
			}
			return nil, err
		}
		found[name] = m
	}
	return found, nil
}

func (c *Call) suggestMember(ctx context.Context, name string, notFound error) error {
	var people []tenancy.Member
	if err := c.do(ctx, store.Members("", 200, &people)); err != nil {
		return err
	}
	labels := make([]string, 0, 2*len(people))
	for _, m := range people {
		labels = append(labels, m.Label(), m.Name)
	}
	next := "Pass an e-mail, handle or display name; get_project with include members lists them."
	if best := closest(name, labels); best != "" {
		next = "Did you mean " + best + "?"
	}
	return notFound.(*tenancy.Error).WithNext(next)
}

// issueKeys reads issue keys, refusing what is not one.
func issueKeys(texts []string) ([]tracker.IssueKey, error) {
	keys := make([]tracker.IssueKey, len(texts))
	for i, text := range texts {
		key, err := tracker.ParseIssueKey(text)
		if err != nil {
			return nil, err
		}
		keys[i] = key
	}
	return keys, nil
}

// inOrder arranges issues as their keys were given, without repeats, and names
// the keys that were not found.
func inOrder(keys []tracker.IssueKey, found []tracker.Issue) (issues []tracker.Issue, missing []string) {
	byKey := map[tracker.IssueKey]tracker.Issue{}
	for _, i := range found {
		byKey[i.Key] = i
	}
	seen := map[tracker.IssueKey]bool{}
	for _, key := range keys {
		if seen[key] {
			continue
		}
		seen[key] = true
		if i, ok := byKey[key]; ok {
			issues = append(issues, i)
		} else {
			missing = append(missing, key.String())
		}
	}
	return issues, missing
}

// noIssues is the error for keys that are not there, or not for this token.
func noIssues(missing []string) error {
	what, verb := "Issue ", " not found or not visible to this token."
	if len(missing) > 1 {
		what = "Issues "
	}
	return tenancy.Errorf(tenancy.NotFound, "%s%s%s", what, strings.Join(missing, ", "), verb).WithNext("search_issues finds keys.")
}

// sprint finds a sprint of a project by name, or by current or next.
func (c *Call) sprint(ctx context.Context, p tracker.Project, name string) (tracker.Sprint, error) {
	f := store.SprintFilter{ProjectID: p.ID, Limit: 200}
	choice := strings.ToLower(tracker.CleanLine(name))
	switch choice {
	case "current":
		f.State, f.Limit = tracker.SprintActive, 1
	case "next":
		f.State, f.Limit = tracker.SprintPlanned, 1
	default:
		f.Name = tracker.CleanLine(name)
	}
	var found []tracker.Sprint
	if err := c.do(ctx, store.Sprints(f, &found, nil)); err != nil {
		return tracker.Sprint{}, err
	}
	if len(found) > 0 {
		return found[0], nil
	}
	var all []tracker.Sprint
	if err := c.do(ctx, store.Sprints(store.SprintFilter{ProjectID: p.ID, Limit: 20}, &all, nil)); err != nil {
		return tracker.Sprint{}, err
	}
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = s.Name
	}
	e := tenancy.Errorf(tenancy.NotFound, "%s has no sprint %q.", p.Key, shorten(f.Name+choiceName(f, choice), 60))
	if best := closest(name, names); best != "" {
		return tracker.Sprint{}, e.WithNext("Did you mean " + best + "?")
	}
	return tracker.Sprint{}, e.WithNext("list_sprints shows them; save_sprint makes one.")
}

func choiceName(f store.SprintFilter, choice string) string {
	if f.Name != "" {
		return ""
	}
	return choice
}

// ids lists the ids of issues.
func ids(issues ...tracker.Issue) []uuid.UUID {
	list := make([]uuid.UUID, len(issues))
	for n, i := range issues {
		list[n] = i.ID
	}
	return list
}
