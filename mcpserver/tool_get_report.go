package mcpserver

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/chart"
	"github.com/colaflow/colaflow/tracker/report"
)

// ReportArguments are the arguments of get_report.
type ReportArguments struct {
	Type    string   `json:"type" need:"true" enum:"sprint_burndown|sprint_burnup|sprint_report|velocity|cumulative_flow|cycle_time|lead_time|time_in_status|throughput|created_vs_resolved|aging_wip|workload|forecast|project_status"`
	Project []string `json:"project" range:"0,50" doc:"Key; throughput, created_vs_resolved and workload take several, or none for all"`
	Sprint  string   `json:"sprint" doc:"Name, current, next or last"`
	From    string   `json:"from" doc:"First day"`
	To      string   `json:"to" doc:"Last day"`
	Unit    string   `json:"unit" enum:"points|count|hours"`
	Detail  string   `json:"detail" enum:"summary|table|series" doc:"Default summary"`
	Chart   string   `json:"chart" enum:"none|png" doc:"Adds a picture"`
	Page    bool     `json:"page" doc:"Link to show a person; opens once"`
}

// A report is long, and tells its progress, if it goes back further or has more work.
const (
	longRange    = 92 * 24 * time.Hour
	longHistory  = 2000 // issues
	reportStages = 3    // read, computed, written
)

// reportOut is a report with as much detail as was asked for.
type reportOut struct {
	report.Report
	Page *pageOut `json:"page,omitempty"`
}

// pageOut is where a person can open a report.
type pageOut struct {
	Link      string `json:"link"`
	ExpiresAt string `json:"expires_at"`
	Hint      string `json:"hint"`
}

func getReport() Tool {
	return define(Tool{
		Name: "get_report", Title: "Get a report", ReadOnly: true, Idempotent: true, Permission: needs(tenancy.ReportsRead),
		Description: "Agile reports with exact numbers, reasons and definitions: are we on track, which sprint slipped and why, when will it be done. " +
			"velocity compares sprints; sprint_report says what became of each issue of one.",
	}, getReportHandler)
}

func getReportHandler(ctx context.Context, c *Call, in ReportArguments) (reportOut, error) {
	full, err := c.report(ctx, in)
	if err != nil {
		return reportOut{}, err
	}
	if in.Chart == "png" {
		picture, err := chartOf(&full)
		if err != nil {
			return reportOut{}, err
		}
		if picture != nil {
			c.show(picture)
		}
	}
	out := reportOut{Report: detailed(full, in.Detail)}
	if in.Page {
		out.Page, err = c.page(ctx, full)
	}
	return out, err
}

// ReportFor computes a report as get_report does, with all its detail, for who runs
// the program: the transaction alone decides what it may see.
func ReportFor(ctx context.Context, tx *store.Tx, in ReportArguments, now time.Time) (report.Report, error) {
	c := &Call{Principal: tenancy.Principal{Permissions: tenancy.AllPermissions}, Tx: tx, Now: now}
	return c.report(ctx, in)
}

// page puts a report where a person can open it. The link is the right to see it, so
// it shows no more than this call may.
func (c *Call) page(ctx context.Context, r report.Report) (*pageOut, error) {
	if c.putPage == nil {
		return nil, tenancy.Errorf(tenancy.Unavailable, "Pages are not served here.").WithNext("Leave out page.")
	}
	content, err := renderReport(r)
	if err != nil {
		return nil, err
	}
	put, err := c.putPage(ctx, c.TenantID, pageTitle(r), content, cmp.Or(c.MemberEmail, c.TokenName))
	if err != nil {
		return nil, err
	}
	c.changes = append(c.changes, change{Field: "page", After: put.ID.String()})
	return &pageOut{Link: put.Link, ExpiresAt: stamp(put.ExpiresAt), Hint: "Give the link to a person: it opens once, in one browser, after a click."}, nil
}

// chartOf draws a report's chart; where it has none, the report says so.
func chartOf(r *report.Report) ([]byte, error) {
	drawn, ok := chart.Of(*r)
	if !ok {
		r.Warnings = append(slices.Clone(r.Warnings), "There is nothing to draw.")
		return nil, nil
	}
	return drawn.PNG()
}

