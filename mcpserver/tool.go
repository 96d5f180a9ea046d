package mcpserver

import (
	"cmp"
	"context"
	"encoding/json"
	"reflect"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/colaflow/colaflow/tenancy"
)

// Tool is one tool of the catalogue: its definition, the permission that it
// needs, and its handler, as one value.
type Tool struct {
	Name        string
	Title       string
	Description string
	// Permission is what dispatch asks before anything else. Nil: any token may call it.
	Permission *tenancy.Permission
	// ReadOnly chooses the kind of transaction, so the hint cannot lie.
	ReadOnly    bool
	Destructive bool
	Idempotent  bool
	// Toolset is the one that the tool belongs to; empty: ToolsetDefault.
	Toolset string

	place  int // in the catalogue
	input  *shape
	schema json.RawMessage
	pinned json.RawMessage // the schema of a call that is held to one project
	output json.RawMessage
	decode func(raw json.RawMessage, project string) (any, error) // what run takes; nil: nothing
	run    func(ctx context.Context, c *Call, in any) (any, error)
}

// WriteOptions are the arguments that every write takes.
type WriteOptions struct {
	DryRun         bool   `json:"dry_run,omitzero" doc:"Check and show the result; change nothing"`
	IdempotencyKey string `json:"idempotency_key,omitzero" doc:"Same key, same answer for 24 h"`
}

func (w WriteOptions) writeOptions() WriteOptions { return w }

// writeArguments are the decoded arguments of a write.
type writeArguments interface{ writeOptions() WriteOptions }

// needs points to a permission, for Tool literals.
func needs(p tenancy.Permission) *tenancy.Permission { return &p }

// define completes a tool with its typed handler. The schemas come from In and
// Out; a type that they cannot express, or a write without WriteOptions, panics
// at start-up.
func define[In, Out any](t Tool, handle func(context.Context, *Call, In) (Out, error)) Tool {
	if _, ok := any(*new(In)).(writeArguments); ok == t.ReadOnly {
		panic("mcpserver: tool " + t.Name + " does not take WriteOptions exactly if it writes")
	}
	t.input = shapeOf(reflect.TypeFor[In]())
	t.schema = mustJSON(t.input.schema())
	held := t.input.without("project")
	t.pinned = mustJSON(held.schema())
	t.output = outputSchema(reflect.TypeFor[Out]())
	t.decode = func(raw json.RawMessage, project string) (any, error) {
		var in In
		if project == "" {
			err := t.input.decode(t.Name, raw, &in)
			return in, err
		}
		err := held.decode(t.Name, raw, &in)
		t.input.set("project", project, reflect.ValueOf(&in).Elem())
		return in, err
	}
	t.run = func(ctx context.Context, c *Call, in any) (any, error) { return handle(ctx, c, in.(In)) }
	return t
}

// arguments are what run takes. The project of a call that is held to one is given.
func (t Tool) arguments(raw json.RawMessage, project string) (any, error) {
	if t.decode == nil {
		return nil, nil
	}
	return t.decode(raw, project)
}

// InToolset is the name of the tool's toolset.
func (t Tool) InToolset() string { return cmp.Or(t.Toolset, ToolsetDefault) }

// definition is the tool as tools/list shows it. Raw schemas halve its cost.
func (t Tool) definition() mcp.Tool {
	tool := mcp.NewToolWithRawSchema(t.Name, t.Description, t.schema)
	tool.RawOutputSchema = t.output
	tool.Annotations = mcp.ToolAnnotation{
		Title:           t.Title,
		ReadOnlyHint:    &t.ReadOnly,
		DestructiveHint: &t.Destructive,
		IdempotentHint:  &t.Idempotent,
		OpenWorldHint:   new(bool),
	}
	return tool
}
