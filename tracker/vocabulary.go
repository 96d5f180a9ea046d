package tracker

import (
	"slices"
	"strings"

	"github.com/colaflow/colaflow/tenancy"
)

// Vocabulary is what a project, or several together, call statuses and types.
type Vocabulary struct {
	Statuses []string
	Types    []string
}

// JoinVocabularies returns every spelling that occurs in any of them, once, in order.
func JoinVocabularies(all []Vocabulary) Vocabulary {
	var joined Vocabulary
	add := func(list *[]string, words []string) {
		for _, w := range words {
			if !slices.Contains(*list, w) {
				*list = append(*list, w)
			}
		}
	}
	for _, v := range all {
		add(&joined.Statuses, v.Statuses)
		add(&joined.Types, v.Types)
	}
	return joined
}

// FindStatuses returns every spelling of the named statuses, whatever their case, or
// an InvalidValue error that lists what there is.
func (v Vocabulary) FindStatuses(names []string) ([]string, error) {
	return findWords("Status", names, v.Statuses)
}

// FindTypes is FindStatuses for issue types.
func (v Vocabulary) FindTypes(names []string) ([]string, error) {
	return findWords("Type", names, v.Types)
}

// wordsShown is how many known words an error lists.
const wordsShown = 20

func findWords(what string, names, known []string) ([]string, error) {
	var found []string
	for _, name := range names {
		before := len(found)
		for _, word := range known {
			if strings.EqualFold(word, strings.TrimSpace(name)) && !slices.Contains(found, word) {
				found = append(found, word)
			}
		}
		if len(found) == before && !slices.ContainsFunc(found, func(w string) bool { return strings.EqualFold(w, strings.TrimSpace(name)) }) {
			list := strings.Join(known[:min(len(known), wordsShown)], ", ")
			if len(known) > wordsShown {
				list += " and others"
			}
			return nil, tenancy.Errorf(tenancy.InvalidValue, "%s %q is not known in these projects.", what, CleanLine(name)).
				WithNext("Use one of " + list + ".")
		}
	}
	return found, nil
}
