package sso

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// declared lists the constants of type Code, as code.go declares them.
func declared(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "code.go", nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	codes := map[string]string{}
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			value := spec.(*ast.ValueSpec)
			if kind, ok := value.Type.(*ast.Ident); ok && kind.Name == "Code" {
				codes[value.Names[0].Name] = strings.Trim(value.Values[0].(*ast.BasicLit).Value, `"`)
			}
		}
	}
	return codes
}

// TestCodes holds that the list is closed: every code is explained once, and
// every one is used.
func TestCodes(t *testing.T) {
	t.Parallel()
	codes := declared(t)
	require.Greater(t, len(codes), 40)
	explained := map[Code]bool{}
	for _, e := range Explanations() {
		require.False(t, explained[e.Code], "%s is explained twice", e.Code)
		explained[e.Code] = true
		require.Regexp(t, `^[A-Z].*\.$`, e.What, e.Code)
		require.Regexp(t, `^[A-Z].*\.$`, e.Remedy, e.Code)
	}
	var source strings.Builder
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range files {
		if name == "code.go" || strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		source.Write(text)
	}
	for name, code := range codes {
		require.True(t, explained[Code(code)], "%s has no explanation", name)
		require.Regexp(t, regexp.MustCompile(`\b`+name+`\b`), source.String(), "%s is never used", name)
	}
	require.Len(t, explained, len(codes))
}

func TestProblem(t *testing.T) {
	t.Parallel()
	p := problem(AudienceWrong, os.ErrNotExist, "for %q", "x\r\n\x1b[31m\u202eevil")
	require.Equal(t, `audience_wrong: The answer is meant for another application. (for "x\r\n\x1b[31m\u202eevil")`, p.Error())
	require.ErrorIs(t, p, os.ErrNotExist)
	require.NotContains(t, p.Error(), os.ErrNotExist.Error(), "causes may hold secrets")
	require.Equal(t, AudienceWrong, CodeOf(p))
	require.Empty(t, CodeOf(os.ErrClosed))
	require.Nil(t, ProblemIn(os.ErrClosed))
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	require.Equal(t, "Ada Byron", printable(" Ada\r\n\t\x00\x1b\u200b\u202e Byron\U000E0041 ", 100))
	require.Equal(t, "Zoë 李", printable("Zoë 李", 100))
	require.Equal(t, "abc...", printable("abcdef", 3))
	require.Equal(t, "a b", printable("a\xff\xfeb", 100))
}
