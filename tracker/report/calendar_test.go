package report_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/report"
)

func calendar(t testing.TB, zone string) report.Calendar {
	t.Helper()
	c, ok := report.CalendarOf(tracker.Project{Timezone: zone})
	require.True(t, ok, zone)
	return c
}

func TestCalendarOf(t *testing.T) {
	t.Parallel()
	c, ok := report.CalendarOf(tracker.Project{Timezone: "Nowhere/Land"})
	require.False(t, ok)
	require.Equal(t, time.UTC, c.Location)
	require.Equal(t, 5, c.WorkingDays(*day("03-02"), *day("03-09")))
}

func zones() []string {
	return []string{"UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Beirut", "Australia/Lord_Howe", "Pacific/Apia", "America/New_York", "Africa/Cairo", "Asia/Kolkata"}
}

// TestCalendar_Days takes the days of the year in zones that move their clocks at
// midnight, at other times, by half an hour, and that left out a whole day.
func TestCalendar_Days(t *testing.T) {
	t.Parallel()
	first := time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(rt *rapid.T) {
		c := calendar(t, rapid.SampledFrom(zones()).Draw(rt, "zone"))
		at := first.Add(time.Duration(rapid.Int64Range(0, int64(16*365*24*time.Hour)).Draw(rt, "at")))
		start, next := c.Start(at), c.Next(at)
		same := func(a, b time.Time) bool {
			return a.In(c.Location).Format(time.DateOnly) == b.In(c.Location).Format(time.DateOnly)
		}
		require.False(rt, start.After(at))
		require.True(rt, next.After(at))
		require.True(rt, same(start, at))
		require.False(rt, same(next, at))
		require.False(rt, same(start.Add(-time.Nanosecond), at), "nothing of the day is before it")
		require.True(rt, same(next.Add(-time.Nanosecond), at), "nor after it")
		require.Equal(rt, start, c.Start(start))
		require.Equal(rt, []time.Time{start}, c.Days(start, next))
		monday := c.Monday(at)
		require.Equal(rt, time.Monday, monday.In(c.Location).Weekday())
		require.True(rt, !monday.After(at) && at.Sub(monday) < 8*24*time.Hour)
	})
}

func TestToday(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 23, 30, 0, 0, time.UTC)
	require.Equal(t, *day("03-02"), report.Today(tracker.Project{Timezone: "UTC"}, now))
	require.Equal(t, *day("03-03"), report.Today(tracker.Project{Timezone: "Europe/Berlin"}, now))
	require.Equal(t, *day("03-02"), report.Today(tracker.Project{Timezone: "America/New_York"}, now))
}

// TestCalendar_EveryDay walks through sixteen years in those zones: each day begins
// at midnight, or where the clocks skipped it.
func TestCalendar_EveryDay(t *testing.T) {
	t.Parallel()
	odd := 0
	for _, zone := range zones() {
		c := calendar(t, zone)
		day, want := c.Day(time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)), time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)
		for day.Year() < 2026 {
			local := day.In(c.Location)
			require.Equal(t, want.Format(time.DateOnly), local.Format(time.DateOnly), zone)
			require.NotEqual(t, local.Format(time.DateOnly), day.Add(-time.Nanosecond).In(c.Location).Format(time.DateOnly), zone)
			if local.Hour() != 0 {
				odd++
			}
			day, want = c.Next(day), want.AddDate(0, 0, 1)
			if zone == "Pacific/Apia" && want.Format(time.DateOnly) == "2011-12-30" {
				want = want.AddDate(0, 0, 1) // there was none
			}
		}
	}
	require.Greater(t, odd, 20, "the zones do have days that begin later")
}

func TestCalendar_WorkingDays(t *testing.T) {
	t.Parallel()
	c := calendar(t, "Europe/Berlin")
	day := func(d, hour int) time.Time { return time.Date(2026, 3, d, hour, 0, 0, 0, c.Location) }
	// March 2026: the 1st is a Sunday; clocks move on Sunday the 29th.
	for _, w := range []struct {
		from, to time.Time
		want     int
	}{
		{day(2, 0), day(2, 0), 0}, {day(2, 0), day(3, 0), 1}, {day(2, 23), day(3, 1), 2}, {day(6, 0), day(9, 0), 1},
		{day(1, 0), day(32, 0), 22}, {day(28, 0), day(30, 0), 0}, {day(9, 0), day(2, 0), 0},
	} {
		require.Equal(t, w.want, c.WorkingDays(w.from, w.to), "%s to %s", w.from, w.to)
	}
	require.Equal(t, day(6, 0), c.AfterWork(day(6, 15), 1), "Friday is the first")
	require.Equal(t, day(9, 0), c.AfterWork(day(6, 15), 2), "then comes Monday")
	require.Equal(t, day(9, 0), c.AfterWork(day(7, 15), 1), "Saturday does not count")
	require.Equal(t, day(7, 0), c.AfterWork(day(7, 15), 0))
	require.Equal(t, day(30, 0), c.AfterWork(day(27, 9), 2), "over the change of clocks")
	require.Len(t, c.Weeks(day(1, 12), day(16, 0)), 3, "a Sunday, and two whole weeks")
	require.Len(t, c.Weeks(day(2, 0), day(9, 0)), 1)
	require.Equal(t, day(14, 0), c.Day(time.Date(2026, 3, 14, 0, 0, 0, 0, time.UTC)))
}

// TestCalendar_AnyWeek: with whatever working week, days worked on are those whose
// names it has, and the n-th of them is where n have been counted.
func TestCalendar_AnyWeek(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		c := calendar(t, rapid.SampledFrom(zones()).Draw(rt, "zone"))
		names := rapid.SliceOfNDistinct(rapid.SampledFrom(tracker.DayNames()), 1, 7, rapid.ID).Draw(rt, "week")
		var err error
		c.Week, err = tracker.ParseWeek(names)
		require.NoError(rt, err)
		from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 365*24*60).Draw(rt, "from")) * time.Minute)
		to := from.Add(time.Duration(rapid.IntRange(0, 60*24*60).Draw(rt, "minutes")) * time.Minute)
		want, seen := 0, ""
		for at := from; at.Before(to); at = at.Add(15 * time.Minute) {
			local := at.In(c.Location)
			if date := local.Format(time.DateOnly); date != seen {
				seen = date
				if slices.Contains(names, strings.ToLower(local.Format("Mon"))) {
					want++
				}
			}
		}
		if last := to.Add(-time.Nanosecond).In(c.Location); from.Before(to) && last.Format(time.DateOnly) != seen && slices.Contains(names, strings.ToLower(last.Format("Mon"))) {
			want++ // less than a step of it
		}
		require.Equal(rt, want, c.WorkingDays(from, to))
		n := rapid.IntRange(1, 30).Draw(rt, "n")
		end := c.AfterWork(from, n)
		require.True(rt, c.Works(end))
		require.Equal(rt, n, c.WorkingDays(from, c.Next(end)))
		require.Equal(rt, n-1, c.WorkingDays(from, end.Add(-time.Nanosecond)))
	})
}
