// Package tracker holds the rules of the tracker: projects, issues, workflow,
// sprints, events. Types, validation and formulas only; it performs no I/O.
package tracker
