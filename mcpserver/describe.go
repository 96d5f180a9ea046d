package mcpserver

import (
	"fmt"
	"strings"
)

// Argument is one argument of a tool, for the documentation.
type Argument struct {
	Name     string
	Type     string // in words, such as list of strings
	Doc      string
	Required bool
}

// Arguments lists the tool's arguments in the order of the schema's source.
func (t Tool) Arguments() []Argument {
	var list []Argument
	for _, f := range t.input.fields {
		list = append(list, Argument{Name: f.name, Type: f.shape.words(), Doc: f.doc, Required: f.need})
	}
	return list
}

// words says what the shape accepts.
func (s *shape) words() string {
	text := s.kind
	switch {
	case len(s.enum) > 0:
		text = strings.Join(s.enum, ", ")
	case s.kind == "array" && len(s.elem.enum) > 0:
		text = "list of " + s.elem.words()
	case s.kind == "array" && s.elem.kind == "object":
		text = "list of objects" + strings.TrimPrefix(s.elem.words(), "object")
	case s.kind == "array":
		text = "list of " + s.elem.words() + "s"
	case s.kind == "object":
		var names []string
		for _, f := range s.fields {
			names = append(names, f.name)
		}
		text = "object with " + strings.Join(names, ", ")
	}
	if s.min != nil && s.max != nil {
		text += fmt.Sprintf(" (%v to %v)", *s.min, *s.max)
	}
	if s.nullable {
		text += " or null"
	}
	return text
}
