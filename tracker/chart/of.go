package chart

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/colaflow/colaflow/tracker/report"
)

// Of makes the chart of a report; ok is false if the report has none, because its
// type has no series or there is nothing to show.
func Of(r report.Report) (c *Chart, ok bool) {
	if r.Series == nil || len(r.Series.X) == 0 {
		return nil, false
	}
	c = &Chart{title: r.Title + ": " + cmp.Or(r.Sprint, r.Project), subtitle: subtitle(r), unit: unitName(r.Unit), x: r.Series.X, scale: days}
	draw := map[report.Type]func(*Chart, report.Report){
		"sprint_burndown": burndown, "sprint_burnup": burnup, "velocity": velocity, "cumulative_flow": flow, "cycle_time": control, "lead_time": control,
		"time_in_status": statuses, "throughput": throughput, "created_vs_resolved": created, "aging_wip": aging, "workload": workload, "forecast": fan,
	}[r.Type]
	if draw == nil {
		return nil, false
	}
	draw(c, r)
	return c, true
}

func subtitle(r report.Report) string {
	text := "as of " + r.AsOf.Format("2 Jan 2006")
	if location, err := time.LoadLocation(r.Timezone); err == nil {
		text = "as of " + r.AsOf.In(location).Format("2 Jan 2006, 15:04") + " " + r.Timezone
	}
	if r.Sprint != "" && r.Project != "" {
		text = r.Project + ", " + text
	}
	return text
}

func unitName(u report.Unit) string {
	if u == report.Count {
		return "issues"
	}
	return string(u)
}

func (c *Chart) add(m mark) { c.marks = append(c.marks, m) }

// level adds a straight line at a figure of the summary, if there is such a figure.
func (c *Chart) level(r report.Report, figure, name string, m mark) {
	if v, ok := r.Summary.Get(figure).(float64); ok && !math.IsNaN(v) {
		m.name, m.shape, m.level = fmt.Sprintf(name, number(v)+" "+c.unit), level, v
		c.add(m)
	}
}

func number(v float64) string { return strconv.FormatFloat(math.Round(v*100)/100+0, 'f', -1, 64) }

func burndown(c *Chart, r report.Report) {
	c.scale = slots
	c.add(mark{name: "scope", shape: line, color: orange(), values: r.Series.Line("scope")})
	c.add(mark{name: "ideal", shape: dashed, color: grey(), values: r.Series.Line("ideal")})
	c.add(mark{name: "remaining", shape: steps, color: blue(), values: r.Series.Line("remaining")})
}

func burnup(c *Chart, r report.Report) {
	c.scale = slots
	c.add(mark{name: "scope", shape: line, color: orange(), values: r.Series.Line("scope")})
	c.add(mark{name: "ideal", shape: dashed, color: grey(), values: r.Series.Line("ideal")})
	c.add(mark{name: "completed", shape: steps, color: blue(), values: r.Series.Line("completed")})
}

func velocity(c *Chart, r report.Report) {
	c.scale = slots
	c.add(mark{name: "committed", shape: bars, color: mixed(sky(), 0.35), values: r.Series.Line("committed")})
	c.add(mark{name: "completed", shape: bars, color: blue(), values: r.Series.Line("completed")})
	c.level(r, "mean", "mean completed: %s", mark{color: vermilion()})
}

// flow stacks the statuses, the last one at the bottom.
func flow(c *Chart, r report.Report) {
	c.base = true
	for n := len(r.Series.Lines) - 1; n >= 0; n-- {
		l := r.Series.Lines[n]
		c.add(mark{name: l.Name, shape: stack, color: bandColor(n), values: l.Values})
	}
}

func control(c *Chart, r report.Report) {
	c.level(r, "p95", "95 %% within %s", mark{color: grey()})
	c.level(r, "p85", "85 %% within %s", mark{color: vermilion()})
	c.level(r, "p50", "50 %% within %s", mark{color: green()})
	c.add(mark{name: "one issue", shape: dots, color: blue(), values: r.Series.Lines[0].Values})
	c.add(mark{name: "mean of the last ten", shape: line, color: orange(), values: r.Series.Line("rolling mean")})
}

func statuses(c *Chart, r report.Report) {
	c.scale = rows
	c.add(mark{name: "time in status, all issues", shape: stack, color: blue(), values: r.Series.Lines[0].Values})
}

func throughput(c *Chart, r report.Report) {
	c.scale = slots
	c.add(mark{name: "done in the week from", shape: bars, color: blue(), values: r.Series.Line("done")})
	c.level(r, "mean_per_week", "mean of whole weeks: %s", mark{color: vermilion()})
}

func created(c *Chart, r report.Report) {
	c.scale = slots
	c.add(mark{name: "created in the week from", shape: bars, color: mixed(vermilion(), 0.25), values: r.Series.Line("created")})
	c.add(mark{name: "resolved", shape: bars, color: blue(), values: r.Series.Line("resolved")})
	c.add(mark{name: "net since the beginning", shape: steps, color: ink(), values: r.Series.Line("cumulative net")})
}

func aging(c *Chart, r report.Report) {
	c.scale = rows
	c.add(mark{name: "in progress for", shape: stack, color: blue(), values: r.Series.Line("age")})
	c.level(r, "p50", "half of finished work took %s", mark{color: green()})
	c.level(r, "p85", "85 %% took %s", mark{color: vermilion()})
}

func workload(c *Chart, r report.Report) {
	c.scale = rows
	c.add(mark{name: "in progress", shape: stack, color: blue(), values: r.Series.Line("in progress")})
	c.add(mark{name: "to do", shape: stack, color: mixed(sky(), 0.35), values: r.Series.Line("todo")})
}

// fan shows what was done, and between which lines it goes on.
func fan(c *Chart, r report.Report) {
	half, most, nearly := r.Series.Line("50 %"), r.Series.Line("85 %"), r.Series.Line("95 %")
	c.add(mark{name: "95 % certain", shape: band, color: mixed(sky(), 0.6), values: most, low: nearly})
	c.add(mark{name: "85 % certain", shape: band, color: mixed(sky(), 0.2), values: half, low: most})
	c.add(mark{name: "50 % certain", shape: dashed, color: blue(), values: half})
	c.add(mark{name: "done", shape: line, color: blue(), values: r.Series.Line("done")})
	all := slices.Clone(r.Series.Line("all work"))
	for n := len(all) - 1; n > 0; n-- { // from the beginning on
		if math.IsNaN(all[n-1]) {
			all[n-1] = all[n]
		}
	}
	c.add(mark{name: "all work", shape: dashed, color: vermilion(), values: all})
}
