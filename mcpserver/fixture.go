//go:build conformance

package mcpserver

import (
	"context"
	"encoding/json"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/colaflow/colaflow/tenancy"
)

// fixtureTools are the tools of the conformance suite's own test server, as tools of
// ours: with permissions, transactions, an audit row each, and everything between.
func fixtureTools() []Tool {
	png := mcp.NewImageContent(fixturePNG, "image/png")
	return append([]Tool{
		says("test_simple_text", "This is a simple text response for testing."),
		says("test_image_content", "An image follows.", png),
		says("test_audio_content", "A sound follows.", mcp.NewAudioContent(fixtureWAV, "audio/wav")),
		says("test_embedded_resource", "A resource follows.", embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")),
		says("test_multiple_content_types", "Multiple content types test:", png,
			embedded("test://mixed-content-resource", jsonMIME, `{"test":"data","value":123}`)),
		fixture("test_tool_with_progress", func(_ context.Context, c *Call, _ struct{}) (said, error) {
			for _, done := range []int{0, 50, 100} {
				c.progress.tell(done, 100, "Working.")
			}
			return said{"Done."}, nil
		}),
		says("test_tool_with_logging", "Nothing is logged."),
		says("test_logging_tool", "Nothing is logged."),
		fixture("test_error_handling", func(context.Context, *Call, struct{}) (said, error) {
			return said{}, tenancy.Errorf(tenancy.InvalidValue, "This tool intentionally returns an error for testing.")
		}),
		fixture("json_schema_2020_12_tool", func(_ context.Context, _ *Call, in contact) (said, error) {
			return said{"Hello, " + in.Name + "!"}, nil
		}).withSchema(fixtureSchema),
		fixture("test_header_parameter", func(_ context.Context, _ *Call, in region) (said, error) {
			return said{"Region " + in.Region}, nil
		}).withSchema(`{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}},"additionalProperties":false}`),
	}, fixtureQuestions()...)
}

// said is what fixtures answer.
type said struct {
	Text string `json:"text"`
}

type contact struct {
	Name    string `json:"name"`
	Address struct {
		Street string `json:"street"`
		City   string `json:"city"`
	} `json:"address"`
	ContactMethod string `json:"contactMethod" enum:"phone|email"`
	Phone         string `json:"phone"`
	Email         string `json:"email"`
}

type region struct {
	Region string `json:"region"`
}

// fixture is a tool that reads.
func fixture[In any](name string, handle func(context.Context, *Call, In) (said, error)) Tool {
	return define(Tool{Name: name, Title: name, Description: "A tool of the conformance suite.", ReadOnly: true, Permission: needs(tenancy.IssuesRead)}, handle)
}

// says is a tool that has one answer.
func says(name, text string, beside ...mcp.Content) Tool {
	return fixture(name, func(_ context.Context, c *Call, _ struct{}) (said, error) {
		c.beside = beside
		return said{text}, nil
	})
}

func embedded(uri, mime, text string) mcp.Content {
	return mcp.NewEmbeddedResource(mcp.TextResourceContents{URI: uri, MIMEType: mime, Text: text})
}

// withSchema lists the tool with a schema that Go types do not express.
func (t Tool) withSchema(schema string) Tool {
	t.schema = json.RawMessage(schema)
	return t
}

// fixtureResources are the resources of the suite's test server.
func fixtureResources() []Resource {
	read := func(out any) func(context.Context, *Call, variables) (any, error) {
		return func(context.Context, *Call, variables) (any, error) { return out, nil }
	}
	return []Resource{
		{URI: "test://static-text", Name: "static-text", MIME: "text/plain", Permission: needs(tenancy.IssuesRead),
			read: read("This is the content of the static text resource.")},
		{URI: "test://static-binary", Name: "static-binary", MIME: "image/png", Permission: needs(tenancy.IssuesRead), read: read(fixturePNG)},
		{URI: "test://watched-resource", Name: "watched-resource", MIME: "text/plain", Permission: needs(tenancy.IssuesRead), read: read("Watched.")},
		{URI: "test://template/{id}/data", Name: "template", Permission: needs(tenancy.IssuesRead),
			read: func(_ context.Context, _ *Call, vars variables) (any, error) {
				return map[string]any{"id": vars["id"], "templateTest": true, "data": "Data for ID: " + vars["id"]}, nil
			}},
	}
}

// One red pixel, and no sound at all.
const (
	fixturePNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
	fixtureWAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="
)

const fixtureSchema = `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object",
"$defs":{"address":{"$anchor":"addressDef","type":"object","properties":{"street":{"type":"string"},"city":{"type":"string"}}}},
"properties":{"name":{"type":"string"},"address":{"$ref":"#/$defs/address"},"contactMethod":{"type":"string","enum":["phone","email"]},
"phone":{"type":"string"},"email":{"type":"string"}},
"allOf":[{"anyOf":[{"required":["phone"]},{"required":["email"]}]}],
"if":{"properties":{"contactMethod":{"const":"phone"}},"required":["contactMethod"]},"then":{"required":["phone"]},"else":{"required":["email"]},
"additionalProperties":false}`
