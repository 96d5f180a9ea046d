package tracker

import (
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tenancy"
)

// ProjectState says whether a project takes new work.
type ProjectState string

// The states of a project. An archived project is readable but takes no writes.
const (
	ProjectActive   ProjectState = "active"
	ProjectArchived ProjectState = "archived"
)

// Project groups issues under one key, one workflow and one list of issue types.
type Project struct {
	ID          uuid.UUID    `json:"id"`
	Key         string       `json:"key"`
	Name        string       `json:"name"`
	Description string       `json:"description,omitempty"`
	State       ProjectState `json:"state"`
	LeadID      uuid.UUID    `json:"lead_id,omitzero"`
	Template    string       `json:"template"`
	Timezone    string       `json:"timezone"`
	WorkingDays Week         `json:"working_days"`
	Workflow    Workflow     `json:"workflow"`
	IssueTypes  []string     `json:"issue_types"`
	Version     int          `json:"version"`
	CreatedAt   time.Time    `json:"created_at"`
	UpdatedAt   time.Time    `json:"updated_at"`
}

// FieldLead is the name of the field that holds a member's id.
const FieldLead = "lead"

// Fields lists what of a project can be changed, under the names of update_project.
func (p Project) Fields() []Field {
	return []Field{{"name", p.Name}, {"description", p.Description}, {"state", string(p.State)}, {FieldLead, p.LeadID.String()},
		{"timezone", p.Timezone}, {"working_days", strings.Join(p.WorkingDays.Names(), " ")}}
}

var projectKeyPattern = regexp.MustCompile(`^[A-Z][A-Z0-9]{1,9}$`)

// CheckProjectKey returns an InvalidValue error unless key is 2 to 10 upper-case
// letters and digits that begin with a letter.
func CheckProjectKey(key string) error {
	if projectKeyPattern.MatchString(key) {
		return nil
	}
	return tenancy.Errorf(tenancy.InvalidValue, "Project key %q is not valid.", key).
		WithNext("Use 2 to 10 upper-case letters and digits that begin with a letter, such as WEB.")
}

// SuggestProjectKey derives a key from a name: initials of several words, else
// the first letters of one, such as "Mobile App" to MA and "Website" to WEB.
func SuggestProjectKey(name string) string {
	var words []string
	for _, w := range strings.FieldsFunc(strings.ToUpper(name), func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		if len(words) > 0 || unicode.IsLetter(rune(w[0])) {
			words = append(words, w)
		}
	}
	switch {
	case len(words) == 0:
		return "PROJ"
	case len(words) == 1:
		return (words[0] + "X")[:max(2, min(3, len(words[0])))]
	}
	key := ""
	for _, w := range words[:min(len(words), 5)] {
		key += w[:1]
	}
	return key
}

// CheckWritable returns a ReadOnlyCall error if the project is archived.
func (p *Project) CheckWritable() error {
	if p.State != ProjectArchived {
		return nil
	}
	return tenancy.Errorf(tenancy.ReadOnlyCall, "Project %s is archived and takes no changes.", p.Key).
		WithNext(`Set its state to "active" with update_project first.`)
}

// CheckTimezone returns an InvalidValue error unless the name is one of the IANA
// time zone database, such as Europe/Berlin or UTC.
func CheckTimezone(name string) error {
	if _, err := time.LoadLocation(name); err == nil && name != "" && name != "Local" {
		return nil
	}
	return tenancy.Errorf(tenancy.InvalidValue, "Time zone %q is not known.", CleanLine(name)).WithNext("Use a name such as Europe/Berlin.")
}

// IssueType returns the project's spelling of an issue type, or an InvalidValue
// error that lists the types.
func (p *Project) IssueType(name string) (string, error) {
	for _, t := range p.IssueTypes {
		if strings.EqualFold(t, name) {
			return t, nil
		}
	}
	return "", tenancy.Errorf(tenancy.InvalidValue, "Type %q is not known in %s.", name, p.Key).
		WithNext("Use one of " + strings.Join(p.IssueTypes, ", ") + ".")
}
