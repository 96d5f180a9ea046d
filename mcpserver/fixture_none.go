//go:build !conformance

package mcpserver

// The protocol's conformance suite calls tools, reads resources and gets prompts
// of a test server of its own. The program has them when it is built with the tag conformance, never else.

func fixtureTools() []Tool { return nil }

func fixtureResources() []Resource { return nil }

func fixturePrompts() []Prompt { return nil }
