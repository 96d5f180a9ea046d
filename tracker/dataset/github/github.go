// Package github reads issues of GitHub repositories into a dataset, from an
// archive file or from the output of the gh command.
package github

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
)

// pullType is the issue type of a pull request. Every project that is made from
// a repository has it, so that pull requests can follow in a later import.
const pullType = "Pull request"

// record is an issue or a pull request, in either form.
type record struct {
	Number      int       `json:"number"`
	Title       string    `json:"title"`
	URL         string    `json:"url"`
	State       string    `json:"state"`
	StateReason string    `json:"stateReason"`
	Author      person    `json:"author"`
	Assignees   []person  `json:"assignees"`
	Labels      []label   `json:"labels"`
	Body        string    `json:"body"`
	CreatedAt   string    `json:"createdAt"`
	UpdatedAt   string    `json:"updatedAt"`
	ClosedAt    string    `json:"closedAt"`
	MergedBy    person    `json:"mergedBy"`
	Milestone   *label    `json:"milestone"`
	Comments    []comment `json:"comments"`
	Reviews     []review  `json:"reviews"`
}

type comment struct {
	Author    person `json:"author"`
	Body      string `json:"body"`
	CreatedAt string `json:"createdAt"`
}

type review struct {
	comment
	Comments []comment `json:"comments"`
}

// person is a login, or an object with one; null is nobody.
type person struct{ Login, Name string }

func (p *person) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		return json.Unmarshal(data, &p.Login)
	}
	type object person
	return json.Unmarshal(data, (*object)(p))
}

// label is a name, or an object with a name or title.
type label struct{ Name, Title string }

func (l *label) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		return json.Unmarshal(data, &l.Name)
	}
	type object label
	return json.Unmarshal(data, (*object)(l))
}

// newDataset is an empty dataset whose project suits GitHub's issues.
func newDataset() *dataset.Dataset {
	return &dataset.Dataset{Project: dataset.Project{Template: "basic", IssueTypes: []string{"Task", "Bug", "Subtask", pullType}}}
}

// setSource names where the issues come from: github:owner/repo.
func setSource(d *dataset.Dataset, repo string) {
	d.Source = "github:" + strings.ToLower(repo)
	d.Project.Name = repo[strings.LastIndex(repo, "/")+1:]
	d.Project.Description = "Imported from " + repo + " on GitHub."
}

// add turns a record into an issue: created open, and moved when it was closed.
func add(d *dataset.Dataset, where string, r record) error {
	if r.Number > 0 {
		where += " (#" + strconv.Itoa(r.Number) + ")"
	}
	times := clock{where: where}
	created, updated, closed := times.read("createdAt", r.CreatedAt), times.read("updatedAt", r.UpdatedAt), times.read("closedAt", r.ClosedAt)
	switch {
	case times.err != nil:
		return times.err
	case r.Number <= 0:
		return invalid(where+" has no number.", `Export with the field "number".`)
	case created.IsZero():
		return invalid(where+" has no createdAt.", `Export with the field "createdAt".`)
	case r.State != "OPEN" && r.State != "CLOSED" && r.State != "MERGED":
		return invalid(where+`: the state "`+tracker.CleanLine(r.State)+`" is not OPEN or CLOSED.`, `Export with the field "state".`)
	}
	by := d.AddPerson(r.Author.Login, r.Author.Name, "")
	i := dataset.Issue{Place: where, ExternalID: strconv.Itoa(r.Number), Number: r.Number, Reporter: by, UpdatedAt: updated}
	first := dataset.State{Title: r.Title, Body: r.Body, Type: "Task", Status: tracker.StatusValue{Name: "To Do", Category: tracker.Todo}}
	for _, l := range r.Labels {
		first.Labels = append(first.Labels, l.Name)
		if strings.EqualFold(l.Name, "bug") {
			first.Type = "Bug"
		}
	}
	if r.Milestone != nil && r.Milestone.Title != "" {
		first.Labels = append(first.Labels, "milestone: "+r.Milestone.Title)
	}
	for n, p := range r.Assignees {
		handle := d.AddPerson(p.Login, p.Name, "")
		switch n {
		case 0:
			first.Assignee = handle
		case 1:
			d.Notes.Add(where, "Only the first of several assignees was kept.")
		}
	}
	if strings.Contains(r.URL, "/pull/") {
		pull(&first)
	}
	i.Revisions = []dataset.Revision{{At: created, By: by, State: first}}
	if r.State != "OPEN" {
		if closed.IsZero() {
			closed = slices.MaxFunc([]time.Time{created, updated}, time.Time.Compare)
		}
		i.Revise(closed, d.AddPerson(r.MergedBy.Login, r.MergedBy.Name, ""), func(s *dataset.State) { s.Status = closedAs(r, *s) })
	}
	if err := addComments(d, &i, r); err != nil {
		return err
	}
	d.Issues = append(d.Issues, i)
	return nil
}

// pull makes the state that of a pull request, which is being worked on as long as it
// is open.
func pull(s *dataset.State) {
	s.Type, s.Status = pullType, tracker.StatusValue{Name: "In Progress", Category: tracker.InProgress}
}

// closedAs tells work that was done from work that was given up.
func closedAs(r record, s dataset.State) tracker.StatusValue {
	if r.StateReason == "NOT_PLANNED" || r.StateReason == "DUPLICATE" || s.Type == pullType && r.State == "CLOSED" {
		return tracker.StatusValue{Name: "Cancelled", Category: tracker.Cancelled}
	}
	return tracker.StatusValue{Name: "Done", Category: tracker.Done}
}

// addComments takes the comments, and of reviews those with something to read.
func addComments(d *dataset.Dataset, i *dataset.Issue, r record) error {
	all := slices.Clone(r.Comments)
	for _, review := range r.Reviews {
		if review.Body == "" && len(review.Comments) == 0 {
			d.Notes.Add(i.Place, "Reviews without text were left out.")
		}
		for _, c := range append([]comment{review.comment}, review.Comments...) {
			if c.Author == (person{}) {
				c.Author = review.Author
			}
			if c.Body != "" {
				all = append(all, c)
			}
		}
	}
	for n, c := range all {
		times := clock{where: i.Place + ", comment " + strconv.Itoa(n+1)}
		at := times.read("createdAt", c.CreatedAt)
		if times.err != nil {
			return times.err
		}
		i.Comments = append(i.Comments, dataset.Comment{Author: d.AddPerson(c.Author.Login, c.Author.Name, ""), Body: c.Body, At: at})
	}
	return nil
}

// clock reads the times of one record, and keeps the first that is not one.
type clock struct {
	where string
	err   error
}

func (c *clock) read(field, s string) time.Time {
	if s == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil && c.err == nil {
		c.err = invalid(c.where+": "+field+" "+strconv.Quote(tracker.CleanLine(s))+" is not a time.", "Use the form 2026-01-31T12:00:00Z.")
	}
	return at.UTC()
}

func invalid(message, next string) error {
	return tenancy.Errorf(tenancy.InvalidValue, "%s", message).WithNext(next)
}
