// Package console holds no code, only proofs: a real browser uses the console against the
// real program and PostgreSQL. Its flows are in flows/, one file each.
package console

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tests/program"
)

func TestMain(m *testing.M) { os.Exit(program.Run(m)) }

// bundle is the real program, serving a fresh database over HTTP.
type bundle struct {
	db  *storetest.DB
	bin string
	url string
}

func setup(t *testing.T) *bundle {
	t.Helper()
	program.Packages(t)
	b := &bundle{db: storetest.Open(t), bin: program.Path(t)}
	b.url = program.Serve(t, b.environment(), "--sso-allow-loopback", "--token-addr", "127.0.0.1:0")
	return b
}

func (b *bundle) environment() []string {
	return []string{"COLAFLOW_DSN=" + b.db.AppDSN, "COLAFLOW_MASTER_KEY=" + b.db.Key.Hex()}
}

// link makes a one-time link that signs a member in, as an operator does.
func (b *bundle) link(t *testing.T, slug, email string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), b.bin, "member", "signin-link", "--tenant", slug, email, "--public-url", b.url)
	cmd.Env = b.environment()
	out, err := cmd.Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}
