//go:build conformance

package mcpserver

import (
	"context"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/colaflow/colaflow/tenancy"
)

// fixturePrompts are the prompts of the suite's test server.
func fixturePrompts() []Prompt {
	user := func(content mcp.Content) mcp.PromptMessage { return mcp.NewPromptMessage(mcp.RoleUser, content) }
	return []Prompt{
		fixturePrompt("test_simple_prompt", func(context.Context, variables) ([]mcp.PromptMessage, error) {
			return []mcp.PromptMessage{promptText("This is a simple prompt for testing.")}, nil
		}),
		fixturePrompt("test_prompt_with_arguments", func(_ context.Context, vars variables) ([]mcp.PromptMessage, error) {
			return []mcp.PromptMessage{promptText("Prompt with arguments: arg1='" + vars["arg1"] + "', arg2='" + vars["arg2"] + "'")}, nil
		}, "arg1", "arg2"),
		fixturePrompt("test_prompt_with_embedded_resource", func(_ context.Context, vars variables) ([]mcp.PromptMessage, error) {
			return []mcp.PromptMessage{user(embedded(vars["resourceUri"], "text/plain", "Embedded resource content for testing.")),
				promptText("Please process the embedded resource above.")}, nil
		}, "resourceUri"),
		fixturePrompt("test_prompt_with_image", func(context.Context, variables) ([]mcp.PromptMessage, error) {
			return []mcp.PromptMessage{user(mcp.NewImageContent(fixturePNG, "image/png")), promptText("Please analyze the image above.")}, nil
		}),
		fixturePrompt("test_input_required_result_prompt", func(ctx context.Context, _ variables) ([]mcp.PromptMessage, error) {
			step := inputs{"user_context": elicit("What context should the prompt use?", `{"context":{"type":"string"}}`, "context")}
			given := requestFrom(ctx).message.responses
			if !answers(given, step) {
				return nil, inputRequired{InputRequests: step}
			}
			return []mcp.PromptMessage{promptText("The context: " + string(given))}, nil
		}),
	}
}

func fixturePrompt(name string, messages func(context.Context, variables) ([]mcp.PromptMessage, error), arguments ...string) Prompt {
	p := Prompt{Name: name, Title: name, Description: "A prompt of the conformance suite.", Permission: tenancy.IssuesRead,
		messages: messages}
	for _, a := range arguments {
		p.Arguments = append(p.Arguments, PromptArgument{a, "A test argument", true})
	}
	return p
}
