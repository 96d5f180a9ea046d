// Package demo makes up two companies with half a year of work behind them, so
// that a fresh installation has something to search and to report on. The same
// now gives the same data, down to the second.
package demo

import (
	"time"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
)

// Tenant is a company to create: who is in it, and its projects to load.
type Tenant struct {
	Slug     string
	Name     string
	Owner    string // e-mail
	People   []dataset.Person
	Datasets []*dataset.Dataset
}

// Tenants returns the demo companies as they are at now, which lies in the
// middle of a sprint.
func Tenants(now time.Time) []Tenant {
	return []Tenant{acme(now.UTC()), globex(now.UTC())}
}

// newTenant generates the projects of a company. The first person owns it.
func newTenant(now time.Time, slug, name string, people []dataset.Person, projects ...project) Tenant {
	t := Tenant{Slug: slug, Name: name, Owner: people[0].Email, People: people}
	for _, p := range projects {
		t.Datasets = append(t.Datasets, p.generate(now, people))
	}
	return t
}

// person is an active member with an e-mail at the company.
func person(company, handle, name string, role tenancy.Role) dataset.Person {
	return dataset.Person{Handle: handle, Email: handle + "@" + company + ".test", Name: name, Role: role, State: tenancy.MemberActive}
}

// project is what is told of a project; the rest is generated from it.
type project struct {
	key, name, description, template string
	seed                             uint64
	team                             team
	arrivals                         float64 // new issues a week
	areas                            []area
	patterns                         []pattern
	goals                            []string // of sprints
	remarks                          []string // comments that only this project hears
}

// team is who does what in a project.
type team struct {
	lead      string // plans and closes sprints
	makers    []string
	reporters []string
}

// area is a part of a product that an epic is about.
type area struct {
	epic, goal, label string
	things            []thing
}

// thing is what issues are about; about is a sentence that explains it.
type thing struct{ name, about string }

// pattern is a kind of work that may come up for any thing of a project. {thing}
// and {Thing} stand for its name.
type pattern struct {
	kind, title, text string
	checks            []string
}

// The history is thirteen sprints of two weeks, and half of the active one.
const (
	sprintWeeks = 2
	pastSprints = 13
)

func (p project) generate(now time.Time, people []dataset.Person) *dataset.Dataset {
	template, err := tracker.FindTemplate(p.template)
	if err != nil {
		panic(err) // the templates of our own projects exist
	}
	s := &simulation{project: p, now: now, workflow: template.Workflow, dice: newDice(p.seed), active: activeSprintStart(now),
		used: map[string]bool{}}
	s.begin = s.active.AddDate(0, 0, -7*sprintWeeks*pastSprints)
	if p.template == "scrum" {
		s.runSprints()
	} else {
		s.runFlow()
	}
	s.finishEpics()
	s.link()
	return s.dataset(people)
}
