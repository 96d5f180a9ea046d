package main

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/report"
)

// showReport shows a report to a person at a terminal.
func (p *program) showReport(r report.Report, rows int) error {
	about := []string{r.Project}
	if r.Sprint != "" {
		about = append(about, r.Sprint)
	}
	if r.From != "" {
		about = append(about, r.From+" to "+r.To)
	}
	about = append(about, "in "+string(r.Unit))
	if err := p.printf("%s: %s\n%s\n\n", r.Title, tracker.CleanLine(strings.Join(about, ", ")), tracker.CleanLine(r.Headline)); err != nil {
		return err
	}
	if err := p.printFields(figures(r.Summary)...); err != nil {
		return err
	}
	if r.Series != nil {
		if err := p.printSparklines(r.Series); err != nil {
			return err
		}
	}
	if r.Table != nil && rows > 0 {
		if err := p.printReportTable(r.Table, rows); err != nil {
			return err
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Excluded)) {
		if err := p.printf("\nNot counted: %d %s.", r.Excluded[reason], reason); err != nil {
			return err
		}
	}
	for _, w := range r.Warnings {
		if err := p.printf("\nMind: %s", tracker.CleanLine(w)); err != nil {
			return err
		}
	}
	return p.printf("\n%s\nAs of %s; days are those of %s.\n", r.Definition, moment(r.AsOf), r.Timezone)
}

// figures are the numbers of a summary as pairs of name and text.
func figures(summary report.Figures) []string {
	var pairs []string
	for _, f := range summary {
		pairs = append(pairs, report.Words(f.Name), cmp.Or(report.Text(f.Value), "none"))
	}
	return pairs
}

func (p *program) printReportTable(t *report.Table, most int) error {
	shown := t.First(most)
	var heading []string
	for _, column := range t.Columns {
		heading = append(heading, report.Words(column))
	}
	var rows [][]string
	for _, row := range shown.Rows {
		var cells []string
		for _, v := range row {
			cells = append(cells, shortened(report.Text(v), 50))
		}
		rows = append(rows, cells)
	}
	if err := p.printf("\n"); err != nil {
		return err
	}
	if err := p.printTable(heading, rows); err != nil || shown.More == 0 {
		return err
	}
	return p.printf("... and %d more rows: --rows, or --json\n", shown.More)
}

func shortened(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

// sparks are the heights of a sparkline.
var sparks = []rune("▁▂▃▄▅▆▇█")

// maxSparks is the width of a sparkline; longer series are thinned out.
const maxSparks = 60

// sparkline draws values between low and high, a blank for what there is none of.
func sparkline(values report.Values, low, high float64) string {
	step := max(1, (len(values)+maxSparks-1)/maxSparks)
	var line []rune
	for n := (len(values) - 1) % step; n >= 0 && n < len(values); n += step {
		v := values[n]
		switch {
		case math.IsNaN(v):
			line = append(line, ' ')
		case high <= low:
			line = append(line, sparks[0])
		default:
			line = append(line, sparks[int(math.Round((v-low)/(high-low)*float64(len(sparks)-1)))])
		}
	}
	return string(line)
}

// printSparklines draws every line of a series to the same scale, from 0.
func (p *program) printSparklines(s *report.Series) error {
	low, high := 0.0, 0.0
	for _, l := range s.Lines {
		for _, v := range l.Values {
			if !math.IsNaN(v) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	var rows [][]string
	for _, l := range s.Lines {
		last := math.NaN()
		for _, v := range l.Values {
			if !math.IsNaN(v) {
				last = v
			}
		}
		rows = append(rows, []string{tracker.CleanLine(l.Name), sparkline(l.Values, low, high), report.Text(last)})
	}
	if len(s.X) == 0 {
		return nil
	}
	if err := p.printf("\n"); err != nil {
		return err
	}
	return p.printTable([]string{"line", tracker.CleanLine(s.X[0]) + " to " + tracker.CleanLine(s.X[len(s.X)-1]), "last"}, rows)
}
