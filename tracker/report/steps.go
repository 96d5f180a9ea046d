package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tracker"
)

// ParseSteps reads the steps of an issue from the form in which the database
// gives them, a line for each change, oldest first, fields separated by tabs:
//
//	microseconds  created   category  status  type  points  sprint  assignee
//	microseconds  status    category  status
//	microseconds  type|points|sprint|assignee  value
//
// Times are since 1970, sprints are ids, and what is not set is empty. Changes of
// different fields at the same time are one step, so that their order does not matter.
func ParseSteps(text string) ([]Step, error) {
	steps := make([]Step, 0, strings.Count(text, "\n")+1)
	for line := range strings.SplitSeq(text, "\n") {
		stamp, rest, _ := strings.Cut(line, "\t")
		field, rest, _ := strings.Cut(rest, "\t")
		micros, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("time of step %q: %w", line, err)
		}
		step := Step{At: time.UnixMicro(micros).UTC()}
		if len(steps) == 0 != (field == "created") {
			return nil, fmt.Errorf("step %q: the first one creates, and no other", line)
		}
		var last *Step
		if len(steps) > 0 {
			last = &steps[len(steps)-1]
			if step.At.Before(last.At) {
				return nil, fmt.Errorf("step %q is older than the one before", line)
			}
			step.State = last.State
		}
		if err := step.State.set(field, rest); err != nil {
			return nil, fmt.Errorf("step %q: %w", line, err)
		}
		if last != nil && last.At.Equal(step.At) && mayJoin(steps, step, field) {
			last.State = step.State
			continue
		}
		steps = append(steps, step)
	}
	return steps, nil
}

// mayJoin reports whether a change of field can be part of the last step, which
// happened at the same time: not if that step itself changed the field.
func mayJoin(steps []Step, step Step, field string) bool {
	if len(steps) == 1 { // the creation sets all
		return false
	}
	from, last := steps[len(steps)-2].State, steps[len(steps)-1].State
	switch field {
	case "status":
		return from.Status == last.Status && from.Category == last.Category
	case "type":
		return from.Type == last.Type
	case "points":
		return from.Points == last.Points && from.Estimated == last.Estimated
	case "sprint":
		return from.Sprint == last.Sprint
	default:
		return from.Assignee == last.Assignee
	}
}

// set takes over the values of one field; what is unknown is an error.
func (s *State) set(field, rest string) (err error) {
	switch field {
	case "created":
		value := strings.Split(rest, "\t")
		if len(value) != 6 {
			return fmt.Errorf("%d values", len(value))
		}
		s.Category, s.Status, s.Type, s.Assignee = tracker.Category(value[0]), value[1], value[2], value[5]
		if err = s.setPoints(value[3]); err == nil {
			err = s.setSprint(value[4])
		}
	case "status":
		category, status, _ := strings.Cut(rest, "\t")
		s.Category, s.Status = tracker.Category(category), status
	case "type":
		s.Type = rest
	case "points":
		err = s.setPoints(rest)
	case "sprint":
		err = s.setSprint(rest)
	case "assignee":
		s.Assignee = rest
	default:
		err = fmt.Errorf("field %q", field)
	}
	return err
}

func (s *State) setPoints(text string) (err error) {
	s.Points, s.Estimated = 0, text != ""
	if s.Estimated {
		s.Points, err = strconv.ParseFloat(text, 64)
	}
	return err
}

func (s *State) setSprint(text string) (err error) {
	s.Sprint = uuid.Nil
	if text != "" {
		s.Sprint, err = uuid.Parse(text)
	}
	return err
}
