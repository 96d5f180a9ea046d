package tracker

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tenancy"
)

// Relation is how one issue stands to another, seen from the first.
type Relation string

// The relations. Half of them are the other half seen from the other side; only
// blocks, relates_to, duplicates and the parent are stored.
const (
	Blocks       Relation = "blocks"
	BlockedBy    Relation = "blocked_by"
	RelatesTo    Relation = "relates_to"
	Duplicates   Relation = "duplicates"
	DuplicatedBy Relation = "duplicated_by"
	ParentOf     Relation = "parent_of"
	ChildOf      Relation = "child_of"
)

// RelationNames lists what link_issues accepts.
func RelationNames() []string {
	return []string{"blocks", "blocked_by", "relates_to", "duplicates", "parent_of", "child_of"}
}

// ParseRelation reads a relation by name.
func ParseRelation(s string) (Relation, error) {
	if s = strings.ToLower(strings.TrimSpace(s)); slices.Contains(RelationNames(), s) {
		return Relation(s), nil
	}
	return "", tenancy.Errorf(tenancy.InvalidValue, "Relation %q is not known.", CleanLine(s)).
		WithNext("Use one of " + strings.Join(RelationNames(), ", ") + ".")
}

// Inverse returns the relation seen from the other issue.
func (r Relation) Inverse() Relation {
	switch r {
	case Blocks:
		return BlockedBy
	case BlockedBy:
		return Blocks
	case Duplicates:
		return DuplicatedBy
	case DuplicatedBy:
		return Duplicates
	case ParentOf:
		return ChildOf
	case ChildOf:
		return ParentOf
	default:
		return r
	}
}

// Related is another issue in a relation to IssueID.
type Related struct {
	IssueID  uuid.UUID
	Relation Relation
	Key      IssueKey
	Title    string
	Status   string
	Category Category
}
