package mcpserver

import (
	"context"
	"fmt"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

type manageMembersIn struct {
	Action string `json:"action" need:"true" enum:"list|invite|set_role|deactivate|reactivate"`
	Member string `json:"member,omitempty" doc:"Whom to change: e-mail, handle or name"`
	Email  string `json:"email,omitempty" doc:"Whom to invite"`
	Name   string `json:"name,omitempty" doc:"Of who is invited"`
	Role   string `json:"role,omitempty" enum:"viewer|member|admin"`
	Query  string `json:"query,omitempty" doc:"For list: how a name or e-mail begins"`
	Limit  int    `json:"limit,omitempty" range:"1,100" doc:"For list; default 25"`
	Cursor string `json:"cursor,omitempty"`
	Confirmation
	WriteOptions
}

// personView is a member as who manages members sees them.
type personView struct {
	memberView
	State string `json:"state"`
}

func manageMembers() Tool {
	return define(Tool{
		Name: "manage_members", Title: "Manage members", Toolset: ToolsetAdmin, Destructive: true, Permission: needs(tenancy.MembersManage),
		Description: "List people, invite one, set a role, end someone's access or give it back. Every change is asked about first. Owners are changed by people only.",
	}, manageMembersHandler)
}

func manageMembersHandler(ctx context.Context, c *Call, in manageMembersIn) (list, error) {
	if in.Action == "list" {
		return c.listMembers(ctx, in)
	}
	edit, text, err := c.editMember(ctx, in)
	if err != nil {
		return list{}, err
	}
	c.target = edit.Target()
	if err := c.confirm(ctx, text, edit.Before.ID.String(), string(edit.Before.Role), string(edit.Before.State)); err != nil {
		return list{}, err
	}
	c.edited = edit.Changes()
	out := list{Total: 1}
	out.fill([]any{viewPerson(edit.After)}, 1)
	return out, c.Tx.SaveMember(ctx, edit)
}

func (c *Call) listMembers(ctx context.Context, in manageMembersIn) (out list, err error) {
	bound := manageMembersIn{Action: in.Action, Query: in.Query}
	var after string
	if _, err := c.resume(in.Cursor, bound, &after); err != nil {
		return out, err
	}
	var people []tenancy.Member
	if err := c.do(ctx, store.MembersPage(tracker.CleanLine(in.Query), after, limitOr(in.Limit)+1, &people, &out.Total)); err != nil {
		return out, err
	}
	rows := make([]any, len(people))
	for n, m := range people {
		rows[n] = viewPerson(m)
	}
	if kept, more := out.fill(rows, limitOr(in.Limit)); more {
		out.NextCursor = c.next(bound, people[kept-1].Handle)
	}
	return out, nil
}

// editMember checks a change and says it in a sentence.
func (c *Call) editMember(ctx context.Context, in manageMembersIn) (e store.MemberEdit, text string, err error) {
	missing := func(name string) error { return tenancy.Errorf(tenancy.Missing, "%s needs %s.", in.Action, name) }
	if in.Role == "" && (in.Action == "invite" || in.Action == "set_role") {
		return e, "", missing("role")
	}
	if in.Action == "invite" {
		if in.Email == "" {
			return e, "", missing("email")
		}
		e, err = c.Tx.EditInvitation(ctx, in.Email, tracker.CleanLine(in.Name), tenancy.Role(in.Role))
		return e, fmt.Sprintf("Invite %s (%s) as %s.", e.After.Email, e.After.Name, in.Role), err
	}
	if in.Member == "" {
		return e, "", missing("member")
	}
	m, err := c.member(ctx, in.Member)
	if err != nil {
		return e, "", err
	}
	change := store.MemberChange{}
	active := in.Action == "reactivate"
	switch in.Action {
	case "set_role":
		change.Role = tenancy.Role(in.Role)
	default:
		change.Active = &active
	}
	if e, err = c.Tx.EditMember(ctx, m.ID, change); err != nil {
		return e, "", err
	}
	return e, memberSentence(in.Action, e), nil
}

// memberSentence is what a person is asked to agree to.
func memberSentence(action string, e store.MemberEdit) string {
	who := fmt.Sprintf("%s (%s)", e.Before.Label(), e.Before.Name)
	switch action {
	case "set_role":
		return fmt.Sprintf("Make %s, who is %s, %s of the whole tenant.", who, e.Before.Role, e.After.Role)
	case "deactivate":
		return fmt.Sprintf("End the access of %s, %s: their sessions end, and their tokens stop.", who, e.Before.Role)
	}
	return fmt.Sprintf("Give %s access again, as %s.", who, e.After.Role)
}

func viewPerson(m tenancy.Member) personView { return personView{viewMember(m), string(m.State)} }
