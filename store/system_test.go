package store_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// systemCallers are the files that may work for a whole tenant without a token
// or member, each with its reason.
var systemCallers = []string{
	"cmd/colaflow/demo_seed.go",   // fills the demo's tenants
	"cmd/colaflow/demo_tokens.go", // makes the demo's tokens
	"cmd/colaflow/import.go",      // operator's command
	"cmd/colaflow/token.go",       // operator's command
	"store/cleanup.go",            // job
	"store/connection.go",         // finds the member whom a code or refresh token is of
	"store/nonce.go",              // one-time links are spent before anybody is signed in
	"store/page.go",               // a page's link is the right to see it
	"store/session.go",            // signs people in and finds whose a refresh token is
	"store/signing_key.go",        // the tenant's own keys
	"store/sso_idle.go",           // job
	"store/sso_provider.go",       // a sign-in begins with a connection and nobody
	"store/sso_replay.go",         // a sign-in has nobody yet
	"store/sso_sign_in.go",        // nor is anybody signed in yet
	"store/storetest/fixture.go",  // tests
	"store/tenant.go",             // the first owner does not exist yet
	"store/tenant_import.go",      // nor does anybody of an imported tenant
	"store/timeline.go",           // job
	"store/token_revoke.go",       // operator's command for tokens of an old backup
	"store/tx.go",                 // its definition
	"store/usage.go",              // job
	"store/work.go",               // what changed; who may hear of it is decided token by token
}

// TestAsSystem_Callers fails when another file reaches past tokens and members:
// review it, then add it with its reason.
func TestAsSystem_Callers(t *testing.T) {
	t.Parallel()
	require.Equal(t, systemCallers, filesWith(t, "..", `\bAsSystem\(`))
}

// poolCallers are the files that use the database as such, and not that of a tenant,
// each with its reason: they are what a second database must think of.
var poolCallers = []string{
	"store/announce.go",                   // tells every node
	"store/audit.go",                      // one statement for the rows of several tenants
	"store/audit_sealer.go",               // lists the tenants
	"store/feed.go",                       // tells every node
	"store/health.go", "store/indexes.go", // of the server
	"store/lifecycle.go", // changes a tenant's line in the list
	"store/purge.go",     // lists the tenants
	"store/share.go",     // poolOf, and acquireAny for token_lookup.go, which finds the tenant by its slug
	"store/store.go",     // opens and closes it
	"store/tenant.go",    // lists the tenants
}

// TestPool_Callers fails when another file goes around poolOf.
func TestPool_Callers(t *testing.T) {
	t.Parallel()
	require.Equal(t, poolCallers, filesWith(t, "..", `\b(s|store|tx\.store|l\.store)\.pool\b`))
}

// filesWith lists the Go files below a directory, tests aside, that hold a pattern.
func filesWith(t *testing.T, root, pattern string) (found []string) {
	t.Helper()
	wanted := regexp.MustCompile(pattern)
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "node_modules"):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		if err == nil && wanted.Match(source) {
			found = append(found, filepath.ToSlash(strings.TrimPrefix(path, "../")))
		}
		return err
	}))
	slices.Sort(found)
	return found
}
