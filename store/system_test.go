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
	"store/signing_key.go",        // the tenant's own keys
	"store/storetest/fixture.go",  // tests
	"store/tenant.go",             // the first owner does not exist yet
	"store/tenant_import.go",      // nor does anybody of an imported tenant
	"store/token_revoke.go",       // operator's command for tokens of an old backup
	"store/tx.go",                 // its definition
	"store/usage.go",              // job
}

// TestAsSystem_Callers fails when another file reaches past tokens and members:
// review it, then add it with its reason.
func TestAsSystem_Callers(t *testing.T) {
	t.Parallel()
	call := regexp.MustCompile(`\bAsSystem\(`)
	var found []string
	require.NoError(t, filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "node_modules"):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		if err == nil && call.Match(source) {
			found = append(found, filepath.ToSlash(strings.TrimPrefix(path, "../")))
		}
		return err
	}))
	slices.Sort(found)
	require.Equal(t, systemCallers, found)
}
