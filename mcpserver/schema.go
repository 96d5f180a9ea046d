package mcpserver

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/report"
)

// A tool's arguments are a Go struct. Its fields and their tags are the one
// source of the input schema (JSON Schema 2020-12) and of the checks:
//
//	json:"name"      the argument's name; ",omitempty" has no meaning here
//	doc:"..."        description
//	enum:"a|b"       allowed values, compared ignoring case
//	range:"1,100"    bounds of a number, or of a list's length
//	need:"true"      must be given
//
// Embedded structs contribute their fields. tracker.Optional accepts null.

// shape is the compiled form of one value: a struct, list, string, number or flag.
type shape struct {
	kind     string // object, array, string, integer, number, boolean
	nullable bool
	enum     []string
	min, max *float64
	elem     *shape
	fields   []field
}

type field struct {
	name  string
	doc   string
	need  bool
	index []int
	shape *shape
}

// shapeOf compiles a type. It panics on what it cannot express: tools are
// compiled at start-up, where a mistake must be loud.
func shapeOf(t reflect.Type) *shape {
	switch t.Kind() {
	case reflect.String:
		return &shape{kind: "string"}
	case reflect.Bool:
		return &shape{kind: "boolean"}
	case reflect.Int:
		return &shape{kind: "integer"}
	case reflect.Float64:
		return &shape{kind: "number"}
	case reflect.Pointer:
		return shapeOf(t.Elem())
	case reflect.Slice:
		return &shape{kind: "array", elem: shapeOf(t.Elem())}
	case reflect.Struct:
		if value, ok := t.FieldByName("Value"); ok && strings.HasPrefix(t.Name(), "Optional[") {
			s := shapeOf(value.Type)
			s.nullable = true
			return s
		}
		s := &shape{kind: "object"}
		for _, f := range reflect.VisibleFields(t) {
			if f.Anonymous || f.PkgPath != "" {
				continue
			}
			s.fields = append(s.fields, fieldOf(f))
		}
		return s
	default:
		panic(fmt.Sprintf("mcpserver: arguments cannot hold a %s", t))
	}
}

func fieldOf(f reflect.StructField) field {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "" {
		panic(fmt.Sprintf("mcpserver: field %s has no json name", f.Name))
	}
	s := shapeOf(f.Type)
	values := s
	if s.kind == "array" {
		values = s.elem
	}
	if enum := f.Tag.Get("enum"); enum != "" {
		values.enum = strings.Split(enum, "|")
	}
	if bounds := f.Tag.Get("range"); bounds != "" {
		low, high, _ := strings.Cut(bounds, ",")
		s.min, s.max = bound(low), bound(high)
	}
	return field{name: name, doc: f.Tag.Get("doc"), need: f.Tag.Get("need") == "true", index: f.Index, shape: s}
}

func bound(text string) *float64 {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(fmt.Sprintf("mcpserver: bound %q is not a number", text))
	}
	return &n
}

// schema renders the shape as JSON Schema, terse: clients pay for every byte.
func (s *shape) schema() map[string]any {
	out := map[string]any{"type": s.kind}
	if s.nullable {
		out["type"] = []string{s.kind, "null"}
	}
	if len(s.enum) > 0 {
		out["enum"] = s.enum
	}
	switch s.kind {
	case "array":
		out["items"] = s.elem.schema()
		setBound(out, "minItems", s.min)
		setBound(out, "maxItems", s.max)
	case "integer", "number":
		setBound(out, "minimum", s.min)
		setBound(out, "maximum", s.max)
	case "object":
		properties, required := map[string]any{}, []string{}
		for _, f := range s.fields {
			p := f.shape.schema()
			if f.doc != "" {
				p["description"] = f.doc
			}
			properties[f.name] = p
			if f.need {
				required = append(required, f.name)
			}
		}
		out["properties"], out["additionalProperties"] = properties, false
		if len(required) > 0 {
			out["required"] = required
		}
	}
	return out
}

func setBound(out map[string]any, name string, n *float64) {
	if n != nil && (*n != 0 || name != "minItems") {
		out[name] = *n
	}
}

// field returns the field of this name, or nil.
func (s *shape) field(name string) *field {
	i := slices.IndexFunc(s.fields, func(f field) bool { return f.name == name })
	if i < 0 {
		return nil
	}
	return &s.fields[i]
}

// without is the shape without the fields of a name, at any depth.
func (s *shape) without(name string) *shape {
	out := *s
	if s.elem != nil {
		out.elem = s.elem.without(name)
	}
	out.fields = nil
	for _, f := range s.fields {
		if f.name != name {
			f.shape = f.shape.without(name)
			out.fields = append(out.fields, f)
		}
	}
	return &out
}

// set gives a field of the top level its one value, if there is such a field.
func (s *shape) set(name, value string, dst reflect.Value) {
	f := s.field(name)
	if f == nil {
		return
	}
	switch at := dst.FieldByIndex(f.index); at.Kind() {
	case reflect.String:
		at.SetString(value)
	case reflect.Slice:
		at.Set(reflect.ValueOf([]string{value}))
	}
}

func mustJSON(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("mcpserver: a value of ours does not marshal: %v", err))
	}
	return data
}

// outputSchema names the members that every result has, no deeper than its top
// level: enough for a client to plan with, small enough to list.
func outputSchema(t reflect.Type) json.RawMessage {
	properties := map[string]any{}
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || name == "" || options != "" {
			continue
		}
		properties[name] = map[string]any{"type": outputKind(f.Type)}
	}
	return mustJSON(map[string]any{"type": "object", "properties": properties})
}

func outputKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Slice:
		if t == reflect.TypeFor[json.RawMessage]() || t == reflect.TypeFor[report.Figures]() {
			return "object"
		}
		return "array"
	case reflect.Int, reflect.Int64:
		return "integer"
	case reflect.Float64:
		return "number"
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	case reflect.Pointer:
		return outputKind(t.Elem())
	default:
		if t == reflect.TypeFor[tracker.Priority]() || t == reflect.TypeFor[time.Time]() {
			return "string"
		}
		return "object"
	}
}
