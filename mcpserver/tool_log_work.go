package mcpserver

import (
	"cmp"
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/report"
)

type logWorkIn struct {
	Key     string `json:"key" need:"true" doc:"Issue key"`
	Spent   string `json:"spent,omitempty" doc:"Such as 1h 30m, or"`
	Minutes int    `json:"minutes,omitempty" range:"1,10080"`
	Started string `json:"started,omitempty" doc:"Day in the project's timezone; default today"`
	Comment string `json:"comment,omitempty"`
	Remove  string `json:"remove_entry,omitempty" doc:"Instead: id of an entry of yours to take back"`
	WriteOptions
}

type logWorkOut struct {
	Key          string `json:"key"`
	ID           string `json:"id"`
	Minutes      int    `json:"minutes"`
	Started      string `json:"started"`
	TotalMinutes int    `json:"total_minutes"` // of the issue
	URL          string `json:"url"`
}

func logWork() Tool {
	return define(Tool{
		Name: "log_work", Title: "Log time spent", Toolset: ToolsetTime, Permission: needs(tenancy.TimeWrite),
		Description: "Log time spent on an issue, or take an entry of yours back. get_issue with include worklog lists entries and their ids.",
	}, logWorkHandler)
}

func logWorkHandler(ctx context.Context, c *Call, in logWorkIn) (logWorkOut, error) {
	key, err := tracker.ParseIssueKey(in.Key)
	if err != nil {
		return logWorkOut{}, err
	}
	i, p, err := c.writableIssue(ctx, key)
	if err != nil {
		return logWorkOut{}, err
	}
	var totals map[uuid.UUID]int
	if err := c.do(ctx, store.TimeSpent(ids(i), &totals)); err != nil {
		return logWorkOut{}, err
	}
	before := totals[i.ID]
	var w tracker.Worklog
	total := before
	if in.Remove != "" {
		if w, err = c.ownWorklog(ctx, i, in.Remove); err == nil {
			total -= w.Minutes
			err = c.do(ctx, store.DeleteWorklog(i, w, before, c.author()))
		}
	} else if w, err = c.newWorklog(p, in); err == nil {
		total += w.Minutes
		err = c.do(ctx, store.InsertWorklog(i, w, before, c.author()))
	}
	if err != nil {
		return logWorkOut{}, err
	}
	e := tracker.WorkChanged(i.ID, before, total)
	c.changes = append(c.changes, change{key.String(), e.Field, e.Before, e.After})
	return logWorkOut{Key: key.String(), ID: w.ID.String(), Minutes: w.Minutes, Started: w.StartedOn.Format(time.DateOnly), TotalMinutes: total, URL: c.links.issue(key)}, nil
}

// newWorklog is the entry that the arguments describe.
func (c *Call) newWorklog(p tracker.Project, in logWorkIn) (w tracker.Worklog, err error) {
	w.ID, w.Minutes, w.StartedOn = tenancy.NewID(), in.Minutes, report.Today(p, c.Now)
	switch {
	case in.Spent == "" && in.Minutes == 0:
		return w, tenancy.Errorf(tenancy.Missing, "log_work needs spent or minutes.")
	case in.Spent != "" && in.Minutes != 0:
		return w, tenancy.Errorf(tenancy.InvalidValue, "Pass spent or minutes, not both.")
	case in.Spent != "":
		if w.Minutes, err = tracker.ParseWork(in.Spent); err != nil {
			return w, err
		}
	}
	if in.Started != "" {
		day, err := tracker.ParseDay("started", in.Started)
		if err != nil {
			return w, err
		}
		if day.After(w.StartedOn) {
			return w, tenancy.Errorf(tenancy.InvalidValue, "started %s is in the future: in %s it is %s.", in.Started, p.Timezone, w.StartedOn.Format(time.DateOnly))
		}
		w.StartedOn = day
	}
	w.Comment, err = tracker.CheckText("comment", in.Comment, tracker.MaxTitle)
	return w, err
}

// ownWorklog finds an entry of the issue that the caller may take back.
func (c *Call) ownWorklog(ctx context.Context, i tracker.Issue, text string) (w tracker.Worklog, err error) {
	if id, wrong := uuid.Parse(text); wrong == nil {
		if err := c.do(ctx, store.WorklogByID(i.ID, id, &w)); err != nil {
			return w, err
		}
	}
	if w.ID == uuid.Nil || w.ID.String() != text {
		return tracker.Worklog{}, tenancy.Errorf(tenancy.NotFound, "%s has no worklog entry %q.", i.Key, shorten(tracker.CleanLine(text), 40)).
			WithNext("get_issue with include worklog lists their ids.")
	}
	if !w.IsOf(c.MemberID, c.TokenID) {
		return tracker.Worklog{}, tenancy.Errorf(tenancy.Forbidden, "This entry is of %s: only they may take it back.", shorten(cmp.Or(w.Author, w.Agent), 80)).WithNext("Do not retry.")
	}
	return w, nil
}

// worklogView is the time spent on an issue: all of it, and the entries.
type worklogView struct {
	TotalMinutes int         `json:"total_minutes"`
	Total        string      `json:"total"`
	Entries      []entryView `json:"entries"`
}

type entryView struct {
	ID      string `json:"id"`
	Author  string `json:"author,omitempty"`
	Agent   string `json:"agent,omitempty"`
	Started string `json:"started"`
	Minutes int    `json:"minutes"`
	Comment string `json:"comment,omitempty"`
}

// viewWorklog is nil if nobody logged any time.
func viewWorklog(issue uuid.UUID, entries []tracker.Worklog, total int) *worklogView {
	if total == 0 {
		return nil
	}
	v := &worklogView{TotalMinutes: total, Total: tracker.FormatWork(total)}
	for _, w := range entries {
		if w.IssueID == issue {
			v.Entries = append(v.Entries, entryView{w.ID.String(), w.Author, w.Agent, w.StartedOn.Format(time.DateOnly), w.Minutes, w.Comment})
		}
	}
	return v
}
