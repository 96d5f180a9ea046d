package tenancy

import (
	"cmp"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Role is what a person may do in a tenant; it bounds every token they own.
type Role string

// The roles, from least to most power.
const (
	RoleViewer Role = "viewer"
	RoleMember Role = "member"
	RoleAdmin  Role = "admin"
	RoleOwner  Role = "owner"
)

// Roles lists every role from least to most power.
func Roles() []Role { return []Role{RoleViewer, RoleMember, RoleAdmin, RoleOwner} }

// ParseRole returns the role named s, or an InvalidValue error that lists them.
func ParseRole(s string) (Role, error) {
	for _, r := range Roles() {
		if string(r) == s {
			return r, nil
		}
	}
	return "", Errorf(InvalidValue, "Role %q is not known.", s).WithNext("Use viewer, member, admin or owner.")
}

// Exceeds reports whether the role has more power than other.
func (r Role) Exceeds(other Role) bool {
	return slices.Index(Roles(), r) > slices.Index(Roles(), other)
}

// Permissions returns everything that a holder of the role may do. An unknown
// role may do nothing.
func (r Role) Permissions() PermissionSet {
	viewer := setOf(ProjectsRead, ProjectsSearch, IssuesRead, IssuesSearch, CommentsRead,
		SprintsRead, ReportsRead, AttachmentsRead)
	member := viewer | setOf(ProjectsCreate, ProjectsUpdate, IssuesCreate, IssuesUpdate, IssuesDelete,
		CommentsCreate, SprintsWrite, AttachmentsCreate, TimeWrite)
	switch r {
	case RoleViewer:
		return viewer
	case RoleMember:
		return member
	case RoleAdmin, RoleOwner:
		return AllPermissions
	default:
		return 0
	}
}

// MemberState says whether a person may act.
type MemberState string

// The states of a member. An imported person cannot sign in until invited.
const (
	MemberActive   MemberState = "active"
	MemberImported MemberState = "imported"
	MemberInvited  MemberState = "invited"
	MemberDisabled MemberState = "disabled"
)

// Member is a person of a tenant. Handle is unique in the tenant and lower-case;
// Email is empty for people who came with an import and were never invited.
type Member struct {
	ID        uuid.UUID   `json:"id"`
	Handle    string      `json:"handle"`
	Email     string      `json:"email,omitempty"`
	Name      string      `json:"name"`
	Role      Role        `json:"role"`
	State     MemberState `json:"state"`
	CreatedAt time.Time   `json:"created_at"`
}

// maxEmail is the longest address that mail can have; maxMemberName is generous.
const (
	maxEmail      = 254
	maxMemberName = 200
)

// NewMember returns an active member with this e-mail, whose part before the @
// is the handle. An empty name is made from the handle.
func NewMember(email, name string, role Role, now time.Time) (Member, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	address, err := mail.ParseAddress(email)
	if err != nil || address.Address != email {
		return Member{}, Errorf(InvalidValue, "%q is not an e-mail address.", email).WithNext("Use the form ada@example.com.")
	}
	if len(email) > maxEmail || utf8.RuneCountInString(name) > maxMemberName {
		return Member{}, Errorf(InvalidValue, "An e-mail address has at most %d bytes, a name %d characters.", maxEmail, maxMemberName)
	}
	handle, _, _ := strings.Cut(email, "@")
	return Member{ID: NewID(), Handle: handle, Email: email, Name: cmp.Or(strings.TrimSpace(name), handle),
		Role: role, State: MemberActive, CreatedAt: now.UTC()}, nil
}

// TakesPlace reports whether the member counts for the plan: people who may act,
// now or once they accept.
func (m Member) TakesPlace() bool { return m.State == MemberActive || m.State == MemberInvited }

// Label is how a member is shown and how tools accept them back: the e-mail
// where there is one, else the handle.
func (m Member) Label() string {
	if m.Email != "" {
		return m.Email
	}
	return m.Handle
}
