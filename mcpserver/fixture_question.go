//go:build conformance

package mcpserver

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/colaflow/colaflow/tenancy"
)

// inputs are what a fixture asks its client for, by name.
type inputs = mcp.InputRequests

// rounds is a fixture that asks for inputs, one after the other.
type rounds struct {
	name  string
	steps []inputs
	// sealed: each question has a state, which is sealed, bound and spent as that of our
	// confirmations; else the answers alone count.
	sealed bool
	// some: what the client cannot be asked for is left out; else the call is refused.
	some bool
}

func fixtureQuestions() []Tool {
	name := elicit("What is your name?", `{"name":{"type":"string"}}`, "name")
	confirm := inputs{"confirm": elicit("Please confirm", `{"ok":{"type":"boolean"}}`, "ok")}
	sample := func(text string) mcp.InputRequest {
		return mcp.NewSamplingInputRequest(mcp.CreateMessageParams{MaxTokens: 100,
			Messages: []mcp.SamplingMessage{{Role: mcp.RoleUser, Content: mcp.NewTextContent(text)}}})
	}
	roots := mcp.NewRootsInputRequest()
	tools := []Tool{}
	for _, r := range []rounds{
		{name: "test_input_required_result_elicitation", steps: []inputs{{"user_name": name}}},
		{name: "test_input_required_result_sampling", steps: []inputs{{"capital_question": sample("What is the capital of France?")}}},
		{name: "test_input_required_result_list_roots", steps: []inputs{{"client_roots": roots}}},
		{name: "test_input_required_result_request_state", steps: []inputs{confirm}, sealed: true},
		{name: "test_input_required_result_tampered_state", steps: []inputs{confirm}, sealed: true},
		{name: "test_input_required_result_multiple_inputs", sealed: true,
			steps: []inputs{{"user_name": name, "greeting": sample("Generate a greeting"), "client_roots": roots}}},
		{name: "test_input_required_result_multi_round", sealed: true,
			steps: []inputs{{"step1": name}, {"step2": elicit("What is your favorite color?", `{"color":{"type":"string"}}`, "color")}}},
		{name: "test_input_required_result_capabilities", steps: []inputs{{"user_name": name, "greeting": sample("Generate a greeting")}}, some: true},
		{name: "test_missing_capability", steps: []inputs{{"greeting": sample("Generate a greeting")}}},
		{name: "test_streaming_elicitation", steps: []inputs{{"user_name": name}}},
		{name: "test_elicitation", steps: []inputs{{"user": elicit("Please provide your information",
			`{"username":{"type":"string"},"email":{"type":"string"}}`, "username", "email")}}},
		{name: "test_sampling", steps: []inputs{{"prompt": sample("Test prompt")}}},
		{name: "test_elicitation_sep1034_defaults", steps: []inputs{{"user": elicit("Defaults", fixtureDefaults)}}},
		{name: "test_elicitation_sep1330_enums", steps: []inputs{{"user": elicit("Enums", fixtureEnums)}}},
	} {
		tools = append(tools, r.tool())
	}
	return tools
}

func elicit(text, properties string, required ...string) mcp.InputRequest {
	return mcp.NewElicitationInputRequest(mcp.ElicitationParams{Mode: mcp.ElicitationModeForm, Message: text,
		RequestedSchema: map[string]any{"type": "object", "properties": json.RawMessage(properties), "required": append([]string{}, required...)}})
}

// asksIn are the arguments of tools that ask.
type asksIn struct {
	Message string `json:"message"`
	Prompt  string `json:"prompt"`
	WriteOptions
}

func (r rounds) tool() Tool {
	return define(Tool{Name: r.name, Title: r.name, Description: "A tool of the conformance suite that asks.", Permission: needs(tenancy.IssuesUpdate)},
		func(ctx context.Context, c *Call, _ asksIn) (said, error) { return r.handle(ctx, c) })
}

