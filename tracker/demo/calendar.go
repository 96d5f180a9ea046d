package demo

import "time"

// Working hours, in UTC. Nothing happens outside of them.
const (
	dayBegins = 9 * time.Hour
	dayEnds   = 17*time.Hour + 30*time.Minute
)

func midnight(t time.Time) time.Time { return t.Truncate(24 * time.Hour) }

func weekend(t time.Time) bool { return t.Weekday() == time.Saturday || t.Weekday() == time.Sunday }

// working returns t if people work then, else when they next begin.
func working(t time.Time) time.Time {
	day := midnight(t)
	switch {
	case weekend(day):
	case t.Before(day.Add(dayBegins)):
		return day.Add(dayBegins)
	case t.Before(day.Add(dayEnds)):
		return t
	}
	for day = day.AddDate(0, 0, 1); weekend(day); {
		day = day.AddDate(0, 0, 1)
	}
	return day.Add(dayBegins)
}

// later returns the time after so many hours of work.
func later(t time.Time, hours float64) time.Time {
	left := time.Duration(hours * float64(time.Hour))
	for {
		t = working(t)
		today := midnight(t).Add(dayEnds).Sub(t)
		if left < today {
			return t.Add(left).Truncate(time.Second)
		}
		left -= today
		t = midnight(t).Add(dayEnds)
	}
}

// activeSprintStart is the Monday of the sprint that is in its middle at now:
// last week's, or from Friday on this week's.
func activeSprintStart(now time.Time) time.Time {
	sinceMonday := (int(now.Weekday()) + 6) % 7
	monday := midnight(now).AddDate(0, 0, -sinceMonday)
	if sinceMonday < 4 {
		monday = monday.AddDate(0, 0, -7)
	}
	return monday
}
