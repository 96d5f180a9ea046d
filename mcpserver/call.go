package mcpserver

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// Call is everything that a tool's handler may use: who calls, the transaction,
// the clock and the log. It calls Tx methods and tracker rules, nothing else.
type Call struct {
	tenancy.Principal
	Tx       *store.Tx
	Now      time.Time
	Log      *slog.Logger
	tool     string
	narrow   Narrowing
	optional []Tool // see Server
	links    links
	cursors  cursors
	putPage  PutPage
	consent  consent
	// progress is where the client hears how far the call is; nil: nowhere.
	progress *progress
	// target and changes go into the audit row.
	target  string
	project uuid.UUID
	changes []change
	edited  json.RawMessage // the changes, where the store tells them
	// beside follows the data of the result, and file follows that.
	beside []mcp.Content
	file   *file
	memory *tenancy.Charge
}

// change is one event in the audit row's before and after.
type change struct {
	Key    string `json:"key,omitempty"`
	Field  string `json:"field"`
	Before any    `json:"before,omitempty"`
	After  any    `json:"after,omitempty"`
}

// author stamps what this call writes.
func (c *Call) author() store.Author {
	return store.Author{MemberID: c.MemberID, TokenID: c.TokenID, ChangeID: tenancy.NewID(), At: c.Now}
}

// show puts a picture, which is PNG, beside the data of the result.
func (c *Call) show(png []byte) {
	c.beside = append(c.beside, mcp.NewImageContent(base64.StdEncoding.EncodeToString(png), "image/png"))
}

// touch names what the call is about, for the audit row.
func (c *Call) touch(target string, project uuid.UUID) { c.target, c.project = target, project }

// changed notes an issue's change for the audit row.
func (c *Call) changed(before, after tracker.Issue) {
	for _, e := range tracker.Diff(before, after) {
		c.changes = append(c.changes, change{after.Key.String(), e.Field, e.Before, e.After})
	}
}

func (c *Call) changesJSON() json.RawMessage {
	if len(c.changes) == 0 {
		return c.edited
	}
	return mustJSON(c.changes)
}

// do runs queries in one trip of the call's transaction.
func (c *Call) do(ctx context.Context, queries ...store.Query) error { return c.Tx.Do(ctx, queries...) }

// links makes the web addresses that rows carry.
type links struct {
	base string // public URL without a trailing slash
	slug string
}

func (l links) issue(key tracker.IssueKey) string {
	return l.base + "/issues/" + key.String() + "?tenant=" + l.slug
}

func (l links) project(key string) string { return l.base + "/projects/" + key + "?tenant=" + l.slug }
