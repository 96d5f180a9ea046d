package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tracker/dataset"
)

// importRun runs colaflow import against a test database and returns what it
// printed and its exit code.
func importRun(t *testing.T, db *storetest.DB, stdin string, args ...string) (out, errOut string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	getenv := func(name string) string {
		return map[string]string{"COLAFLOW_DSN": db.AppDSN, masterKeyVariable: db.Key.Hex()}[name]
	}
	code = run(t.Context(), append([]string{"import"}, args...), strings.NewReader(stdin), &o, &e, getenv)
	return o.String(), e.String(), code
}

func TestImport(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	db.Tenant(t, "acme")
	const file = "../../tracker/dataset/github/testdata/small.archive.json"
	flags := []string{"--tenant", "acme", "--project", "web", "--format", "github-archive"}

	out, errOut, code := importRun(t, db, "", append(flags, "--dry-run", file)...)
	require.Equal(t, exitOK, code, errOut)
	require.Contains(t, out, "Would import into new project WEB:\n       2 issues (1 open, 1 closed, 2 labels)\n       2 comments\n       3 people\n")

	out, errOut, code = importRun(t, db, "", append(flags, "--json", file)...)
	require.Equal(t, exitOK, code, errOut)
	var report dataset.Report
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	require.True(t, report.ProjectCreated, "the dry run left nothing")
	require.Equal(t, 2, report.Issues.Added)

	out, errOut, code = importRun(t, db, "", append(flags, "--with-pulls", file)...)
	require.Equal(t, exitOK, code, errOut)
	require.Contains(t, out, "Imported into existing project WEB:\n       3 issues (1 open, 2 closed, 0 labels), 2 were there already\n")
	require.Contains(t, out, "Note: Reviews without text were left out. (pull record 1 (#3))\n")

	out, errOut, code = importRun(t, db, "Issue key,Summary,Status,Created\nOPS-7,Renew certificates,Open,2026-02-01\n",
		"--tenant", "acme", "--project", "OPS", "--project-name", "Operations", "--format", "jira-csv", "-")
	require.Equal(t, exitOK, code, errOut)
	require.Contains(t, out, "new project OPS:\n       1 issues")
	require.Empty(t, errOut, "no bar where nobody watches")
}

func TestImport_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	db.Tenant(t, "acme")
	const file = "../../tracker/dataset/github/testdata/small.list.json"
	for name, c := range map[string]struct {
		args []string
		want string
		code int
	}{
		"NoFile":      {nil, `"colaflow import" takes one argument, the file; see:`, exitUsage},
		"NoTenant":    {[]string{file}, "--tenant is missing", exitUsage},
		"NoProject":   {[]string{"--tenant", "acme", file}, "--project is missing", exitUsage},
		"NoFormat":    {[]string{"--tenant", "acme", "--project", "WEB", file}, "--format is missing: use github-archive, github-cli, jira-csv", exitUsage},
		"BadFormat":   {[]string{"--tenant", "acme", "--project", "WEB", "--format", "xml", file}, `--format "xml" is not known`, exitUsage},
		"Pulls":       {[]string{"--tenant", "acme", "--project", "WEB", "--format", "jira-csv", "--with-pulls", file}, "--with-pulls is for", exitUsage},
		"MissingFile": {[]string{"--tenant", "acme", "--project", "WEB", "--format", "jira-csv", "none.csv"}, "none.csv: no such file", exitError},
		"WrongFormat": {[]string{"--tenant", "acme", "--project", "WEB", "--format", "github-archive", file}, "Check that --format names", exitError},
		"BadKey":      {[]string{"--tenant", "acme", "--project", "W", "--format", "github-cli", file}, `Project key "W" is not valid.`, exitError},
		"BadTenant":   {[]string{"--tenant", "nobody", "--project", "WEB", "--format", "github-cli", file}, `Tenant "nobody" does not exist.`, exitError},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, errOut, code := importRun(t, db, "", c.args...)
			require.Contains(t, errOut, c.want)
			require.Equal(t, c.code, code)
			require.Empty(t, out)
		})
	}
}
