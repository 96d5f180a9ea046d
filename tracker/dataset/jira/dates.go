package jira

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// calendar reads dates in the forms that Jira's settings allow. Whether 3/4/2026
// is in April or in March is decided by the other dates of the file.
type calendar struct {
	dayFirst, monthFirst bool   // seen a date that can be read in this way only
	ambiguous            bool   // seen one that can be read either way
	last                 string // the form of the last date, which the next one likely has
}

var slashDate = regexp.MustCompile(`^(\d{1,2})/(\d{1,2})/\d{2,4}\b`)

// learn looks at a date before any is read.
func (c *calendar) learn(s string) {
	m := slashDate.FindStringSubmatch(s)
	if m == nil {
		return
	}
	a, _ := strconv.Atoi(m[1]) // digits
	b, _ := strconv.Atoi(m[2])
	switch {
	case a > 12:
		c.dayFirst = true
	case b > 12:
		c.monthFirst = true
	case a != b:
		c.ambiguous = true
	}
}

// guessed reports whether the order of day and month is a guess.
func (c *calendar) guessed() bool { return c.ambiguous && c.dayFirst == c.monthFirst }

var errNoDate = errors.New("is not a date")

// read reads a date or time; one without a zone is in UTC.
func (c *calendar) read(s string) (time.Time, error) {
	s = strings.ToUpper(strings.Join(strings.Fields(s), " "))
	if c.last != "" {
		if t, err := time.Parse(c.last, s); err == nil {
			return t.UTC(), nil
		}
	}
	for _, date := range c.forms() {
		for _, clock := range []string{"", " 15:04", " 3:04 PM", " 15:04:05", " 3:04:05 PM", ", 3:04 PM", ", 15:04", " 15:04:05.0",
			"T15:04:05Z07:00", "T15:04:05Z0700", "T15:04:05"} {
			if t, err := time.Parse(date+clock, s); err == nil {
				c.last = date + clock
				return t.UTC(), nil
			}
		}
	}
	return time.Time{}, errNoDate
}

func (c *calendar) forms() []string {
	named := []string{"2/Jan/06", "2/Jan/2006", "2006-1-2", "2-Jan-06", "2-Jan-2006", "2 Jan 2006", "Jan 2, 2006", "2 January 2006",
		"January 2, 2006", "2.1.2006", "2.1.06", "2-1-2006", "2006/1/2"}
	if c.monthFirst && !c.dayFirst {
		return append(named, "1/2/2006", "1/2/06")
	}
	return append(named, "2/1/2006", "2/1/06")
}
