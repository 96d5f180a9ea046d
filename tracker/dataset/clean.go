package dataset

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/colaflow/colaflow/tracker"
)

// sprintName cleans the name of a sprint, and makes another of the words that
// mean something where a sprint is named.
func (d *Dataset) sprintName(where, name string) string {
	name = d.line(where, "sprint name", name, tracker.MaxName)
	if slices.Contains([]string{"current", "next", "none", "backlog"}, strings.ToLower(name)) {
		name += " sprint"
	}
	return name
}

func (d *Dataset) line(where, field, s string, max int) string {
	s = tracker.CleanLine(s)
	if utf8.RuneCountInString(s) <= max {
		return s
	}
	d.Notes.Add(where, fmt.Sprintf("A %s of more than %d characters was cut.", field, max))
	return cut(s, max-1) + "…"
}

// text cleans a text of several lines; one that is cut says so at its end.
func (d *Dataset) text(where, field, s string, max int) string {
	s, err := tracker.CheckText(field, s, math.MaxInt)
	if n := utf8.RuneCountInString(s); err == nil && n > max {
		d.Notes.Add(where, fmt.Sprintf("A %s of more than %d characters was cut; its end says so.", field, max))
		mark := fmt.Sprintf("\n\n[Cut on import: the source has %d characters here.]", n)
		s = cut(s, max-len(mark)) + mark
	}
	return s
}

// cut shortens s to max characters.
func cut(s string, max int) string {
	if len(s) <= max {
		return s
	}
	if runes := []rune(s); len(runes) > max {
		return string(runes[:max])
	}
	return s
}
