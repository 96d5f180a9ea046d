package sso

import (
	"cmp"
	"net/mail"
	"strings"

	"github.com/google/uuid"
)

// Identity is what an identity provider vouches for. Issuer and Subject together
// are the identity; the e-mail address is only something that it has.
type Identity struct {
	Provider      uuid.UUID `json:"provider"`
	Issuer        string    `json:"issuer"`
	Subject       string    `json:"subject"`
	Email         string    `json:"email,omitempty"`
	EmailVerified bool      `json:"email_verified"`
	Name          string    `json:"name,omitempty"`
	Groups        []string  `json:"groups,omitempty"`
	// GroupsWithheld tells that there are groups which the provider does not send.
	GroupsWithheld bool `json:"groups_withheld,omitempty"`
}

const (
	maxSubject = 1024
	maxEmail   = 254 // RFC 5321
	maxGroups  = 2000
	maxGroup   = 512
)

// tidy bounds what a provider may send, and refuses an identity without subject.
func (id Identity) tidy() (Identity, error) {
	if id.Subject == "" || len(id.Subject) > maxSubject || id.Issuer == "" || id.Subject != strings.ToValidUTF8(id.Subject, "") || strings.ContainsRune(id.Subject, 0) {
		return Identity{}, problem(SubjectMissing, nil, "a subject has 1 to %d bytes of text", maxSubject)
	}
	id.Name = printable(id.Name, maxName)
	var groups []string
	for _, g := range id.Groups {
		if g != "" && len(g) <= maxGroup && len(groups) < maxGroups {
			groups = append(groups, g)
		}
	}
	id.Groups = groups
	return id, nil
}

// Label names the identity where nobody is known by it: its e-mail address as it came,
// else its subject.
func (id Identity) Label() string { return printable(cmp.Or(id.Email, id.Subject), maxEmail) }

// Address returns the e-mail address in the one form that is compared: plain
// ASCII in lower case. Other letters are refused, because some of them turn into
// ASCII when they are lowered (U+212A becomes k), and so into somebody else.
func (id Identity) Address() (string, error) {
	if id.Email == "" {
		return "", problem(EmailMissing, nil, "")
	}
	for _, r := range id.Email {
		if r <= ' ' || r > '~' {
			return "", problem(EmailInvalid, nil, "%q", id.Email)
		}
	}
	parsed, err := mail.ParseAddress(id.Email)
	if err != nil || parsed.Address != id.Email || len(id.Email) > maxEmail || strings.ContainsAny(id.Email, `"\`) {
		return "", problem(EmailInvalid, err, "%q", id.Email)
	}
	return strings.ToLower(id.Email), nil
}
