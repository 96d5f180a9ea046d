package jira

import (
	"regexp"
	"slices"
	"strings"

	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
)

// linkColumn is a column such as "Outward issue link (Blocks)".
type linkColumn struct {
	name     string
	relation tracker.Relation
	inward   bool
}

var linkName = regexp.MustCompile(`(?i)^(inward|outward) issue link \((.+)\)$`)

// linkColumns finds the columns of links that ColaFlow has too; others are noted
// as unread columns are.
func linkColumns(t *table) []linkColumn {
	var columns []linkColumn
	for _, name := range t.names {
		m := linkName.FindStringSubmatch(name)
		if m == nil || slices.ContainsFunc(columns, func(c linkColumn) bool { return c.name == name }) {
			continue
		}
		if relation, known := relationOf(m[2]); known {
			columns = append(columns, linkColumn{name: name, relation: relation, inward: strings.EqualFold(m[1], "inward")})
		}
	}
	return columns
}

// link adds a row's links. Jira exports each from both ends; the check keeps one.
func (c *converter) link(r row, id string) {
	for _, column := range c.links {
		for _, other := range r.all(column.name) {
			other = strings.ToUpper(other)
			if column.inward {
				c.data.Links = append(c.data.Links, dataset.Link{From: other, Relation: column.relation, To: id})
			} else {
				c.data.Links = append(c.data.Links, dataset.Link{From: id, Relation: column.relation, To: other})
			}
		}
	}
}
