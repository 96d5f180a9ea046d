package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/colaflow/colaflow/tracker"
)

// timeInStatus sums how long work that was done in the span stood in each status
// from its creation until it was done last, per issue and in total:
//
//	flow efficiency = time in statuses of category in_progress / all time
//
// Time in done before a reopening counts as its own status and not as active.
// After Modig and Åhlström, This Is Lean (2012).
func timeInStatus() Spec {
	return Spec{
		Type: "time_in_status", Title: "Time in status", Units: []Unit{Hours, Days}, Weeks: 12,
		Definition: "Elapsed time in each status from creation to the last time done, for work done in the span and not reopened; per issue and in total. " +
			"Flow efficiency: share of it in statuses of category in_progress. Cancelled work, subtasks and epics do not count.",
		compute: computeTimeInStatus,
	}
}

func computeTimeInStatus(in *input, r *Report) error {
	list := in.done(in.from, in.to, r, func(i *Issue, _ time.Time) (time.Time, bool) { return i.Created(), true })
	slices.SortStableFunc(list, func(a, b finished) int { return cmp.Compare(b.took, a.took) })
	total, spent := map[string]float64{}, make([]map[string]float64, len(list))
	var active, all float64
	for n, f := range list {
		spent[n] = map[string]float64{}
		for k, s := range f.issue.Steps {
			end := f.ended
			if k+1 < len(f.issue.Steps) && f.issue.Steps[k+1].At.Before(end) {
				end = f.issue.Steps[k+1].At
			}
			if !s.At.Before(end) {
				continue
			}
			d := in.duration(end.Sub(s.At))
			spent[n][s.Status] += d
			total[s.Status] += d
			all += d
			if s.Category == tracker.InProgress {
				active += d
			}
		}
	}
	in.statusTable(r, list, spent, total)
	r.add("issues", len(list))
	r.add("flow_efficiency", shareOf(active, all))
	r.add("total", roundedAll(total))
	average := map[string]float64{}
	longest := ""
	for status, d := range total {
		average[status] = d / float64(len(list))
		if longest == "" || d > total[longest] || d == total[longest] && status < longest {
			longest = status
		}
	}
	r.add("average", roundedAll(average))
	if len(list) == 0 {
		r.Headline = "Nothing was done in this span that counts."
		return nil
	}
	r.Headline = fmt.Sprintf("%s stood longest in %s: %s of all their time; they were worked on in %s of it.", plural(len(list), "issue"), longest,
		percent(shareOf(total[longest], all)), percent(shareOf(active, all)))
	return nil
}

// statusTable has a row for each issue and a column for each status, both in use,
// the total first.
func (in *input) statusTable(r *Report, list []finished, spent []map[string]float64, total map[string]float64) {
	r.Table = &Table{Columns: []string{"key", "title", "all"}}
	r.Series = &Series{Lines: []Line{{Name: string(in.unit)}}}
	sum := []any{"total", "", 0.0}
	var statuses []string
	for _, s := range in.bands() {
		if d, used := total[s.Name]; used {
			statuses = append(statuses, s.Name)
			r.Table.Columns = append(r.Table.Columns, s.Name)
			sum[2] = sum[2].(float64) + d
			sum = append(sum, d)
			r.Series.X = append(r.Series.X, s.Name)
			r.Series.Lines[0].Values = append(r.Series.Lines[0].Values, d)
		}
	}
	r.Table.Rows = append(r.Table.Rows, sum)
	for n, f := range list {
		row := []any{f.issue.Key.String(), f.issue.Title, f.took}
		for _, s := range statuses {
			row = append(row, spent[n][s])
		}
		r.Table.Rows = append(r.Table.Rows, row)
	}
}

func roundedAll(values map[string]float64) map[string]float64 {
	out := map[string]float64{}
	for name, v := range values {
		if !math.IsNaN(v) {
			out[name] = round(v)
		}
	}
	return out
}
