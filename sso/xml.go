package sso

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/beevik/etree"
	xrv "github.com/mattermost/xml-roundtrip-validator"
)

// Whether comments may be in a document. Signatures do not cover them, so a
// document that is judged by its signature has none.
const (
	withComments    = true
	withoutComments = false
)

const maxXMLDepth = 64

// parseXML reads a document that has nothing in it with which two readers could
// see two documents: no DTD, no processing instruction beyond the declaration,
// and nothing that changes when it is written and read again.
func parseXML(data []byte, comments bool) (*etree.Element, error) {
	if err := xrv.Validate(bytes.NewReader(data)); err != nil {
		return nil, fmt.Errorf("it is no well-formed XML: %w", err)
	}
	doc := etree.NewDocument()
	doc.ReadSettings = etree.ReadSettings{MaxDepth: maxXMLDepth, PreserveDuplicateAttrs: true}
	if err := doc.ReadFromBytes(data); err != nil {
		return nil, fmt.Errorf("it is no well-formed XML: %w", err)
	}
	if first, ok := declaration(doc); ok {
		doc.RemoveChild(first)
	}
	if len(doc.ChildElements()) != 1 {
		return nil, errors.New("it has not exactly one root")
	}
	return doc.Root(), plainXML(&doc.Element, comments)
}

// declaration is the <?xml ...?> at the beginning.
func declaration(doc *etree.Document) (*etree.ProcInst, bool) {
	if len(doc.Child) == 0 {
		return nil, false
	}
	first, ok := doc.Child[0].(*etree.ProcInst)
	return first, ok && first.Target == "xml"
}

// plainXML refuses what has no place in an element.
func plainXML(el *etree.Element, comments bool) error {
	seen := map[string]bool{}
	for _, a := range el.Attr {
		if seen[a.FullKey()] {
			return errors.New("an attribute is given twice")
		}
		seen[a.FullKey()] = true
	}
	for _, token := range el.Child {
		switch token := token.(type) {
		case *etree.Element:
			if err := plainXML(token, comments); err != nil {
				return err
			}
		case *etree.CharData:
		case *etree.Comment:
			if !comments {
				return errors.New("it has a comment")
			}
		default:
			return errors.New("it has a DTD or a processing instruction")
		}
	}
	return nil
}

// named reports whether an element has this name in this namespace.
func named(el *etree.Element, space, tag string) bool {
	return el.Tag == tag && el.NamespaceURI() == space
}

// children returns the child elements of this name; nil has none.
func children(el *etree.Element, space, tag string) []*etree.Element {
	var list []*etree.Element
	if el == nil {
		return nil
	}
	for _, c := range el.ChildElements() {
		if named(c, space, tag) {
			list = append(list, c)
		}
	}
	return list
}

// only returns the one child element of this name; nil if there is none, or more.
func only(el *etree.Element, space, tag string) *etree.Element {
	if list := children(el, space, tag); len(list) == 1 {
		return list[0]
	}
	return nil
}

// content is the text of an element without child elements; "" of any other.
func content(el *etree.Element) string {
	if el == nil || len(el.ChildElements()) > 0 {
		return ""
	}
	var b strings.Builder
	for _, token := range el.Child {
		if text, ok := token.(*etree.CharData); ok {
			b.WriteString(text.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

// walk visits an element and everything below it.
func walk(el *etree.Element, visit func(*etree.Element) error) error {
	if err := visit(el); err != nil {
		return err
	}
	for _, c := range el.ChildElements() {
		if err := walk(c, visit); err != nil {
			return err
		}
	}
	return nil
}
