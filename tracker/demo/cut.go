package demo

import (
	"slices"
	"time"

	"github.com/colaflow/colaflow/tracker/dataset"
)

// dataset cuts off what lies after now, and numbers the rest by age.
func (s *simulation) dataset(people []dataset.Person) *dataset.Dataset {
	d := &dataset.Dataset{Source: "demo", People: slices.Clone(people), Sprints: s.sprints, Project: dataset.Project{Key: s.key, Name: s.name,
		Description: s.description, Template: s.template, Lead: s.team.lead, CreatedAt: s.begin.Add(-5 * 24 * time.Hour)}}
	for _, w := range s.works {
		if w.CreatedAt().After(s.now) {
			continue
		}
		i := w.Issue
		for n, r := range i.Revisions {
			if r.At.After(s.now) {
				i.Revisions = i.Revisions[:n]
				break
			}
		}
		i.Comments = nil
		for _, c := range w.Comments {
			if !c.At.After(s.now) {
				i.Comments = append(i.Comments, c)
			}
		}
		d.Issues = append(d.Issues, i)
	}
	slices.SortStableFunc(d.Issues, func(a, b dataset.Issue) int { return a.CreatedAt().Compare(b.CreatedAt()) })
	for n := range d.Issues {
		d.Issues[n].Number = n + 1
	}
	for _, l := range s.links {
		if !l.at.After(s.now) {
			d.Links = append(d.Links, dataset.Link{From: l.from.ExternalID, Relation: l.relation, To: l.to.ExternalID, At: l.at, By: l.by})
		}
	}
	return d
}
