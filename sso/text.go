package sso

import (
	"strings"
	"unicode"
)

const (
	maxDetail = 300
	maxName   = 120
)

// printable makes one line of foreign text: what has no shape, such as control
// characters and bidirectional marks, is taken out, and length is bounded.
func printable(text string, max int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) && r != unicode.ReplacementChar {
			return r
		}
		return ' '
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > max {
		text = strings.TrimSpace(string(runes[:max])) + "..."
	}
	return text
}
