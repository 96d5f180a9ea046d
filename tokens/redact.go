package tokens

import (
	"log/slog"
	"regexp"
)

// secrets are the texts that open something: agents' tokens, OAuth codes and refresh
// tokens, sessions, and JWTs.
var secrets = regexp.MustCompile(`(?:mcp|cfc|cfr|cfs)_[a-z0-9-]{1,40}_[0-9a-f]{32,}|eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*`)

// Redact takes everything out of a text that opens something.
func Redact(text string) string { return secrets.ReplaceAllString(text, "[token]") }

// RedactAttr is Redact for log records, as slog's handlers call it. What is not plain
// data is logged as text, so that nothing hides in it.
func RedactAttr(_ []string, a slog.Attr) slog.Attr {
	switch v := a.Value.Resolve(); v.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(Redact(v.String()))
	case slog.KindAny:
		text := v.String()
		if data, ok := v.Any().([]byte); ok {
			text = string(data)
		}
		if secrets.MatchString(text) {
			a.Value = slog.StringValue(Redact(text))
		}
	}
	return a
}
