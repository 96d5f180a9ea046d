package github

import (
	"encoding/json"
	"io"

	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
)

// ReadArchive reads a repository's issue archive: the JSON that archive_repo of
// the IETF's i-d-template writes. Pull requests are read only if asked for.
func ReadArchive(r io.Reader, withPulls bool) (*dataset.Dataset, error) {
	dec := json.NewDecoder(r)
	if err := enter(dec, '{', "The archive"); err != nil {
		return nil, err
	}
	d := newDataset()
	a := archive{data: d, withPulls: withPulls}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, broken(dec, "The archive", err)
		}
		if err := a.field(dec, key); err != nil {
			return nil, err
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, broken(dec, "The archive", err)
	}
	if d.Source == "" {
		return nil, invalid(`The archive does not name its "repo".`, "Check that --format names the format of the file.")
	}
	a.noteUnusedLabels()
	return finish(dec, d)
}

type archive struct {
	data      *dataset.Dataset
	withPulls bool
	labels    []string
}

// field reads one member of the archive's object; unknown ones are skipped.
func (a *archive) field(dec *json.Decoder, key json.Token) error {
	switch key {
	case "repo":
		var repo string
		if err := dec.Decode(&repo); err != nil {
			return broken(dec, `"repo"`, err)
		}
		if repo = tracker.CleanLine(repo); repo != "" {
			setSource(a.data, repo)
		}
		return nil
	case "labels":
		return each(dec, "label", func(_ string, l label) error {
			a.labels = append(a.labels, l.Name)
			return nil
		})
	case "issues":
		return each(dec, "issue", func(where string, r record) error { return add(a.data, where, r) })
	case "pulls":
		if a.withPulls {
			return each(dec, "pull", func(where string, r record) error {
				r.URL = "/pull/"
				return add(a.data, where, r)
			})
		}
		return each(dec, "pull", func(string, json.RawMessage) error { return nil })
	default:
		var skipped json.RawMessage
		return broken(dec, "The archive", dec.Decode(&skipped))
	}
}

// noteUnusedLabels names the labels that the repository has but nothing carries.
func (a *archive) noteUnusedLabels() {
	used := map[string]bool{}
	for n := range a.data.Issues {
		for _, l := range a.data.Issues[n].Now().Labels {
			used[l] = true
		}
	}
	for _, l := range a.labels {
		if !used[l] {
			a.data.Notes.Add(l, "Labels that are on no issue were left out.")
		}
	}
}
