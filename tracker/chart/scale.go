package chart

import (
	"math"
	"time"
)

// values is an axis of numbers: from low to high, with a tick at every step.
type values struct{ low, high, step float64 }

// ticks is about how many ticks an axis has.
const ticks = 6

// niceValues chooses an axis that holds low and high with steps of 1, 2 or 5 times a
// power of ten.
func niceValues(low, high float64) values {
	if high <= low {
		high = low + 1
	}
	raw := (high - low) / ticks
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	step := 10 * power
	for _, nice := range []float64{1, 2, 5} {
		if nice*power >= raw*0.999 {
			step = nice * power
			break
		}
	}
	return values{math.Floor(low/step+1e-9) * step, math.Ceil(high/step-1e-9) * step, step}
}

// at lists the ticks.
func (v values) at() []float64 {
	var list []float64
	for n := 0; v.low+float64(n)*v.step <= v.high+v.step/1000; n++ {
		list = append(list, v.low+float64(n)*v.step)
	}
	return list
}

// label writes a tick, thousands short.
func (v values) label(at float64) string {
	if v.high >= 10_000 && at != 0 {
		return number(at/1000) + "k"
	}
	return number(at)
}

// share is where a value lies on the axis, from 0 to 1.
func (v values) share(at float64) float64 { return (at - v.low) / (v.high - v.low) }

// tick is a place on the axis of x, from 0 to 1, with its label.
type tick struct {
	share float64
	label string
}

// parseDay reads a day or a time of a series.
func parseDay(text string) (time.Time, bool) {
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// dayName writes a day, with the year only where the chart spans several.
func dayName(t time.Time, years bool) string {
	if years {
		return t.Format("Jan 2006")
	}
	return t.Format("2 Jan")
}

// spread places x: in time, or in the middles of slots if it is no time.
func (c *Chart) spread() (shares []float64, times []time.Time) {
	shares = make([]float64, len(c.x))
	for n, text := range c.x {
		shares[n] = (float64(n) + 0.5) / float64(len(c.x))
		if t, ok := parseDay(text); ok {
			times = append(times, t)
		}
	}
	if c.scale != days || len(times) < len(c.x) {
		return shares, nil
	}
	first, span := times[0], times[len(times)-1].Sub(times[0])
	for n, t := range times {
		shares[n] = 0.5
		if span > 0 {
			shares[n] = float64(t.Sub(first)) / float64(span)
		}
	}
	return shares, times
}

// timeTicks puts a tick at every so many days, with room for about most of them.
func timeTicks(first, last time.Time, most int) []tick {
	span := last.Sub(first)
	if span <= 0 {
		return []tick{{0.5, dayName(first, false)}}
	}
	years := first.Year() != last.Year() && span > 300*24*time.Hour
	every := 1
	for _, days := range []int{1, 2, 7, 14, 28, 56, 91, 182, 365, 730, 1826, 3652} {
		if every = days; span/(time.Duration(days)*24*time.Hour) < time.Duration(most) {
			break
		}
	}
	var list []tick
	year, month, day := first.Date()
	for n := 0; ; n += every {
		t := time.Date(year, month, day+n, 0, 0, 0, 0, time.UTC)
		if every >= 365 { // so that they stay at the same day of every year
			t = time.Date(year+n/365, month, day, 0, 0, 0, 0, time.UTC)
		}
		if t.After(last) {
			return list
		}
		if !t.Before(first) {
			list = append(list, tick{float64(t.Sub(first)) / float64(span), dayName(t, years)})
		}
	}
}
