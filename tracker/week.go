package tracker

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/colaflow/colaflow/tenancy"
)

// Week says on which weekdays a project works. The zero Week is Monday to Friday.
type Week struct {
	days [7]bool // by time.Weekday; none: the usual ones
}

// dayNames are in the order of time.Weekday, in the form in which they are written.
var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// DayNames lists the names of weekdays, Monday first.
func DayNames() []string { return append(slices.Clone(dayNames[1:]), dayNames[0]) }

// ParseWeek reads names such as mon, Thurs and Friday. At least one day must be given.
func ParseWeek(names []string) (Week, error) {
	var w Week
	for _, name := range names {
		day := weekdayOf(strings.ToLower(strings.TrimSpace(name)))
		if day < 0 {
			return Week{}, tenancy.Errorf(tenancy.InvalidValue, "Weekday %q is not known.", CleanLine(name)).
				WithNext("Use " + strings.Join(DayNames(), ", ") + ".")
		}
		w.days[day] = true
	}
	if w == (Week{}) {
		return w, tenancy.Errorf(tenancy.Missing, "A project works on one day of the week at least.").WithNext("Give its working days, such as mon, tue.")
	}
	return w, nil
}

// weekdayOf is the weekday whose name begins with these three letters or more, or -1.
func weekdayOf(name string) int {
	for day, short := range dayNames {
		if strings.HasPrefix(name, short) && strings.HasPrefix(strings.ToLower(time.Weekday(day).String()), name) {
			return day
		}
	}
	return -1
}

// Works reports whether the day is one of them.
func (w Week) Works(day time.Weekday) bool {
	if w == (Week{}) {
		return day != time.Saturday && day != time.Sunday
	}
	return w.days[day]
}

// Names lists the working days, Monday first.
func (w Week) Names() []string {
	names := []string{}
	for n := range dayNames {
		if day := (n + 1) % 7; w.Works(time.Weekday(day)) {
			names = append(names, dayNames[day])
		}
	}
	return names
}

// MarshalJSON writes the names.
func (w Week) MarshalJSON() ([]byte, error) { return json.Marshal(w.Names()) }

// UnmarshalJSON reads names as ParseWeek does.
func (w *Week) UnmarshalJSON(data []byte) (err error) {
	var names []string
	if err := json.Unmarshal(data, &names); err != nil {
		return err
	}
	*w, err = ParseWeek(names)
	return err
}
