package mcpserver

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"
)

type getMeIn struct{}

type getMeOut struct {
	Tenant      string   `json:"tenant"`
	Token       string   `json:"token"`
	Member      string   `json:"member,omitempty"`
	Name        string   `json:"name,omitempty"`
	Role        string   `json:"role"`
	Permissions []string `json:"permissions"`
	Projects    []string `json:"projects,omitempty"`
	Scope       string   `json:"scope"`
	ExpiresAt   string   `json:"expires_at,omitempty"`
	Warnings    []string `json:"warnings,omitempty"`
	Now         string   `json:"now"`
	// More names toolsets that the token may use and the client did not ask for.
	More []string `json:"more_toolsets,omitempty"`
	Hint string   `json:"hint,omitempty"`
}

func getMe() Tool {
	return define(Tool{
		Name: "get_me", Title: "Who am I", ReadOnly: true, Idempotent: true,
		Description: "Who this token is, what it may do, and in which projects. Call it first.",
	}, func(_ context.Context, c *Call, _ getMeIn) (getMeOut, error) { return c.me(), nil })
}

// me says who the caller is.
func (c *Call) me() getMeOut {
	out := getMeOut{
		Tenant: c.TenantSlug, Token: c.TokenName, Member: c.MemberEmail, Name: c.MemberName, Role: string(c.Role),
		Permissions: c.Permissions.Strings(), Scope: "all projects", Now: stamp(c.Now),
	}
	if c.MemberID == uuid.Nil {
		out.Member, out.Name = "", "service token"
	}
	if c.Grants.Limited {
		out.Projects, out.Scope = c.Grants.Projects, "only the listed projects"
	}
	if !c.ExpiresAt.IsZero() {
		out.ExpiresAt = stamp(c.ExpiresAt)
	}
	switch {
	case c.Replaced:
		out.Warnings = append(out.Warnings, "This secret was replaced and ends at "+out.ExpiresAt+": ask an admin for the new one.")
	case c.ExpiresSoon():
		out.Warnings = append(out.Warnings, "This token expires at "+out.ExpiresAt+": ask an admin to extend or rotate it.")
	}
	if out.More = c.moreToolsets(); len(out.More) > 0 {
		shown := c.narrow.Toolsets
		if len(shown) == 0 {
			shown = []string{ToolsetDefault}
		}
		names := strings.Join(slices.Concat(shown, out.More), ",")
		out.Hint = "Your person can show you those tools: with the header " + headerToolsets + ": " + names + ", with /x/" + names +
			" in the address, or with --toolsets of colaflow stdio."
	}
	return out
}

// moreToolsets lists the toolsets with a tool that the token may call, had the client
// asked for it: one that was taken away by name or as a write is not missed.
func (c *Call) moreToolsets() (names []string) {
	if len(c.narrow.Tools) > 0 {
		return nil
	}
	for _, t := range c.optional {
		asked := c.narrow
		asked.Toolsets = []string{t.Toolset}
		if asked.allows(t) && !c.narrow.allows(t) && c.May(*t.Permission) && !slices.Contains(names, t.Toolset) {
			names = append(names, t.Toolset)
		}
	}
	return names
}