// handle asks for the first step that is not answered yet.
func (r rounds) handle(ctx context.Context, c *Call) (said, error) {
	m := requestFrom(ctx).message
	answered := 0
	for n, step := range r.steps {
		if answers(m.responses, step) {
			answered = n + 1
		}
	}
	effect := func(step int) []byte { return c.effect(r.name, []string{fmt.Sprint(step)}) }
	if r.sealed && c.consent.given != "" {
		if _, _, err := c.unseal(effect(max(answered, 1))); err != nil {
			return said{}, err
		}
	}
	if r.sealed && c.consent.given == "" {
		answered = 0
	}
	if answered < len(r.steps) {
		step, err := r.askable(m, r.steps[answered])
		if err != nil {
			return said{}, err
		}
		ask := inputRequired{InputRequests: step}
		if r.sealed {
			ask.RequestState = c.seal(effect(answered + 1))
		}
		return said{}, ask
	}
	if r.sealed {
		if err := c.spend(ctx, effect(answered)); err != nil {
			return said{}, err
		}
	}
	return said{"state-ok: " + string(m.responses)}, nil
}

// answers reports whether responses hold an object for every input of a step.
func answers(responses json.RawMessage, step inputs) bool {
	var given map[string]json.RawMessage
	_ = json.Unmarshal(responses, &given)
	for name := range step {
		if len(given[name]) == 0 || given[name][0] != '{' {
			return false
		}
	}
	return true
}

// askable is what of a step the client can be asked for.
func (r rounds) askable(m message, step inputs) (inputs, error) {
	var can struct{ Elicitation, Sampling, Roots json.RawMessage }
	_ = json.Unmarshal(m.capabilities, &can)
	missing := map[string]any{}
	step = maps.Clone(step)
	for name, input := range step {
		needs, has := "elicitation", can.Elicitation
		switch input.Method {
		case mcp.MethodSamplingCreateMessage:
			needs, has = "sampling", can.Sampling
		case mcp.MethodListRoots:
			needs, has = "roots", can.Roots
		}
		if has == nil {
			missing[needs] = map[string]any{}
			delete(step, name)
		}
	}
	if len(missing) == 0 || r.some && len(step) > 0 {
		return step, nil
	}
	cause := tenancy.Errorf(tenancy.ConfirmationRequired, "The client cannot be asked: it lacks %v.", slices.Sorted(maps.Keys(missing)))
	if m.capabilities == nil { // of the handshake era, in which nobody is asked
		return nil, cause
	}
	return nil, &protocolError{problem: problem{mcp.MISSING_REQUIRED_CLIENT_CAPABILITY, cause.Error()},
		detail: map[string]any{"requiredCapabilities": missing}, cause: cause}
}

// inputRequired is the error of a fixture that asks.
type inputRequired mcp.MultiRoundTripResult

// Error implements error.
func (inputRequired) Error() string { return "input required" }

// Unwrap lets the audit and the metrics see the code.
func (inputRequired) Unwrap() error {
	return tenancy.Errorf(tenancy.ConfirmationRequired, "The client is asked.")
}

func (a inputRequired) result(string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Result: mcp.Result{ResultType: mcp.ResultTypeInputRequired}, MultiRoundTripResult: mcp.MultiRoundTripResult(a)}
}

const fixtureDefaults = `{"name":{"type":"string","default":"John Doe"},"age":{"type":"integer","default":30},"score":{"type":"number","default":95.5},
"status":{"type":"string","enum":["active","inactive","pending"],"default":"active"},"verified":{"type":"boolean","default":true}}`

const fixtureEnums = `{"untitledSingle":{"type":"string","enum":["option1","option2","option3"]},
"titledSingle":{"type":"string","oneOf":[{"const":"value1","title":"First Option"},{"const":"value2","title":"Second Option"}]},
"legacyEnum":{"type":"string","enum":["opt1","opt2"],"enumNames":["Option One","Option Two"]},
"untitledMulti":{"type":"array","items":{"type":"string","enum":["option1","option2"]}},
"titledMulti":{"type":"array","items":{"anyOf":[{"const":"value1","title":"First Choice"},{"const":"value2","title":"Second Choice"}]}}}`
