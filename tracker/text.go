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
// controls, Unicode tags and private-use runes. CRLF becomes LF.
func CleanText(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == utf8.RuneError, unicode.IsControl(r), invisible(r):
			return -1
		default:
			return r
		}
	}, s)
}

// CleanLine is CleanText for one-line values such as titles and names.
func CleanLine(s string) string {
	return strings.Join(strings.Fields(CleanText(s)), " ")
}

func invisible(r rune) bool {
	switch {
	case r == 0x200D: // zero-width joiner: part of emoji sequences
		return false
	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
		return true
	case r == 0x115F || r == 0x1160 || r == 0x3164 || r == 0xFFA0: // blank Hangul fillers
		return true
	default:
		return false
	}
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
