package tenancy

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/google/uuid"
)

// TenantID identifies a tenant. It is an alias so that JSON and PostgreSQL
// carry it as an ordinary UUID (version 7, made in Go).
type TenantID = uuid.UUID

// TenantState says whether a tenant's tokens and people may work.
type TenantState string

// The states of a tenant.
const (
	TenantActive    TenantState = "active"
	TenantSuspended TenantState = "suspended"
	TenantDeleted   TenantState = "deleted"
)

// Tenant is one company. Slug is immutable and never reused.
type Tenant struct {
	ID        TenantID    `json:"id"`
	Slug      string      `json:"slug"`
	Name      string      `json:"name"`
	State     TenantState `json:"state"`
	Plan      string      `json:"plan"`
	Config    AppConfig   `json:"config"` // what an admin has set
	CreatedAt time.Time   `json:"created_at"`
	// DeleteAfter is when the data of a deleted tenant is removed for good.
	DeleteAfter *time.Time `json:"delete_after,omitempty"`
}

var slugPattern = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$`)

// reservedSlugs would collide with the product's own host names and paths.
var reservedSlugs = []string{"www", "api", "app", "auth", "mcp", "admin", "static", "oauth", "localhost"}

// ValidSlug reports whether s has the form of a slug: 1 to 40 of a-z, 0-9 and
// inner hyphens. Reserved names have the form too; see CheckNewSlug.
func ValidSlug(s string) bool { return slugPattern.MatchString(s) }

// CheckNewSlug returns an InvalidValue error unless s may name a new tenant.
func CheckNewSlug(s string) error {
	if !ValidSlug(s) {
		return Errorf(InvalidValue, "Tenant slug %q is not valid.", s).
			WithNext("Use 1 to 40 lower-case letters, digits and inner hyphens, such as acme or acme-labs.")
	}
	if slices.Contains(reservedSlugs, s) {
		return Errorf(InvalidValue, "Tenant slug %q is reserved.", s).WithNext("Choose another slug.")
	}
	return nil
}

// NewID returns a UUID version 7 (RFC 9562): time-ordered, made without the database.
func NewID() uuid.UUID {
	id, err := uuid.NewV7()
	if err != nil {
		panic(fmt.Sprintf("tenancy: the system's random source failed: %v", err))
	}
	return id
}
