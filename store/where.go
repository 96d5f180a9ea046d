package store

import (
	"strconv"
	"strings"
)

// where builds a condition with numbered parameters. Text comes from this
// package only; values always travel as parameters.
type where struct {
	parts []string
	args  []any
}

// bind adds a parameter without a condition.
func (w *where) bind(arg any) { w.args = append(w.args, arg) }

// add joins a condition by "and"; each ? in it becomes the next parameter.
func (w *where) add(condition string, args ...any) {
	for _, arg := range args {
		w.bind(arg)
		condition = strings.Replace(condition, "?", w.last(), 1)
	}
	w.parts = append(w.parts, condition)
}

// last names the newest parameter, such as $4.
func (w *where) last() string { return "$" + strconv.Itoa(len(w.args)) }

// String returns the joined condition.
func (w *where) String() string { return strings.Join(w.parts, " and ") }

// clause returns the condition as a where clause.
func (w *where) clause() string { return " where " + w.String() }
