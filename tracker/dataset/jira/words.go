package jira

import (
	"slices"
	"strings"

	"github.com/colaflow/colaflow/tracker"
)

// categoryOf guesses what a status means: by Jira's own category if the export
// has it, else by the words in its name, else by whether the issue is resolved.
func categoryOf(status, category string, resolved bool) tracker.Category {
	status = strings.ToLower(status)
	says := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(status, w) })
	}
	givenUp := says("cancel", "won't", "wont ", "reject", "declin", "duplicate", "obsolete", "abandon", "invalid")
	switch strings.ToLower(category) {
	case "to do", "new", "undefined":
		return tracker.Todo
	case "in progress", "indeterminate":
		return tracker.InProgress
	case "done", "complete":
		if givenUp {
			return tracker.Cancelled
		}
		return tracker.Done
	}
	switch {
	case givenUp:
		return tracker.Cancelled
	case says("open", "new", "to do", "todo", "backlog", "selected", "ready for dev", "not done", "incomplete", "unresolved", "not started", "unstarted",
		"unfinished", "not finished", "inactive"):
		return tracker.Todo
	case says("done", "closed", "resolved", "released", "complete", "fixed", "finished", "deployed", "accepted"):
		return tracker.Done
	case says("progress", "review", "test", "qa", "in dev", "doing", "implement", "analysis", "active", "started", "block", "hold", "waiting", "verif"):
		return tracker.InProgress
	case resolved:
		return tracker.Done
	default:
		return tracker.Todo
	}
}

// unsuccessful reports whether a resolution means that nothing was done.
func unsuccessful(resolution string) bool {
	return slices.Contains([]string{"won't do", "won't fix", "wont do", "wontfix", "duplicate", "cannot reproduce", "declined", "incomplete",
		"invalid", "rejected", "obsolete", "not a bug", "cancelled", "canceled", "abandoned", "known error"}, strings.ToLower(resolution))
}

// priorityOf reads Jira's priorities, old and new; an unknown one is medium.
func priorityOf(s string) (p tracker.Priority, known bool) {
	switch strings.ToLower(s) {
	case "highest", "blocker", "critical", "urgent", "p0", "p1":
		return tracker.Urgent, true
	case "high", "major", "p2":
		return tracker.High, true
	case "", "medium", "normal", "p3", "undefined", "none":
		return tracker.Medium, true
	case "low", "minor", "lowest", "trivial", "p4", "p5":
		return tracker.Low, true
	default:
		return tracker.Medium, false
	}
}

// relationOf knows the link types that ColaFlow has too, by their name in Jira.
func relationOf(link string) (tracker.Relation, bool) {
	switch strings.ToLower(link) {
	case "blocks", "blocker":
		return tracker.Blocks, true
	case "duplicate", "duplicates":
		return tracker.Duplicates, true
	case "relates", "relates to", "related":
		return tracker.RelatesTo, true
	default:
		return "", false
	}
}
