package mcpserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/colaflow/colaflow/tenancy"
)

// decode reads a tool's arguments into the struct that dst points to. Whatever
// does not fit the shape is an error that names the argument and says what fits.
func (s *shape) decode(tool string, raw json.RawMessage, dst any) error {
	if len(raw) == 0 || string(raw) == "null" {
		raw = json.RawMessage("{}")
	}
	return s.object(tool, "", raw, reflect.ValueOf(dst).Elem())
}

func (s *shape) object(tool, path string, raw json.RawMessage, dst reflect.Value) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(raw, &given); err != nil || given == nil {
		return wrongType(path, "an object")
	}
	where := tool
	if path != "" {
		where += ": " + strings.TrimSuffix(path, ".")
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if s.field(name) == nil {
			return s.unknown(where, name)
		}
	}
	var missing []string
	for _, f := range s.fields {
		value, ok := given[f.name]
		switch {
		case !ok && f.need:
			missing = append(missing, f.name)
		case !ok || string(value) == "null" && !f.shape.nullable:
			if f.need {
				missing = append(missing, f.name)
			}
		default:
			if err := f.shape.value(tool, path+f.name, value, dst.FieldByIndex(f.index)); err != nil {
				return err
			}
		}
	}
	if len(missing) > 0 {
		return tenancy.Errorf(tenancy.Missing, "%s needs %s.", where, strings.Join(missing, " and "))
	}
	return nil
}

func (s *shape) unknown(where, name string) error {
	names := make([]string, len(s.fields))
	for i, f := range s.fields {
		names[i] = f.name
	}
	e := tenancy.Errorf(tenancy.UnknownArgument, "%s has no argument %q.", where, shorten(name, 60))
	if best := closest(name, names); best != "" {
		return e.WithNext("Did you mean " + best + "?")
	}
	return e.WithNext("It takes " + strings.Join(names, ", ") + ".")
}

func (s *shape) value(tool, path string, raw json.RawMessage, dst reflect.Value) error {
	if s.nullable { // tracker.Optional
		dst.FieldByName("Given").SetBool(true)
		if string(raw) == "null" {
			dst.FieldByName("Null").SetBool(true)
			return nil
		}
		dst = dst.FieldByName("Value")
	}
	if dst.Kind() == reflect.Pointer {
		dst.Set(reflect.New(dst.Type().Elem()))
		dst = dst.Elem()
	}
	switch s.kind {
	case "string":
		return s.text(path, raw, dst)
	case "integer", "number":
		return s.number(path, raw, dst)
	case "boolean":
		var b bool
		if json.Unmarshal(raw, &b) != nil {
			return wrongType(path, "true or false")
		}
		dst.SetBool(b)
		return nil
	case "array":
		return s.list(tool, path, raw, dst)
	default:
		return s.object(tool, path+".", raw, dst)
	}
}

func (s *shape) text(path string, raw json.RawMessage, dst reflect.Value) error {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return wrongType(path, "a string")
	}
	if strings.ContainsRune(text, 0) {
		return wrongType(path, "a string without NUL characters")
	}
	if len(s.enum) > 0 {
		i := slices.IndexFunc(s.enum, func(e string) bool { return strings.EqualFold(e, strings.TrimSpace(text)) })
		if i < 0 {
			return tenancy.Errorf(tenancy.InvalidValue, "%s %q is not known.", path, shorten(text, 60)).
				WithNext("Use one of " + strings.Join(s.enum, ", ") + ".")
		}
		text = s.enum[i]
	}
	dst.SetString(text)
	return nil
}

func (s *shape) number(path string, raw json.RawMessage, dst reflect.Value) error {
	what := "a number"
	if s.kind == "integer" {
		what = "a whole number"
	}
	if s.min != nil {
		what += fmt.Sprintf(" from %g to %g", *s.min, *s.max)
	}
	var n float64
	if json.Unmarshal(raw, &n) != nil || s.kind == "integer" && n != math.Trunc(n) || s.min != nil && (n < *s.min || n > *s.max) {
		return wrongType(path, what)
	}
	if dst.Kind() == reflect.Int {
		dst.SetInt(int64(n))
	} else {
		dst.SetFloat(n)
	}
	return nil
}

// list accepts a lone value where a list of one is meant: models often send it.
func (s *shape) list(tool, path string, raw json.RawMessage, dst reflect.Value) error {
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		if s.elem.kind != "string" || !bytes.HasPrefix(bytes.TrimSpace(raw), []byte(`"`)) {
			return wrongType(path, "a list")
		}
		items = []json.RawMessage{raw}
	}
	if s.max != nil && (len(items) > int(*s.max) || len(items) < int(*s.min)) {
		code := tenancy.InvalidValue
		if len(items) > int(*s.max) {
			code = tenancy.TooLarge
		}
		return tenancy.Errorf(code, "%s has %d items; %g to %g are allowed.", path, len(items), *s.min, *s.max).
			WithNext("Split the call.")
	}
	out := reflect.MakeSlice(dst.Type(), len(items), len(items))
	for i, item := range items {
		if err := s.elem.value(tool, fmt.Sprintf("%s[%d]", path, i), item, out.Index(i)); err != nil {
			return err
		}
	}
	dst.Set(out)
	return nil
}

func wrongType(path, want string) error {
	if path = strings.TrimSuffix(path, "."); path == "" {
		path = "arguments"
	}
	return tenancy.Errorf(tenancy.InvalidValue, "%s must be %s.", path, want)
}

// closest returns the name most like a misspelled one, or "" if none is near.
func closest(name string, names []string) string {
	best, distance := "", 1+len(name)/2
	for _, n := range names {
		if d := editDistance(strings.ToLower(name), strings.ToLower(n)); d < distance {
			best, distance = n, d
		}
	}
	return best
}

// editDistance is Levenshtein's, over bytes of at most 60.
func editDistance(a, b string) int {
	a, b = a[:min(len(a), 60)], b[:min(len(b), 60)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal, row[j+1] = row[j+1], min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// shorten cuts text for a message, at a rune's edge.
func shorten(text string, max int) string {
	runes := []rune(text)
	if len(runes) <= max {
		return text
	}
	return string(runes[:max]) + "…"
}
