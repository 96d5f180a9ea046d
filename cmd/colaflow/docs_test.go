package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDocs fails when a page is older than the program: run make generate.
func TestDocs(t *testing.T) {
	t.Parallel()
	code, _, errOut := execute(t, nil, "docs", "--check", "../../docs")
	require.Equal(t, exitOK, code, errOut)
}

func TestDocs_Check(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	code, _, errOut := execute(t, nil, "docs", "--check", dir)
	require.Equal(t, exitError, code)
	require.Contains(t, errOut, "run: make generate")
	code, _, errOut = execute(t, nil, "docs", dir)
	require.Equal(t, exitOK, code, errOut)
	code, _, errOut = execute(t, nil, "docs", "--check", dir)
	require.Equal(t, exitOK, code, errOut)

	page, err := os.ReadFile(filepath.Join(dir, "configuration.md"))
	require.NoError(t, err)
	require.Contains(t, string(page), "| `--public-url` | `COLAFLOW_PUBLIC_URL` |")
	require.NotContains(t, string(page), "db keep", "hidden commands stay hidden")
	page, err = os.ReadFile(filepath.Join(dir, "tools.md"))
	require.NoError(t, err)
	require.Contains(t, string(page), "| [`update_issue`](#update_issue) | default | `issues:update` |")
	page, err = os.ReadFile(filepath.Join(dir, "prompts.md"))
	require.NoError(t, err)
	require.Contains(t, string(page), "| `triage_issue` | `issues:read` |")
}
