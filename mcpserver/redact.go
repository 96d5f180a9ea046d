package mcpserver

import (
	"encoding/json"
	"fmt"
	"regexp"
)

// maxAuditText is how much of each text the audit keeps.
const maxAuditText = 120

var tokenPattern = regexp.MustCompile(`mcp_[a-z0-9-]{1,40}_[0-9a-f]{32}`)

// redact returns arguments fit for the audit: long texts shortened, tokens removed.
func redact(raw json.RawMessage) json.RawMessage {
	if len(raw) <= maxAuditText && !tokenPattern.Match(raw) {
		return raw
	}
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return json.RawMessage(`"unreadable"`)
	}
	return mustJSON(redactValue(v))
}

func redactValue(v any) any {
	switch v := v.(type) {
	case string:
		text := tokenPattern.ReplaceAllString(v, "[token]")
		if short := shorten(text, maxAuditText); short != text {
			return fmt.Sprintf("%s (%d characters)", short, len([]rune(text)))
		}
		return text
	case []any:
		for i := range v {
			v[i] = redactValue(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = redactValue(v[k])
		}
	}
	return v
}
