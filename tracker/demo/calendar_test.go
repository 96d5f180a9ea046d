package demo

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func drawTime(t *rapid.T) time.Time {
	return time.Unix(rapid.Int64Range(1_700_000_000, 1_900_000_000).Draw(t, "time"), 0).UTC()
}

func atWork(at time.Time) bool {
	hour := at.Sub(midnight(at))
	return !weekend(at) && hour >= dayBegins && hour < dayEnds
}

func TestWorking(t *testing.T) {
	t.Parallel()
	for from, want := range map[string]string{
		"2026-04-15T10:30:00Z": "2026-04-15T10:30:00Z", // a Wednesday
		"2026-04-15T07:00:00Z": "2026-04-15T09:00:00Z",
		"2026-04-15T17:30:00Z": "2026-04-16T09:00:00Z",
		"2026-04-17T20:00:00Z": "2026-04-20T09:00:00Z",
		"2026-04-18T12:00:00Z": "2026-04-20T09:00:00Z",
		"2026-04-19T23:59:59Z": "2026-04-20T09:00:00Z",
	} {
		at, err := time.Parse(time.RFC3339, from)
		require.NoError(t, err)
		require.Equal(t, want, working(at).Format(time.RFC3339), from)
	}
	rapid.Check(t, func(t *rapid.T) {
		at := drawTime(t)
		then := working(at)
		require.True(t, atWork(then), then)
		require.False(t, then.Before(at))
		require.Less(t, then.Sub(at), 64*time.Hour, "a weekend and two evenings")
		require.Equal(t, then, working(then))
	})
}

func TestLater(t *testing.T) {
	t.Parallel()
	friday := time.Date(2026, 4, 17, 16, 0, 0, 0, time.UTC)
	require.Equal(t, friday.Add(time.Hour), later(friday, 1))
	require.Equal(t, time.Date(2026, 4, 20, 9, 30, 0, 0, time.UTC), later(friday, 2), "half an hour is left for Monday")
	require.Equal(t, time.Date(2026, 4, 27, 16, 0, 0, 0, time.UTC), later(friday, 6*8.5), "six working days")
	rapid.Check(t, func(t *rapid.T) {
		at, a, b := drawTime(t), rapid.Float64Range(0, 80).Draw(t, "a"), rapid.Float64Range(0, 80).Draw(t, "b")
		once, twice := later(at, a+b), later(later(at, a), b)
		require.True(t, atWork(once), once)
		gap := once.Sub(twice).Abs()
		require.True(t, gap <= 2*time.Second || gap >= 15*time.Hour, "%s and %s", once, twice) // seconds are cut off, perhaps at the end of a day
	})
}

func TestActiveSprintStart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		now := drawTime(t)
		start := activeSprintStart(now)
		require.Equal(t, time.Monday, start.Weekday())
		require.Equal(t, start, midnight(start))
		days := now.Sub(start).Hours() / 24
		require.True(t, days >= 4 && days < 11, "%s is day %.1f", now, days)
	})
}

func TestDice(t *testing.T) {
	t.Parallel()
	a, b := newDice(7), newDice(7)
	counts, below := map[int]int{}, 0
	for range 10_000 {
		require.Equal(t, a.Int64(), b.Int64(), "the same seed throws the same")
		n := a.between(3, 5)
		require.True(t, n >= 3 && n <= 5)
		counts[a.weighted(10, 0, 90)]++
		if a.logNormal(8, 0.7) < 8 {
			below++
		}
		b.between(3, 5)
		b.weighted(10, 0, 90)
		b.logNormal(8, 0.7)
	}
	require.Zero(t, counts[1])
	require.InDelta(t, 1000, counts[0], 150)
	require.InDelta(t, 5000, below, 250, "half lie below the median")
	for range 100 {
		require.True(t, atWork(a.moment(time.Date(2026, 4, 15, 0, 0, 0, 0, time.UTC))))
	}
}

func TestFill(t *testing.T) {
	t.Parallel()
	ink := thing{name: "écran"}
	require.Equal(t, "Écran and écran", fill("{Thing} and {thing}", ink))
}
