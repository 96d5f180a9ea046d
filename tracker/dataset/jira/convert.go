package jira

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
)

// converter turns rows into issues, in two passes: the first learns statuses,
// people, ids and the form of dates from all rows.
type converter struct {
	table    *table
	data     *dataset.Dataset
	dates    calendar
	people   people
	workflow tracker.Workflow
	keys     map[string]string // external id by key and by Jira's number of the issue
	prefixes map[string]bool   // project keys
	links    []linkColumn
	passes   int
}

func newConverter(t *table) *converter {
	d := &dataset.Dataset{Source: "jira", Project: dataset.Project{Template: "basic", IssueTypes: []string{"Task", "Bug", "Subtask"}}}
	return &converter{table: t, data: d, keys: map[string]string{}, prefixes: map[string]bool{}, links: linkColumns(t),
		people: people{data: d, byID: map[string]string{}, taken: map[string]string{}}}
}

// learn is the first pass.
func (c *converter) learn(r row) error {
	key, number := splitKey(r.get("Issue key"))
	if number == 0 {
		return r.wrong("Issue key", r.get("Issue key"), "is not a project key, a hyphen and a number")
	}
	full := key + "-" + strconv.Itoa(number)
	c.keys[full], c.prefixes[key] = full, true
	if id := r.get("Issue id"); id != "" {
		c.keys[id] = full
	}
	c.data.Project.Name = cmp.Or(c.data.Project.Name, r.get("Project name"))
	c.data.Project.Description = cmp.Or(c.data.Project.Description, r.get("Project description"))
	for _, name := range []string{"Created", "Updated", "Resolved", "Due date", "Status Category Changed"} {
		c.dates.learn(r.get(name))
	}
	for _, role := range []string{"Assignee", "Reporter", "Creator"} {
		c.people.meet(r.get(role), r.get(role+" Id"))
	}
	if kind := typeOf(r); !slices.ContainsFunc(c.data.Project.IssueTypes, func(t string) bool { return strings.EqualFold(t, kind) }) {
		c.data.Project.IssueTypes = append(c.data.Project.IssueTypes, kind)
	}
	status := tracker.CleanLine(r.get("Status"))
	if status == "" {
		return r.wrong("Status", "", "is empty")
	}
	if _, known := c.workflow.Status(status); !known {
		category := categoryOf(status, r.get("Status Category"), r.get("Resolved") != "")
		c.workflow.Statuses = append(c.workflow.Statuses, tracker.Status{Name: status, Category: category})
	}
	return nil
}

// project finishes a pass: after the first, the workflow is complete.
func (c *converter) project() {
	if c.passes++; c.passes > 1 {
		return
	}
	if c.dates.guessed() {
		c.data.Notes.Add("", "Dates such as 3/4/2026 were read as day/month/year.")
	}
	basic, _ := tracker.FindTemplate("basic") // exists
	for _, s := range basic.Workflow.Statuses {
		if _, has := c.workflow.FirstOf(s.Category); !has {
			c.workflow.Statuses = append(c.workflow.Statuses, s)
		}
	}
	order := tracker.Categories()
	slices.SortStableFunc(c.workflow.Statuses, func(a, b tracker.Status) int {
		return slices.Index(order, a.Category) - slices.Index(order, b.Category)
	})
	c.data.Project.Workflow = &c.workflow
}

// convert is the second pass.
func (c *converter) convert(r row) error {
	prefix, number := splitKey(r.get("Issue key"))
	i := dataset.Issue{Place: r.place(), ExternalID: prefix + "-" + strconv.Itoa(number), Number: number,
		Reporter: c.people.meet(r.get("Reporter"), r.get("Reporter Id"))}
	if len(c.prefixes) > 1 {
		i.Number = 0
		c.data.Notes.Add("", "The file has issues of several projects, so their numbers were not kept.")
	}
	created, err := c.time(r, "Created")
	if err == nil && created.IsZero() {
		err = r.wrong("Created", "", "is empty")
	}
	if err != nil {
		return err
	}
	if i.UpdatedAt, err = c.time(r, "Updated"); err != nil {
		return err
	}
	state, err := c.state(r)
	if err != nil {
		return err
	}
	by := cmp.Or(c.people.meet(r.get("Creator"), r.get("Creator Id")), i.Reporter)
	i.Revisions = []dataset.Revision{{At: created, By: by, State: state}}
	if err := c.history(r, &i, state); err != nil {
		return err
	}
	c.comments(r, &i)
	c.link(r, i.ExternalID)
	c.data.Issues = append(c.data.Issues, i)
	return nil
}

// splitKey reads KEY-n; n is 0 if it is something else.
func splitKey(s string) (prefix string, number int) {
	at := strings.LastIndex(s, "-")
	if at < 1 {
		return "", 0
	}
	number, err := strconv.Atoi(s[at+1:])
	if err != nil || number < 1 {
		return "", 0
	}
	return strings.ToUpper(tracker.CleanLine(s[:at])), number
}

// typeOf is the issue type in our spelling.
func typeOf(r row) string {
	switch kind := tracker.CleanLine(r.get("Issue Type")); strings.ToLower(kind) {
	case "":
		return "Task"
	case "sub-task", "sub task":
		return "Subtask"
	default:
		return kind
	}
}

func firstTime(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}
