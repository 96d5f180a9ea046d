package tracker

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tenancy"
)

// MaxWork is the most that one entry of a worklog may say, in minutes: a week.
const MaxWork = 7 * 24 * 60

// Worklog is time that somebody spent on an issue.
type Worklog struct {
	ID        uuid.UUID
	IssueID   uuid.UUID
	AuthorID  uuid.UUID // zero: a service token
	TokenID   uuid.UUID // zero: a signed-in person
	Author    string
	Agent     string // name of the token
	Minutes   int
	StartedOn time.Time // a day of the project's calendar
	Comment   string
	CreatedAt time.Time
}

// IsOf reports whether an entry is of this member, or where there is none of this token.
func (w Worklog) IsOf(member, token uuid.UUID) bool {
	return isOf(w.AuthorID, w.TokenID, member, token)
}

// isOf reports whether what these made is theirs: a member's, through whichever token,
// or a service token's.
func isOf(author, made, member, token uuid.UUID) bool {
	if author != uuid.Nil || member != uuid.Nil {
		return author == member
	}
	return made == token
}

var (
	workUnits = regexp.MustCompile(`^(?:(\d{1,4}(?:[.,]\d{1,2})?)\s*h(?:ours?|rs?)?)?\s*(?:(\d{1,5})\s*m(?:in(?:ute)?s?)?)?$`)
	workClock = regexp.MustCompile(`^(\d{1,3}):([0-5]\d)$`)
	workPlain = regexp.MustCompile(`^\d{1,5}$`)
)

// ParseWork reads time spent in minutes: 1h 30m, 1.5h, 1:30, 90m, or 90. Days and weeks
// are refused, because companies disagree on how long they are.
func ParseWork(text string) (minutes int, err error) {
	s := strings.ToLower(CleanLine(text))
	hours, rest := 0.0, ""
	if clock := workClock.FindStringSubmatch(s); clock != nil {
		hours, rest = number(clock[1]), clock[2]
	} else if workPlain.MatchString(s) {
		rest = s
	} else if units := workUnits.FindStringSubmatch(s); units != nil && s != "" {
		hours, rest = number(units[1]), units[2]
	} else {
		return 0, tenancy.Errorf(tenancy.InvalidValue, "%.40q is not understood as time spent.", s).
			WithNext("Use hours and minutes, such as 1h 30m, 45m or 1.5h.")
	}
	return CheckWork(int(math.Round(hours*60 + number(rest))))
}

// CheckWork refuses entries that are empty or longer than MaxWork.
func CheckWork(minutes int) (int, error) {
	if minutes < 1 || minutes > MaxWork {
		return 0, tenancy.Errorf(tenancy.InvalidValue, "Time spent must be from 1 minute to %s.", FormatWork(MaxWork)).WithNext("Log longer work day by day.")
	}
	return minutes, nil
}

// number is what digits say, which a pattern has matched; 0 for none.
func number(digits string) float64 {
	n, _ := strconv.ParseFloat(strings.Replace(digits, ",", ".", 1), 64)
	return n
}

// FormatWork writes minutes as ParseWork reads them.
func FormatWork(minutes int) string {
	hours, rest := minutes/60, minutes%60
	switch {
	case hours == 0:
		return fmt.Sprintf("%dm", rest)
	case rest == 0:
		return fmt.Sprintf("%dh", hours)
	}
	return fmt.Sprintf("%dh %dm", hours, rest)
}

// FieldTimeSpent is the field of events about time that was logged.
const FieldTimeSpent = "time_spent"

// WorkChanged is the event of time that was logged, or taken back.
func WorkChanged(issue uuid.UUID, before, after int) Event {
	e := Event{IssueID: issue, Kind: EventChanged, Field: FieldTimeSpent}
	if before > 0 {
		e.Before = FormatWork(before)
	}
	if after > 0 {
		e.After = FormatWork(after)
	}
	return e
}
