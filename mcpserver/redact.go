package mcpserver

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/colaflow/colaflow/tokens"
	"github.com/colaflow/colaflow/tracker"
)

// maxAuditText is how much of each text the audit keeps.
const maxAuditText = 120

// redact returns arguments fit for the audit: long texts shortened, tokens
// removed, also where they are written with escapes or as names.
func redact(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return nil
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
		return redactText(v)
	case []any:
		for i := range v {
			v[i] = redactValue(v[i])
		}
	case map[string]any:
		clean := make(map[string]any, len(v))
		for name, value := range v {
			clean[redactText(name)] = redactValue(value)
		}
		return clean
	}
	return v
}

// redactText is a client's text as logs and the audit may keep it: one line
// without control characters, tokens or great length.
func redactText(s string) string {
	text := tokens.Redact(tracker.CleanLine(s))
	if short := shorten(text, maxAuditText); short != text {
		return fmt.Sprintf("%s (%d characters)", short, utf8.RuneCountInString(text))
	}
	return text
}
