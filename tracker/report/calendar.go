package report

import (
	"time"

	"github.com/colaflow/colaflow/tracker"
)

// Calendar knows where days begin and which of them are worked on: those of a
// project's time zone and working week.
type Calendar struct {
	Location *time.Location
	Week     tracker.Week
}

// CalendarOf returns the project's calendar. A time zone that this machine does
// not know counts as UTC, and ok is false.
func CalendarOf(p tracker.Project) (c Calendar, ok bool) {
	location, err := time.LoadLocation(p.Timezone)
	if err != nil {
		location = time.UTC
	}
	return Calendar{Location: location, Week: p.WorkingDays}, err == nil
}

// Today is the day that it is in the project, as dates are stored: at midnight UTC.
func Today(p tracker.Project, now time.Time) time.Time {
	c, _ := CalendarOf(p)
	year, month, day := now.In(c.Location).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// Start is when the day of t begins. Where clocks skip midnight, the day begins
// after the gap.
func (c Calendar) Start(t time.Time) time.Time {
	year, month, day := t.In(c.Location).Date()
	return c.date(year, month, day)
}

// Day is the beginning of a day that is given as midnight UTC, as dates are stored.
func (c Calendar) Day(date time.Time) time.Time {
	year, month, day := date.UTC().Date()
	return c.date(year, month, day)
}

func (c Calendar) date(year int, month time.Month, day int) time.Time {
	t := time.Date(year, month, day, 0, 0, 0, 0, c.Location)
	wall := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	_, offset := t.Zone()
	if shown := t.Add(time.Duration(offset) * time.Second); shown.Before(wall) {
		_, t = t.ZoneBounds() // midnight does not exist, and Go chose a time before the gap
	} else if shown.After(wall) {
		t, _ = t.ZoneBounds()
	}
	return t
}

// Next is when the day after that of t begins.
func (c Calendar) Next(t time.Time) time.Time { return c.plus(t, 1) }

// plus is the beginning of the day n days after that of t.
func (c Calendar) plus(t time.Time, n int) time.Time {
	year, month, day := t.In(c.Location).Date()
	return c.date(year, month, day+n)
}

// Days lists the beginnings of the days that [from, to) touches.
func (c Calendar) Days(from, to time.Time) []time.Time {
	var days []time.Time
	for day := c.Start(from); from.Before(to) && day.Before(to); day = c.Next(day) {
		days = append(days, day)
	}
	return days
}

// Works reports whether the day of t is worked on.
func (c Calendar) Works(t time.Time) bool { return c.Week.Works(t.In(c.Location).Weekday()) }

// WorkingDays counts the days worked on of those that [from, to) touches.
func (c Calendar) WorkingDays(from, to time.Time) int {
	n := 0
	for _, day := range c.Days(from, to) {
		if c.Works(day) {
			n++
		}
	}
	return n
}

// AfterWork is the n-th working day from that of t on, which counts as the first
// if it is worked on; for n below 1 it is the day of t.
func (c Calendar) AfterWork(t time.Time, n int) time.Time {
	day := c.Start(t)
	for {
		if c.Works(day) {
			n--
		}
		if n <= 0 {
			return day
		}
		day = c.Next(day)
	}
}

// Monday is when the week of t begins.
func (c Calendar) Monday(t time.Time) time.Time {
	return c.plus(t, -(int(t.In(c.Location).Weekday())+6)%7)
}

// Weeks lists the beginnings of the weeks that [from, to) touches.
func (c Calendar) Weeks(from, to time.Time) []time.Time {
	var weeks []time.Time
	for week := c.Monday(from); week.Before(to); week = c.plus(week, 7) {
		weeks = append(weeks, week)
	}
	return weeks
}

// name is the day of t, such as 2026-01-31.
func (c Calendar) name(t time.Time) string { return t.In(c.Location).Format(time.DateOnly) }
