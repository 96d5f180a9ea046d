package github

import (
	"encoding/json"
	"io"
	"net/url"
	"strings"

	"github.com/colaflow/colaflow/tracker/dataset"
)

// ListFields is what to pass to gh issue list --json for an export that ReadList
// reads whole.
const ListFields = "number,title,body,state,stateReason,labels,assignees,author,comments,createdAt,updatedAt,closedAt,milestone,url"

// ReadList reads the output of gh issue list --json. A milestone becomes a label.
func ReadList(r io.Reader) (*dataset.Dataset, error) {
	dec := json.NewDecoder(r)
	d := newDataset()
	source := ""
	err := each(dec, "issue", func(where string, r record) error {
		repo := repoOf(r.URL)
		switch {
		case repo == "":
			return invalid(where+" has no url of an issue.", "Export with: gh issue list --state all --limit 100000 --json "+ListFields)
		case source == "":
			source = repo
			setSource(d, repo)
		case repo != source:
			return invalid(where+" is of "+repo+", the ones before of "+source+".", "Import one repository at a time.")
		}
		return add(d, where, r)
	})
	if err != nil {
		return nil, err
	}
	if source == "" {
		return nil, invalid("The file holds no issues.", "Export with: gh issue list --state all --limit 100000 --json "+ListFields)
	}
	return finish(dec, d)
}

// repoOf reads owner/repo from an issue's URL, with the host in front unless it
// is github.com itself.
func repoOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(parts) != 4 || u.Host == "" || parts[0] == "" || parts[1] == "" {
		return ""
	}
	repo := parts[0] + "/" + parts[1]
	if u.Host != "github.com" {
		repo = u.Host + "/" + repo
	}
	return repo
}
