package dataset

import "github.com/colaflow/colaflow/tracker"

// ParentsFirst returns the issues in an order in which every parent precedes its
// children, else as they stand. A parent that is not in the dataset is dropped
// with a note; a circle of parents is an InvalidValue error.
func (d *Dataset) ParentsFirst() ([]*Issue, error) {
	byID := make(map[string]*Issue, len(d.Issues))
	for n := range d.Issues {
		byID[d.Issues[n].ExternalID] = &d.Issues[n]
	}
	for n := range d.Issues {
		d.dropUnknownParents(&d.Issues[n], byID)
	}
	order := make([]*Issue, 0, len(d.Issues))
	placed := make(map[*Issue]bool, len(d.Issues))
	for n := range d.Issues {
		var path []*Issue
		for i := &d.Issues[n]; i != nil && !placed[i]; i = byID[i.Now().Parent] {
			if len(path) > len(d.Issues) {
				return nil, place(&d.Issues[n], "is its own ancestor")
			}
			path = append(path, i)
		}
		for m := len(path) - 1; m >= 0; m-- {
			placed[path[m]] = true
			order = append(order, path[m])
		}
	}
	return order, nil
}

func (d *Dataset) dropUnknownParents(i *Issue, byID map[string]*Issue) {
	for n := range i.Revisions {
		if parent := &i.Revisions[n].Parent; *parent != "" && (byID[*parent] == nil || *parent == i.ExternalID) {
			d.Notes.Add(i.Place, "A parent that is not in the file was left out.")
			*parent = ""
		}
	}
}

// checkLinks drops links that point nowhere or stand twice, and those that
// would close a circle of blocks.
func (d *Dataset) checkLinks() {
	created := make(map[string]*Issue, len(d.Issues))
	for n := range d.Issues {
		created[d.Issues[n].ExternalID] = &d.Issues[n]
	}
	type ends struct {
		from, to string
		relation tracker.Relation
	}
	seen, kept := map[ends]bool{}, d.Links[:0]
	for _, l := range d.Links {
		from, to := created[l.From], created[l.To]
		same := ends{l.From, l.To, l.Relation}
		back := ends{l.To, l.From, l.Relation}
		switch {
		case from == nil || to == nil || from == to:
			d.Notes.Add(l.From, "A link to an issue that is not in the file was left out.")
			continue
		case l.Relation != tracker.Blocks && l.Relation != tracker.RelatesTo && l.Relation != tracker.Duplicates:
			d.Notes.Add(l.From, "A link of an unknown kind was left out.")
			continue
		case seen[same] || l.Relation == tracker.RelatesTo && seen[back]:
			continue
		}
		seen[same] = true
		if l.By = Handle(l.By); !d.knows(l.By) {
			l.By = ""
		}
		if l.At.IsZero() {
			l.At = from.CreatedAt()
			if to.CreatedAt().After(l.At) {
				l.At = to.CreatedAt()
			}
		}
		kept = append(kept, l)
	}
	d.Links = kept
	d.openCircles()
}

// openCircles drops every blocks link that leads back into its own chain.
func (d *Dataset) openCircles() {
	next := map[string][]int{}
	for n, l := range d.Links {
		if l.Relation == tracker.Blocks {
			next[l.From] = append(next[l.From], n)
		}
	}
	const entered, left = 1, 2
	state, drop := map[string]int{}, map[int]bool{}
	var visit func(string)
	visit = func(id string) {
		state[id] = entered
		for _, n := range next[id] {
			switch to := d.Links[n].To; state[to] {
			case entered:
				drop[n] = true
				d.Notes.Add(id, "A link that closes a circle of blocks was left out.")
			case 0:
				visit(to)
			}
		}
		state[id] = left
	}
	kept := d.Links[:0:0]
	for _, l := range d.Links {
		if l.Relation == tracker.Blocks && state[l.From] == 0 {
			visit(l.From)
		}
	}
	for n, l := range d.Links {
		if !drop[n] {
			kept = append(kept, l)
		}
	}
	d.Links = kept
}
