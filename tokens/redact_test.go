package tokens_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tokens"
)

// everySecret makes one of each kind that opens something.
func everySecret(slug string) map[string]string {
	access, _ := tokens.Mint(slug)
	code, _ := tokens.Code.Mint(slug)
	refresh, _ := tokens.MintRefresh(slug)
	session, _ := tokens.MintSession(slug)
	next, _ := tokens.NextSession([]byte("key"), session)
	return map[string]string{"an agent's token": access, "a code": code, "a refresh token": refresh, "a session": session, "a renewed session": next,
		"a JWT": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImNmLXNlc3Npb24ifQ.eyJzdWIiOiJ1LTEifQ.c2ln-bmF0_dXJl"}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	for kind, plain := range everySecret("a-b-0") {
		for _, form := range []string{"%s", "x%s", "Bearer %s", "?ticket=%s&next=/", `{"a":"%s"}`, "%[1]s,%[1]s"} {
			require.Equal(t, fmt.Sprintf(form, "[token]"), tokens.Redact(fmt.Sprintf(form, plain)), kind)
		}
	}
	for _, text := range []string{"", "mcp_acme_", "cfs_acme_0123", "an eye, a jury. Two. Three.", "mcp_ACME_" + strings.Repeat("0", 32)} {
		require.Equal(t, text, tokens.Redact(text))
	}
}

func TestRedactAttr(t *testing.T) {
	t.Parallel()
	type wrapped struct{ Path string }
	for kind, plain := range everySecret("acme") {
		for _, handler := range []func(*bytes.Buffer) slog.Handler{
			func(b *bytes.Buffer) slog.Handler {
				return slog.NewJSONHandler(b, &slog.HandlerOptions{ReplaceAttr: tokens.RedactAttr})
			},
			func(b *bytes.Buffer) slog.Handler {
				return slog.NewTextHandler(b, &slog.HandlerOptions{ReplaceAttr: tokens.RedactAttr})
			},
		} {
			var out bytes.Buffer
			log := slog.New(handler(&out)).With("with", plain)
			log.Info("message "+plain, "text", plain, "error", fmt.Errorf("parse %q: %w", plain, errors.New("x")), "any", wrapped{plain},
				"list", []string{plain}, slog.Group("group", "in", plain), "bytes", []byte(plain), "number", 7)
			require.NotContains(t, out.String(), plain, kind)
			require.NotContains(t, out.String(), plain[len(plain)-16:], kind)
			require.Contains(t, out.String(), "[token]", kind)
		}
	}
}
