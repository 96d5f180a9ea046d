package tracker

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/tenancy"
)

func TestCleanText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                             "",
		"plain\ttext\nof two lines":    "plain\ttext\nof two lines",
		"a\r\nb\rc":                    "a\nb\nc",
		"bell\x07 esc\x1b[31m nul\x00": "bell esc[31m nul",
		"c1\u0085\u009b":               "c1",
		"zero\u200bwidth\u200c\ufeff":  "zerowidth",
		"\u202eright to left\u202c":    "right to left",
		"\u2066isolate\u2069":          "isolate",
		"tag\U000E0041\U000E007F":      "tag",
		"private\ue000\U000F0000":      "private",
		"line\u2028paragraph\u2029":    "lineparagraph",
		"\u3164\u115f\uffa0filler":     "filler",
		"soft\u00adhyphen":             "softhyphen",
		"smuggled\U000E0100\U000E01EF": "smuggled",
		"\ufe00\ufe0dselector":         "selector",
		"grapheme\u034fjoiner":         "graphemejoiner",
		"bad\xff\xfeUTF-8":             "badUTF-8",
		"👩\u200d👧 stays":               "👩\u200d👧 stays",
		"❤\ufe0f\u200d🔥 1\ufe0f\u20e3": "❤\ufe0f\u200d🔥 1\ufe0f\u20e3",
		"a\u200db":                     "ab",
		"👩\u200d\u200d\u200d👧":         "👩\u200d👧",
		"❤\ufe0f\ufe0f\ufe0e":          "❤\ufe0f",
		"日本語 עברית العربية naïve é 한국어": "日本語 עברית العربية naïve é 한국어",
	} {
		require.Equal(t, want, CleanText(in), "%+q", in)
	}
	require.Equal(t, "one line", CleanLine("  one \r\n\t line\u200b "))
}

func TestCleanText_Properties(t *testing.T) {
	t.Parallel()
	strange := rapid.RuneFrom([]rune("aé1# \n\r\t\x00\x1b👩❤"), unicode.Cf, unicode.Cc, unicode.Co, unicode.Mn, unicode.Zl, unicode.Variation_Selector,
		unicode.Other_Default_Ignorable_Code_Point)
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.OneOf(rapid.String(), rapid.StringOf(strange), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "text")
		out := CleanText(in)
		if CleanText(out) != out {
			t.Fatalf("not idempotent: %+q gives %+q, then %+q", in, out, CleanText(out))
		}
		if !utf8.ValidString(out) || len(out) > len(in) {
			t.Fatalf("%+q", out)
		}
		for _, r := range out {
			if r != '\n' && r != '\t' && r != joiner && r != emojiStyle && r != textStyle && (unicode.IsControl(r) || invisible(r)) {
				t.Fatalf("%+q has %U", out, r)
			}
		}
		line := CleanLine(in)
		if strings.ContainsAny(line, "\n\t") || line != strings.TrimSpace(line) || strings.Contains(line, "  ") || CleanLine(line) != line {
			t.Fatalf("not a line: %+q", line)
		}
	})
}

func TestCheckText(t *testing.T) {
	t.Parallel()
	s, err := CheckText("body", "  é\u200b ", 1)
	require.NoError(t, err)
	require.Equal(t, "é", s)
	_, err = CheckText("body", "éé", 1)
	require.Equal(t, tenancy.TooLarge, tenancy.CodeOf(err))
	require.ErrorContains(t, err, "body has 2 characters; at most 1")
	s, err = CheckText("body", "", 1)
	require.NoError(t, err)
	require.Empty(t, s)

	s, err = CheckLine("title", " a\n b ", 10)
	require.NoError(t, err)
	require.Equal(t, "a b", s)
	for _, empty := range []string{"", "  ", "\u200b\n", "\x00"} {
		_, err = CheckLine("title", empty, 10)
		require.Equal(t, tenancy.Missing, tenancy.CodeOf(err), "%q", empty)
	}
}
