package dataset

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// maxNumber is the largest number that an issue key can carry.
const maxNumber = 999_999_999

// Check cleans every text, cuts what is too long, orders history by time and
// drops what points nowhere, each with a note. What it cannot mend is an
// InvalidValue error that names the place. A second Check changes nothing.
func (d *Dataset) Check() error {
	if d.Source == "" {
		return errors.New("check dataset: it names no source, so a second load would double it")
	}
	if err := d.checkProject(); err != nil {
		return err
	}
	for n := range d.People {
		p := &d.People[n]
		p.Handle = Handle(p.Handle)
		if p.Handle == "" {
			return tenancy.Errorf(tenancy.InvalidValue, "Person %d has no handle.", n+1).WithNext("Give everybody a handle.")
		}
		p.Name = cmp.Or(d.line(p.Handle, "name", p.Name, tracker.MaxName), p.Handle)
	}
	d.byHandle = nil
	for n := range d.Sprints {
		s := &d.Sprints[n]
		s.Name = d.sprintName("sprint "+strconv.Itoa(n+1), s.Name)
		s.Goal = d.text(s.Name, "goal", s.Goal, tracker.MaxTitle)
		s.State = cmp.Or(s.State, tracker.SprintPlanned)
	}
	if err := d.checkIdentity(); err != nil {
		return err
	}
	for n := range d.Issues {
		if err := d.checkIssue(&d.Issues[n]); err != nil {
			return err
		}
	}
	if _, err := d.ParentsFirst(); err != nil {
		return err
	}
	d.checkLinks()
	return nil
}

func (d *Dataset) checkProject() (err error) {
	p := &d.Project
	if err = tracker.CheckProjectKey(p.Key); err != nil {
		return err
	}
	p.Name = cmp.Or(d.line("project", "name", p.Name, tracker.MaxName), p.Key)
	p.Description = d.text("project", "description", p.Description, tracker.MaxBody)
	p.Template, p.Timezone = cmp.Or(p.Template, "basic"), cmp.Or(p.Timezone, "UTC")
	if err := tracker.CheckTimezone(p.Timezone); err != nil {
		return err
	}
	for n := range p.IssueTypes {
		p.IssueTypes[n] = d.line("project", "type", p.IssueTypes[n], tracker.MaxLabel)
	}
	if p.Workflow != nil {
		for n := range p.Workflow.Statuses {
			p.Workflow.Statuses[n].Name = d.line("project", "status", p.Workflow.Statuses[n].Name, tracker.MaxLabel)
		}
	}
	_, err = tracker.FindTemplate(p.Template)
	return err
}

// checkIdentity refuses two issues of one id or one number.
func (d *Dataset) checkIdentity() error {
	byID, byNumber := make(map[string]string, len(d.Issues)), make(map[int]string, len(d.Issues))
	for n := range d.Issues {
		i := &d.Issues[n]
		i.Place = cmp.Or(i.Place, "issue "+cmp.Or(i.ExternalID, strconv.Itoa(n+1)))
		switch {
		case i.ExternalID == "":
			return place(i, "has no id of its own")
		case byID[i.ExternalID] != "":
			return place(i, "has the same id %q as %s", i.ExternalID, byID[i.ExternalID])
		case i.Number < 0 || i.Number > maxNumber:
			return place(i, "has the number %d; it must be from 1 to %d", i.Number, maxNumber)
		case i.Number > 0 && byNumber[i.Number] != "":
			return place(i, "has the same number %d as %s", i.Number, byNumber[i.Number])
		case len(i.Revisions) == 0:
			return place(i, "has no state")
		}
		byID[i.ExternalID], byNumber[i.Number] = i.Place, i.Place
	}
	return nil
}

func (d *Dataset) checkIssue(i *Issue) error {
	if at := i.CreatedAt(); at.Year() < 1970 || at.Year() > 9999 {
		return place(i, "has no time of creation between the years 1970 and 9999")
	}
	if !i.UpdatedAt.IsZero() && (i.UpdatedAt.Year() < 1970 || i.UpdatedAt.Year() > 9999) {
		return place(i, "has a time of update that is not between the years 1970 and 9999")
	}
	if i.Reporter = Handle(i.Reporter); !d.knows(i.Reporter) {
		return place(i, "names %q, who is not among the people", i.Reporter)
	}
	var raw, clean State
	for n := range i.Revisions {
		r := &i.Revisions[n]
		if n > 0 && r.At.Before(i.Revisions[n-1].At) {
			d.Notes.Add(i.Place, "A change was dated before what it changed; it got that time.")
			r.At = i.Revisions[n-1].At
		}
		if r.By = Handle(r.By); !d.knows(r.By) {
			return place(i, "names %q, who is not among the people", r.By)
		}
		given := r.State
		if err := d.checkState(i, &r.State, raw, clean); err != nil {
			return err
		}
		raw, clean = given, r.State
	}
	return d.checkComments(i)
}

