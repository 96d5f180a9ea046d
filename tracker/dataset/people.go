package dataset

import (
	"strings"

	"github.com/colaflow/colaflow/tracker"
)

// AddPerson makes sure that somebody is among the people, and returns the handle
// that refers to them: the login in lower case, without spaces. An empty login
// is nobody.
func (d *Dataset) AddPerson(login, name, email string) string {
	handle := Handle(login)
	if handle == "" {
		return ""
	}
	if n, known := d.index()[handle]; known {
		p := &d.People[n]
		if p.Name == p.Handle && name != "" {
			p.Name = name
		}
		if p.Email == "" {
			p.Email = email
		}
		return handle
	}
	if name == "" {
		name = handle
	}
	d.byHandle[handle] = len(d.People)
	d.People = append(d.People, Person{Handle: handle, Name: name, Email: email})
	return handle
}

// index finds people by handle. It is made anew after People was assigned whole.
func (d *Dataset) index() map[string]int {
	if d.byHandle == nil || len(d.byHandle) != len(d.People) {
		d.byHandle = make(map[string]int, len(d.People))
		for n, p := range d.People {
			d.byHandle[p.Handle] = n
		}
	}
	return d.byHandle
}

// Handle returns what AddPerson calls somebody with this login.
func Handle(login string) string {
	handle := strings.ReplaceAll(strings.ToLower(tracker.CleanLine(login)), " ", ".")
	return cut(handle, tracker.MaxName)
}
