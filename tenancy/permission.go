package tenancy

import (
	"math/bits"
	"strings"
)

// Permission is one verb on one resource of the closed vocabulary, such as
// issues:read. It is stored data (in token grants), so names never change.
type Permission uint8

// The vocabulary. The order is that of the documentation and of every listing.
const (
	ProjectsRead Permission = iota
	ProjectsSearch
	ProjectsCreate
	ProjectsUpdate
	ProjectsDelete
	IssuesRead
	IssuesSearch
	IssuesCreate
	IssuesUpdate
	IssuesDelete
	CommentsRead
	CommentsCreate
	SprintsRead
	SprintsWrite
	ReportsRead
	AttachmentsRead
	AttachmentsCreate
	TimeWrite
	AuditRead
	MembersManage
	permissionCount
)

var permissionNames = [permissionCount]string{
	"projects:read", "projects:search", "projects:create", "projects:update", "projects:delete",
	"issues:read", "issues:search", "issues:create", "issues:update", "issues:delete",
	"comments:read", "comments:create",
	"sprints:read", "sprints:write",
	"reports:read",
	"attachments:read", "attachments:create",
	"time:write",
	"audit:read",
	"members:manage",
}

// String returns resource:verb, or "unknown".
func (p Permission) String() string {
	if p >= permissionCount {
		return "unknown"
	}
	return permissionNames[p]
}

// Resource returns the part before the colon, such as issues.
func (p Permission) Resource() string { r, _, _ := strings.Cut(p.String(), ":"); return r }

// Verb returns the part after the colon, such as read.
func (p Permission) Verb() string { _, v, _ := strings.Cut(p.String(), ":"); return v }

// ParsePermission returns the permission written as resource:verb.
func ParsePermission(s string) (Permission, error) {
	for i, name := range permissionNames {
		if name == s {
			return Permission(i), nil
		}
	}
	return 0, Errorf(InvalidValue, "Permission %q is not known.", s).
		WithNext("Use resource:verb, such as issues:read; known are " + strings.Join(permissionNames[:], ", ") + ".")
}

// PermissionSet is a set of permissions. The zero value is empty.
type PermissionSet uint32

// AllPermissions holds the whole vocabulary.
const AllPermissions PermissionSet = 1<<permissionCount - 1

func setOf(ps ...Permission) PermissionSet {
	var s PermissionSet
	for _, p := range ps {
		s |= 1 << p
	}
	return s
}

// NewPermissionSet returns the set of the given permissions.
func NewPermissionSet(ps ...Permission) PermissionSet { return setOf(ps...) }

// Has reports whether p is in the set; an unknown permission never is.
func (s PermissionSet) Has(p Permission) bool { return p < permissionCount && s&(1<<p) != 0 }

// Len returns the number of permissions in the set.
func (s PermissionSet) Len() int { return bits.OnesCount32(uint32(s)) }

// List returns the permissions of the set in the order of the vocabulary.
func (s PermissionSet) List() []Permission {
	list := make([]Permission, 0, s.Len())
	for p := range permissionCount {
		if s.Has(p) {
			list = append(list, p)
		}
	}
	return list
}

// Strings returns the names of the set in the order of the vocabulary.
func (s PermissionSet) Strings() []string {
	names := make([]string, 0, s.Len())
	for _, p := range s.List() {
		names = append(names, p.String())
	}
	return names
}

// resourceSet returns every permission of one resource; empty if it is unknown.
func resourceSet(resource string) PermissionSet {
	var s PermissionSet
	for p := range permissionCount {
		if p.Resource() == resource {
			s |= 1 << p
		}
	}
	return s
}
