package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/colaflow/colaflow/mcpserver"
)

// manifestVersion is that of the MCPB specification.
const manifestVersion = "0.3"

type object = map[string]any

// manifestOf describes the bundle. Claude Desktop asks for user_config, keeps what is
// sensitive in the system's keychain, and puts both into the program's environment.
func manifestOf(release string, platforms []string) ([]byte, error) {
	command := func(name string) string { return "${__dirname}/server/" + systems[name].file }
	overrides := object{}
	for _, name := range platforms[1:] {
		overrides[name] = object{"command": command(name)}
	}
	var tools []object
	for _, t := range mcpserver.Catalogue() {
		if t.InToolset() == mcpserver.ToolsetDefault {
			tools = append(tools, object{"name": t.Name, "description": t.Title})
		}
	}
	text, err := json.MarshalIndent(object{
		"manifest_version": manifestVersion,
		"name":             "colaflow",
		"display_name":     "ColaFlow",
		"version":          semantic(release),
		"description":      "Work on your company's projects and issues: find, create, change, link and plan them, and read reports.",
		"long_description": "Connects Claude to your company's ColaFlow server with a token that an admin made for you. " +
			"What Claude may do, in which projects and for how long is in the token; everything it does is in the audit log.",
		"author":     object{"name": "ColaFlow", "url": "https://github.com/colaflow/colaflow"},
		"repository": object{"type": "git", "url": "https://github.com/colaflow/colaflow"},
		"keywords":   []string{"issues", "projects", "sprints", "reports"},
		"server": object{
			"type":        "binary",
			"entry_point": "server/" + systems[platforms[0]].file,
			"mcp_config": object{
				"command":            command(platforms[0]),
				"args":               []string{"stdio"},
				"env":                object{"COLAFLOW_URL": "${user_config.server}", "COLAFLOW_TOKEN": "${user_config.token}"},
				"platform_overrides": overrides,
			},
		},
		"tools":             tools,
		"tools_generated":   true, // the token's toolsets
		"prompts_generated": true,
		"compatibility":     object{"platforms": platforms},
		"user_config": object{
			"server": object{"type": "string", "title": "Server", "required": true,
				"description": "Address of your company's server, such as https://colaflow.example.com"},
			"token": object{"type": "string", "title": "Token", "required": true, "sensitive": true,
				"description": "Token of the agent, which begins with mcp_; an admin makes it in the console"},
		},
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the manifest: %w", err)
	}
	return append(text, '\n'), nil
}

var (
	semver   = regexp.MustCompile(`^v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)$`)
	notInTag = regexp.MustCompile(`[^0-9A-Za-z-]+`)
)

// semantic is a version as the manifest must have it; before the first release there is
// none, so the build's name follows 0.0.0.
func semantic(release string) string {
	if m := semver.FindStringSubmatch(release); m != nil {
		return m[1]
	}
	return "0.0.0-build." + strings.Trim(notInTag.ReplaceAllString(release, "-"), "-")
}
