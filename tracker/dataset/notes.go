package dataset

import "fmt"

// Note is something that was changed or left out on the way in, how often, and
// where first.
type Note struct {
	Text   string   `json:"note"`
	Count  int      `json:"count"`
	Places []string `json:"places,omitempty"`
}

// Notes collects what a person should know after a load. Equal texts are one
// note, so that a large file cannot flood its reader.
type Notes []Note

// Bounds of what is kept: places of one note (Count goes on), and notes.
const (
	maxPlaces = 3
	maxNotes  = 100
)

// Add notes text at a place; an empty place only counts.
func (n *Notes) Add(place, text string) {
	note := n.find(text)
	note.Count++
	if place != "" && len(note.Places) < maxPlaces {
		note.Places = append(note.Places, place)
	}
}

func (n *Notes) find(text string) *Note {
	for i := range *n {
		if (*n)[i].Text == text {
			return &(*n)[i]
		}
	}
	switch len(*n) {
	case maxNotes - 1:
		text = "There was more to note than fits here."
	case maxNotes:
		return &(*n)[maxNotes-1]
	}
	*n = append(*n, Note{Text: text})
	return &(*n)[len(*n)-1]
}

// String is one line for a person.
func (n Note) String() string {
	line := n.Text
	for i, place := range n.Places {
		line += map[bool]string{true: " (", false: ", "}[i == 0] + place
	}
	if more := n.Count - len(n.Places); len(n.Places) > 0 && more > 0 {
		line += fmt.Sprintf(" and %d more", more)
	}
	if len(n.Places) > 0 {
		line += ")"
	}
	return line
}
