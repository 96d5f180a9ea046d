package jira

import (
	"strconv"
	"strings"

	"github.com/colaflow/colaflow/tracker/dataset"
)

// people tells who is who: exports name people by display name, user name,
// e-mail or account id, and comments by account id alone.
type people struct {
	data  *dataset.Dataset
	byID  map[string]string // handle by account id
	taken map[string]string // account id by handle
}

// meet learns of somebody with a name and perhaps an account id.
func (p *people) meet(name, id string) string {
	if name == "" {
		return ""
	}
	if handle := p.byID[id]; handle != "" {
		return handle
	}
	login, email := name, ""
	if local, _, found := strings.Cut(name, "@"); found && local != "" {
		login, email, name = local, name, local
		if id == "" {
			id = email
		}
	}
	handle := dataset.Handle(login)
	for n := 2; id != "" && p.taken[handle] != "" && p.taken[handle] != id; n++ {
		handle = dataset.Handle(login + "-" + strconv.Itoa(n))
	}
	handle = p.data.AddPerson(handle, name, email)
	if id != "" {
		p.byID[id], p.taken[handle] = handle, id
	}
	return handle
}

// find is meet for somebody who is named by one word: an id, or a name.
func (p *people) find(word string) string {
	if handle := p.byID[word]; handle != "" {
		return handle
	}
	return p.meet(word, "")
}
