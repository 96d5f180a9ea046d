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

// state reads what the issue is now; its history is dated afterwards.
func (c *converter) state(r row) (dataset.State, error) {
	s := dataset.State{Title: r.get("Summary"), Body: r.get("Description"), Type: typeOf(r), Labels: r.all("Labels"),
		Assignee: c.people.meet(r.get("Assignee"), r.get("Assignee Id"))}
	status, _ := c.workflow.Status(tracker.CleanLine(r.get("Status")))
	if resolution := r.get("Resolution"); status.Category == tracker.Done && unsuccessful(resolution) {
		c.data.Notes.Add(r.place(), `Issues resolved as "`+tracker.CleanLine(resolution)+`" became cancelled.`)
		status, _ = c.workflow.FirstOf(tracker.Cancelled)
	}
	s.Status = tracker.StatusValue{Name: status.Name, Category: status.Category}
	var known bool
	if s.Priority, known = priorityOf(r.get("Priority")); !known {
		c.data.Notes.Add(r.place(), `Priority "`+tracker.CleanLine(r.get("Priority"))+`" is not known and became medium.`)
	}
	if text := r.get("Custom field (Story Points)", "Custom field (Story point estimate)", "Story Points"); text != "" {
		points, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
		if err != nil {
			return s, r.wrong("Story Points", text, "is not a number")
		}
		s.Points = &points
	}
	due, err := c.time(r, "Due date")
	if err != nil {
		return s, err
	}
	if !due.IsZero() {
		day := due.Truncate(24 * time.Hour)
		s.DueDate = &day
	}
	if sprints := r.all("Sprint"); len(sprints) > 0 {
		s.Sprint = c.sprint(sprints[len(sprints)-1])
	}
	if parent := r.get("Parent key", "Parent", "Parent id", "Custom field (Epic Link)", "Epic Link"); parent != "" {
		s.Parent = cmp.Or(c.keys[strings.ToUpper(parent)], parent)
	}
	return s, nil
}

// sprint makes sure that a sprint is there. The last one of an issue counts.
func (c *converter) sprint(name string) string {
	name = tracker.CleanLine(name)
	if !slices.ContainsFunc(c.data.Sprints, func(s dataset.Sprint) bool { return s.Name == name }) {
		c.data.Sprints = append(c.data.Sprints, dataset.Sprint{Name: name})
		c.data.Notes.Add(name, "Jira's CSV tells neither dates nor states of sprints; they were imported as planned.")
	}
	return name
}

// history makes work that has left its first category begin in the first status
// and move when the export says that it did.
func (c *converter) history(r row, i *dataset.Issue, now dataset.State) error {
	resolved, err := c.time(r, "Resolved")
	if err != nil {
		return err
	}
	changed, err := c.time(r, "Status Category Changed")
	if err != nil {
		return err
	}
	at := changed
	if now.Status.Category.Closed() {
		at = firstTime(resolved, changed, i.UpdatedAt, i.CreatedAt())
	}
	if now.Status.Category == tracker.Todo || at.IsZero() {
		return nil
	}
	start := c.workflow.Initial()
	i.Revisions[0].Status = tracker.StatusValue{Name: start.Name, Category: start.Category}
	i.Revise(at, "", func(s *dataset.State) { s.Status = now.Status })
	return nil
}

// comments reads cells of the form time;author;text.
func (c *converter) comments(r row, i *dataset.Issue) {
	for _, cell := range r.all("Comment") {
		parts := strings.SplitN(cell, ";", 3)
		at, err := c.dates.read(parts[0])
		if len(parts) < 3 || err != nil {
			c.data.Notes.Add(i.Place, "A comment without time and author got those of the issue's last update and nobody.")
			i.Comments = append(i.Comments, dataset.Comment{Body: cell, At: firstTime(i.UpdatedAt, i.CreatedAt())})
			continue
		}
		i.Comments = append(i.Comments, dataset.Comment{Author: c.people.find(strings.TrimSpace(parts[1])), Body: parts[2], At: at})
	}
}

// time reads a column; an empty cell is the zero time.
func (c *converter) time(r row, column string) (time.Time, error) {
	text := r.get(column)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := c.dates.read(text)
	if err != nil {
		return t, r.wrong(column, text, "is not a date that Jira writes, such as 31/Jan/26 3:04 PM or 2026-01-31 15:04")
	}
	return t, nil
}