// checkState mends one state. What equals the state before is taken from there,
// so that a long text is cleaned, and noted, once.
func (d *Dataset) checkState(i *Issue, s *State, rawBefore, before State) error {
	if s.Title != rawBefore.Title || before.Title == "" {
		s.Title = d.line(i.Place, "title", s.Title, tracker.MaxTitle)
		if s.Title == "" {
			return place(i, "has an empty title")
		}
	} else {
		s.Title = before.Title
	}
	if s.Body != rawBefore.Body {
		s.Body = d.text(i.Place, "body", s.Body, tracker.MaxBody)
	} else {
		s.Body = before.Body
	}
	s.Type = cmp.Or(d.line(i.Place, "type", s.Type, tracker.MaxLabel), "Task")
	s.Status.Name = d.line(i.Place, "status", s.Status.Name, tracker.MaxLabel)
	if s.Status.Name == "" || !slices.Contains(tracker.Categories(), s.Status.Category) {
		return place(i, "has no status")
	}
	if s.Priority = cmp.Or(s.Priority, tracker.Medium); s.Priority < tracker.Urgent || s.Priority > tracker.Low {
		return place(i, "has the unknown priority %d", s.Priority)
	}
	if s.Assignee = Handle(s.Assignee); !d.knows(s.Assignee) {
		return place(i, "names %q, who is not among the people", s.Assignee)
	}
	if s.Points != nil && (math.IsNaN(*s.Points) || tracker.CheckPoints(*s.Points) != nil) {
		d.Notes.Add(i.Place, "Points that are not from 0 to 1000 were left out.")
		s.Points = nil
	}
	if s.DueDate != nil && (s.DueDate.Year() < 1970 || s.DueDate.Year() > 9999) {
		d.Notes.Add(i.Place, "A due date that is not between the years 1970 and 9999 was left out.")
		s.DueDate = nil
	}
	s.Sprint = d.sprintName(i.Place, s.Sprint)
	if s.Sprint != "" && !slices.ContainsFunc(d.Sprints, func(known Sprint) bool { return known.Name == s.Sprint }) {
		return place(i, "is in the sprint %q, which is not there", s.Sprint)
	}
	if slices.Equal(s.Labels, rawBefore.Labels) {
		s.Labels = before.Labels
		return nil
	}
	labels := make([]string, len(s.Labels))
	for n, label := range s.Labels {
		labels[n] = d.line(i.Place, "label", label, tracker.MaxLabel)
	}
	s.Labels = tracker.MergeLabels(nil, labels, nil, nil)
	return nil
}

func (d *Dataset) checkComments(i *Issue) error {
	slices.SortStableFunc(i.Comments, func(a, b Comment) int { return a.At.Compare(b.At) })
	seen, kept := map[string]int{}, i.Comments[:0]
	for _, c := range i.Comments {
		if c.Author = Handle(c.Author); !d.knows(c.Author) {
			return place(i, "has a comment of %q, who is not among the people", c.Author)
		}
		if c.At.Year() < 1970 || c.At.Year() > 9999 {
			return place(i, "has a comment without a time between the years 1970 and 9999")
		}
		if c.Body = d.text(i.Place, "comment", c.Body, tracker.MaxBody); c.Body == "" {
			d.Notes.Add(i.Place, "An empty comment was left out.")
			continue
		}
		if c.ExternalID == "" {
			c.ExternalID = cmp.Or(c.Author, "?") + "@" + c.At.UTC().Format(time.RFC3339Nano)
		}
		if seen[c.ExternalID]++; seen[c.ExternalID] > 1 {
			c.ExternalID += "#" + strconv.Itoa(seen[c.ExternalID])
		}
		kept = append(kept, c)
	}
	i.Comments = kept
	return nil
}

func (d *Dataset) knows(handle string) bool {
	_, known := d.index()[handle]
	return known || handle == ""
}

func place(i *Issue, format string, args ...any) error {
	message := i.Place + " " + fmt.Sprintf(format, args...) + "."
	return tenancy.Errorf(tenancy.InvalidValue, "%s", message).WithNext("Mend it in the file and import again; nothing was imported.")
}
