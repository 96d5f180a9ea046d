package clientconfig

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/tailscale/hujson"
)

// merge puts an entry into the named section of a JSON text, which may have
// comments and trailing commas, and leaves every other byte as it was.
func merge(text []byte, section, name string, entry any) (after []byte, replaced bool, err error) {
	if len(bytes.Trim(text, " \t\r\n")) == 0 {
		text = []byte("{}\n")
	}
	root, err := hujson.Parse(text)
	if err != nil {
		return nil, false, fmt.Errorf("it is not valid JSON (%s)", strings.TrimPrefix(err.Error(), "hujson: "))
	}
	top, ok := root.Value.(*hujson.Object)
	if !ok {
		return nil, false, errors.New("it does not hold a JSON object")
	}
	unit := indentOf(top)
	holder := member(top, section)
	if holder == nil {
		holder = add(top, section, &hujson.Object{}, "", unit)
	}
	servers, ok := holder.Value.(*hujson.Object)
	if !ok {
		return nil, false, fmt.Errorf("its %q is not an object", section)
	}
	value := hujson.Literal(encode(entry, unit+unit, unit))
	if old := member(servers, name); old != nil {
		old.Value = value
		return root.Pack(), true, nil
	}
	add(servers, name, value, unit, unit)
	return root.Pack(), false, nil
}

// member returns the value of a name; of several, the last, which readers take.
func member(o *hujson.Object, name string) *hujson.Value {
	for i := len(o.Members) - 1; i >= 0; i-- {
		if n, ok := o.Members[i].Name.Value.(hujson.Literal); ok && n.String() == name {
			return &o.Members[i].Value
		}
	}
	return nil
}

// add appends a member on a line of its own, one unit deeper than the object.
// Comments behind the last member stay there; a trailing comma stays one.
func add(o *hujson.Object, name string, value hujson.ValueTrimmed, indent, unit string) *hujson.Value {
	comments := strings.TrimRight(string(o.AfterExtra), " \t\r\n")
	m := hujson.ObjectMember{
		Name:  hujson.Value{BeforeExtra: hujson.Extra(comments + "\n" + indent + unit), Value: hujson.String(name)},
		Value: hujson.Value{BeforeExtra: hujson.Extra(" "), Value: value},
	}
	if n := len(o.Members); n > 0 {
		last := &o.Members[n-1].Value
		m.Value.AfterExtra, last.AfterExtra = last.AfterExtra, nil // not nil means a comma
	}
	o.Members = append(o.Members, m)
	o.AfterExtra = hujson.Extra("\n" + indent)
	return &o.Members[len(o.Members)-1].Value
}

// indentOf is the white space before the object's first member; two spaces if
// it has none on a line of its own.
func indentOf(o *hujson.Object) string {
	if len(o.Members) > 0 {
		before := string(o.Members[0].Name.BeforeExtra)
		if i := strings.LastIndexByte(before, '\n'); i >= 0 && strings.Trim(before[i+1:], " \t") == "" && before[i+1:] != "" {
			return before[i+1:]
		}
	}
	return "  "
}