// report computes a report with all its detail. It ends the call's transaction.
func (c *Call) report(ctx context.Context, in ReportArguments) (report.Report, error) {
	q := report.Question{Type: report.Type(in.Type), Sprint: in.Sprint, Unit: report.Unit(in.Unit), Now: c.Now}
	for _, end := range []struct {
		name, text string
		into       **time.Time
	}{{"from", in.From, &q.From}, {"to", in.To, &q.To}} {
		if end.text == "" {
			continue
		}
		day, err := tracker.ParseDay(end.name, end.text)
		if err != nil {
			return report.Report{}, err
		}
		*end.into = &day
	}
	spec, ok := report.Find(q.Type)
	if !ok {
		return report.Make(q, report.Data{}) // says so
	}
	keys, err := c.reportProjects(ctx, spec, in.Project)
	if err != nil {
		return report.Report{}, err
	}
	d, err := c.Tx.ReportData(ctx, spec, keys, q.Since())
	if err != nil {
		return report.Report{}, err
	}
	if len(d.Projects) == 0 {
		return report.Report{}, tenancy.Errorf(tenancy.NotFound, "This token sees no active project.").WithNext("Pass the key of an archived one as project.")
	}
	var told *progress
	if q.From != nil && c.Now.Sub(*q.From) > longRange || len(d.Issues) > longHistory {
		told = c.progress
	}
	told.tell(1, reportStages, fmt.Sprintf("Read the history of %d issues.", len(d.Issues)))
	r, err := report.Make(q, d)
	if err != nil {
		return report.Report{}, err
	}
	told.tell(2, reportStages, "Computed the numbers.")
	if !c.May(tenancy.IssuesRead) {
		r.Table = r.Table.Without("title")
	}
	return r, nil
}

// reportProjects checks the keys of the projects that a report shall be about; none
// means all, where the report can span them.
func (c *Call) reportProjects(ctx context.Context, spec report.Spec, given []string) ([]string, error) {
	c.Tx.Pin()
	var keys []string
	for _, key := range given {
		if key = projectKey(key); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 && !spec.Many {
		if err := c.do(ctx, store.ProjectKeys("", 2, &keys)); err != nil {
			return nil, err
		}
		if len(keys) != 1 {
			return nil, tenancy.Errorf(tenancy.Missing, "%s is about one project.", spec.Type).WithNext("Pass its key as project; list_projects shows them.")
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	var found []tracker.Project
	if err := c.do(ctx, store.ProjectsByKeys(keys, &found)); err != nil {
		return nil, err
	}
	for _, key := range keys {
		if !slices.ContainsFunc(found, func(p tracker.Project) bool { return p.Key == key }) {
			return nil, c.foundProject(ctx, tracker.Project{}, key)
		}
	}
	if len(found) == 1 {
		c.touch(found[0].Key, found[0].ID)
	} else {
		c.touch(string(spec.Type), uuid.Nil)
	}
	return keys, nil
}

// detailed leaves out the detail that nobody asked for. Where there is no series,
// the table stands in.
func detailed(r report.Report, detail string) report.Report {
	if detail == "series" && r.Series == nil && r.Table != nil {
		r.Warnings = append(slices.Clone(r.Warnings), string(r.Type)+" has no series; this is its table.")
		return r
	}
	if detail != "table" {
		r.Table = nil
	}
	if detail != "series" {
		r.Series = nil
	}
	return r
}

// fit cuts the detail to what a response may hold: the first rows of a table, whose
// order is by weight, and the newest part of a series.
func (out reportOut) fit(most int) any {
	const least = 1
	for size := len(mustJSON(out)); size > most; size = len(mustJSON(out)) {
		share := float64(most-2<<10) / float64(size)
		switch {
		case out.Table != nil && len(out.Table.Rows) > least:
			out.Table = out.Table.First(int(share * float64(len(out.Table.Rows))))
		case out.Series != nil && len(out.Series.X) > least:
			out.Series = out.Series.Last(int(share * float64(len(out.Series.X))))
		default:
			return out
		}
	}
	if out.Series != nil {
		out.Warnings = append(slices.Clone(out.Warnings), "The series was cut to its newest part; narrow from and to for the rest.")
	}
	return out
}
