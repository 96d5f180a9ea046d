package tracker

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/colaflow/colaflow/tenancy"
)

// Limits of user text, in characters.
const (
	MaxTitle = 500
	MaxBody  = 100_000
	MaxName  = 120
	MaxLabel = 60
)

// CleanText removes what a reader cannot see but a model or a terminal may
// obey: control characters but tab and newline, zero-width and bidirectional
// controls, Unicode tags, variation selectors and private-use runes. Joiners and
// emoji presentation stay where they join something. CRLF becomes LF.
func CleanText(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	last := rune(0) // the rune before, of those that stay
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
		case r == joiner:
			if last < 0x80 || last == joiner || unicode.IsSpace(last) {
				return -1
			}
		case r == textStyle || r == emojiStyle:
			if last <= ' ' || unicode.IsSpace(last) || last == joiner || last == textStyle || last == emojiStyle {
				return -1
			}
		case r == utf8.RuneError, unicode.IsControl(r), invisible(r):
			return -1
		}
		last = r
		return r
	}, s)
}

// Runes without a shape of their own that emoji need.
const (
	joiner     = 0x200D // zero-width joiner
	textStyle  = 0xFE0E // variation selector 15
	emojiStyle = 0xFE0F // variation selector 16
)

// CleanLine is CleanText for one-line values such as titles and names.
func CleanLine(s string) string {
	return strings.Join(strings.Fields(CleanText(s)), " ")
}

func invisible(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp,
		unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// CheckText returns the cleaned text, or an error if it is longer than max
// characters. The field's name is for the message.
func CheckText(field, s string, max int) (string, error) {
	s = strings.TrimSpace(CleanText(s))
	if n := utf8.RuneCountInString(s); n > max {
		return "", tenancy.Errorf(tenancy.TooLarge, "%s has %d characters; at most %d are allowed.", field, n, max).
			WithNext("Shorten it, or move the rest to comments.")
	}
	return s, nil
}

// CheckLine is CheckText for a value of one line that must not be empty.
func CheckLine(field, s string, max int) (string, error) {
	s, err := CheckText(field, CleanLine(s), max)
	if err == nil && s == "" {
		return "", tenancy.Errorf(tenancy.Missing, "%s is empty.", field).WithNext("Give it a value.")
	}
	return s, err
}
