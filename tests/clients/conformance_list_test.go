package clients

import "maps"

// Reasons why a scenario does not pass, or passes without showing anything.
const (
	noLogging   = "mcp-go keeps the level of log messages by the id of a session, which any client may name; a stateless endpoint has none, and sends no log messages."
	noAsking    = "mcp-go hands a client's answer to the session that the client names, whoever's it is, in this process alone; here any node answers any request, and answers are dropped. Destructive tools give a confirm_token to clients of this revision."
	noSubscribe = "mcp-go tells of changes on a stream of the session alone, and without sessions one tenant's stream heard of another's. Subscribing with a handshake is offered over stdio."
	noSessions  = "There are no sessions: any node answers any request."
	noRefs      = "The argument whose values the suite asks for has none here, and it takes none for an answer."
)

// conformanceRuns are the suites and requirements that are run, and what is
// expected of each. Both directions count: what newly passes must be moved.
var conformanceRuns = []conformanceRun{
	{"2026-07-28, suite 0.2.0-alpha.12", "node_modules/conformance-2026-07-28/dist/index.js", []string{"--requirements", "2026-07-28"}, []string{"--spec-version", "2026-07-28"}, modernScenarios()},
	{"2025-11-25, suite 0.2.0-alpha.12", "node_modules/conformance-2026-07-28/dist/index.js", []string{"--requirements", "2025-11-25"}, []string{"--spec-version", "2025-11-25"}, legacyScenarios()},
	{"2025-11-25, suite 0.1.16", "node_modules/conformance-2025-11-25/dist/index.js", []string{"--suite", "all"}, nil, oldScenarios()},
}

// fall is a scenario with checks that do not pass.
func fall(why string, checks ...string) expectation { return expectation{falls: checks, why: why} }

// nothing is a scenario that finds nothing to try; it may warn of that.
func nothing(why string, warnings ...string) expectation {
	return expectation{falls: warnings, why: why, vacuous: true}
}

// commonScenarios are in every run.
func commonScenarios() map[string]expectation {
	return map[string]expectation{
		"completion-complete":           nothing(noRefs),
		"dns-rebinding-protection":      {},
		"resources-list":                {},
		"tools-list":                    {},
		"json-schema-2020-12":           {},
		"resources-read-binary":         {},
		"resources-read-text":           {},
		"resources-templates-read":      {},
		"tools-call-audio":              {},
		"tools-call-embedded-resource":  {},
		"tools-call-error":              {},
		"tools-call-image":              {},
		"tools-call-mixed-content":      {},
		"tools-call-simple-text":        {},
		"tools-call-with-progress":      {},
		"prompts-list":                  {},
		"prompts-get-simple":            {},
		"prompts-get-with-args":         {},
		"prompts-get-embedded-resource": {},
		"prompts-get-with-image":        {},
	}
}

func with(base, more map[string]expectation) map[string]expectation {
	maps.Copy(base, more)
	return base
}

// oldScenarios are those of a revision with a handshake.
func oldScenarios() map[string]expectation {
	return with(commonScenarios(), map[string]expectation{
		"server-initialize":            {},
		"ping":                         {},
		"elicitation-sep1034-defaults": fall(noAsking, "elicitation-sep1034-general"),
		"elicitation-sep1330-enums":    fall(noAsking, "elicitation-sep1330-general"),
		"tools-call-elicitation":       fall(noAsking, "tools-call-elicitation"),
		"tools-call-sampling":          fall(noAsking, "tools-call-sampling"),
		"logging-set-level":            fall(noLogging, "logging-set-level"),
		"tools-call-with-logging":      fall(noLogging, "tools-call-with-logging"),
		"resources-subscribe":          fall(noSubscribe, "resources-subscribe"),
		"resources-unsubscribe":        fall(noSubscribe, "resources-unsubscribe"),
		"server-sse-multiple-streams":  nothing(noSessions, "server-sse-multiple-streams-session"),
		"server-sse-polling":           nothing(noSessions, "server-sse-polling-session"),
	})
}

// legacyScenarios are what suite 0.2 adds to them.
func legacyScenarios() map[string]expectation {
	return with(oldScenarios(), map[string]expectation{
		"server-session-lifecycle": nothing(noSessions),
	})
}

// modernScenarios are those of the revision without a handshake.
func modernScenarios() map[string]expectation {
	return with(commonScenarios(), map[string]expectation{
		"http-header-validation":                        {},
		"sep-2164-resource-not-found":                   {},
		"server-sse-multiple-streams":                   {},
		"input-required-result-unsupported-methods":     {},
		"input-required-result-validate-input":          {},
		"caching":                                       {},
		"server-stateless":                              {},
		"http-custom-header-server-validation":          {},
		"input-required-result-basic-elicitation":       {},
		"input-required-result-basic-list-roots":        {},
		"input-required-result-basic-sampling":          {},
		"input-required-result-capability-check":        {},
		"input-required-result-ignore-extra-params":     {},
		"input-required-result-missing-input-response":  {},
		"input-required-result-multi-round":             {},
		"input-required-result-multiple-input-requests": {},
		"input-required-result-non-tool-request":        {},
		"input-required-result-request-state":           {},
		"input-required-result-result-type":             {},
		"input-required-result-tampered-state":          {},
	})
}
