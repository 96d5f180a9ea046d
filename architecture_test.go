// Package colaflow_test keeps the rules of the house: which room may import which,
// and which room alone may use a library.
package colaflow_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/colaflow/colaflow/"

// floor says how high a room stands. A room sees only rooms below it: rooms of
// one floor do not see each other.
var floor = map[string]int{
	"tenancy": 0,
	"tokens":  1, "tracker": 1, "sso": 1,
	"store":     2,
	"mcpserver": 3, "oauth": 3, "web": 3,
	"cmd": 4, "bench": 5, "tests": 5,
}

// only says which room alone imports a library, tests aside.
var only = map[string]string{
	"github.com/jackc/pgx":            "store",
	"github.com/pressly/goose":        "store",
	"github.com/mark3labs/mcp-go":     "mcpserver",
	"github.com/coreos/go-oidc":       "sso",
	"github.com/crewjam/saml":         "sso",
	"github.com/golang-jwt/jwt":       "tenancy",
	"github.com/spf13/cobra":          "cmd",
	"github.com/prometheus":           "cmd",
	"github.com/schollz":              "cmd",
	"github.com/tailscale/hujson":     "cmd",
	"github.com/modelcontextprotocol": "tests",
}

type listed struct {
	ImportPath string
	Dir        string
	Imports    []string
	Deps       []string
}

// ours lists the packages of the module.
func ours(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,Imports,Deps", "./...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		if strings.HasPrefix(p.ImportPath, module) {
			all = append(all, p)
		}
	}
}

// room is the first element of a package's path in the module.
func room(importPath string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(importPath, module), "/")
	return name
}

func TestImportsRunOneWay(t *testing.T) {
	t.Parallel()
	packages := ours(t)
	require.NotEmpty(t, packages)
	for _, p := range packages {
		here, known := floor[room(p.ImportPath)]
		require.True(t, known, "%s is in no room of the house", p.ImportPath)
		for _, dep := range p.Deps {
			if !strings.HasPrefix(dep, module) || room(dep) == room(p.ImportPath) {
				continue
			}
			require.Less(t, floor[room(dep)], here, "%s must not see %s", p.ImportPath, dep)
		}
	}
}

func TestLibrariesHaveOneRoom(t *testing.T) {
	t.Parallel()
	for _, p := range ours(t) {
		for _, imported := range p.Imports {
			for library, owner := range only {
				if imported == library || strings.HasPrefix(imported, library+"/") {
					require.Equal(t, owner, room(p.ImportPath), "%s imports %s, which only %s may", p.ImportPath, imported, owner)
				}
			}
		}
	}
}

// TestSource checks what all code keeps to: no init, no package without a subject,
// no file over 500 lines, and a comment on every package.
func TestSource(t *testing.T) {
	t.Parallel()
	for _, p := range ours(t) {
		switch name := filepath.Base(p.ImportPath); name {
		case "util", "utils", "common", "helpers", "misc":
			require.Fail(t, "no subject", "package %s says nothing of what it is about", p.ImportPath)
		}
		files, err := filepath.Glob(filepath.Join(p.Dir, "*.go"))
		require.NoError(t, err)
		documented, tests := false, true
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			tests = false
			source, err := os.ReadFile(file)
			require.NoError(t, err)
			require.LessOrEqual(t, bytes.Count(source, []byte("\n")), 500, "%s is too long", file)
			parsed, err := parser.ParseFile(token.NewFileSet(), file, source, parser.ParseComments|parser.SkipObjectResolution)
			require.NoError(t, err)
			documented = documented || parsed.Doc != nil
			for _, decl := range parsed.Decls {
				if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil {
					require.NotEqual(t, "init", fn.Name.Name, "%s has an init", file)
				}
			}
		}
		require.True(t, documented || tests, "%s has no package comment", p.ImportPath)
	}
}

// TestRequestsKeepTheirContext: what is done for a person's request is done in its context,
// which says in the log and the audit what it was done for.
func TestRequestsKeepTheirContext(t *testing.T) {
	t.Parallel()
	for _, room := range []string{"web", "oauth"} {
		files, err := filepath.Glob(filepath.Join(room, "*.go"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			source, err := os.ReadFile(file)
			require.NoError(t, err)
			if !strings.HasSuffix(file, "_test.go") {
				require.NotRegexp(t, `context\.(Background|TODO)\(`, string(source), file)
			}
		}
	}
}
