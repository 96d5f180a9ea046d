package mcpserver

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker/chart"
	"github.com/colaflow/colaflow/tracker/report"
)

// PutPage puts HTML of a tenant where a person can open it, in somebody's name.
type PutPage func(ctx context.Context, tenant tenancy.TenantID, title string, content []byte, by string) (PutPageResult, error)

// PutPageResult is a page that was put. Link opens it once.
type PutPageResult struct {
	ID        uuid.UUID
	Link      string
	ExpiresAt time.Time
}

//go:embed templates/report.html
var pageFiles embed.FS

// maxPageRows is how much of a table a page shows.
const maxPageRows = 1000

// pageTitle is what a person sees before the page opens.
func pageTitle(r report.Report) string { return r.Title + ": " + cmp.Or(r.Sprint, r.Project) }

// pageData is a report as the template writes it: texts, but for the chart.
type pageData struct {
	report.Report
	Heading  string
	Made     string
	Chart    template.HTML // of tracker/chart, which escapes what it writes
	Figures  []pageFigure
	Head     []pageCell
	Counted  string
	Rows     [][]pageCell
	More     int
	Excluded []string
}

type pageFigure struct {
	Name, Value string
	List        []string
}

type pageCell struct {
	Text  string
	Class string // number, short or none
}

// renderReport writes a report as a page that needs neither scripts nor anything
// that is loaded.
func renderReport(r report.Report) ([]byte, error) {
	t, err := template.ParseFS(pageFiles, "templates/report.html")
	if err != nil {
		return nil, fmt.Errorf("parse report page: %w", err)
	}
	location, err := time.LoadLocation(r.Timezone)
	if err != nil {
		location = time.UTC // as the report itself
	}
	d := pageData{Report: r, Heading: pageTitle(r), Counted: string(r.Unit), Made: r.AsOf.In(location).Format("2 January 2006, 15:04 ") + r.Timezone}
	if r.Unit == report.Count {
		d.Counted = "issues"
	}
	if drawn, ok := chart.Of(r); ok {
		svg, err := drawn.SVG()
		if err != nil {
			return nil, err
		}
		d.Chart = template.HTML(svg)
	}
	for _, f := range r.Summary {
		figure := pageFigure{Name: report.Words(f.Name), Value: report.Text(f.Value)}
		switch v := f.Value.(type) {
		case []string:
			if figure.List = v; !slices.ContainsFunc(v, func(s string) bool { return len(s) > 20 }) {
				figure.List, figure.Value = nil, strings.Join(v, ", ")
			}
		case string:
			figure.Value = report.Words(v)
		}
		d.Figures = append(d.Figures, figure)
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Excluded)) {
		d.Excluded = append(d.Excluded, fmt.Sprintf("%d %s", r.Excluded[reason], reason))
	}
	d.addTable(r.Table, location)
	var out bytes.Buffer
	if err := t.Execute(&out, d); err != nil {
		return nil, fmt.Errorf("render report page: %w", err)
	}
	return out.Bytes(), nil
}

func (d *pageData) addTable(t *report.Table, location *time.Location) {
	if t == nil {
		return
	}
	t = t.First(maxPageRows)
	d.More = t.More
	for _, row := range t.Rows {
		var cells []pageCell
		for _, v := range row {
			cells = append(cells, cellOf(v, location))
		}
		d.Rows = append(d.Rows, cells)
	}
	for n, column := range t.Columns {
		head := pageCell{Text: report.Words(column)}
		if len(d.Rows) > 0 {
			head.Class = d.Rows[0][n].Class
		}
		d.Head = append(d.Head, head)
	}
}

// cellOf writes times as the project's clocks show them, and keeps short texts such
// as keys in one line.
func cellOf(v any, location *time.Location) pageCell {
	cell := pageCell{Text: report.Text(v)}
	if at, err := time.Parse(time.RFC3339, cell.Text); err == nil {
		cell.Text = at.In(location).Format("2006-01-02 15:04")
	}
	switch v.(type) {
	case int, float64:
		cell.Class = "number"
	default:
		if len(cell.Text) <= 20 {
			cell.Class = "short"
		}
	}
	return cell
}
