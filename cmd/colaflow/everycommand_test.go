package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/export"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
)

const nobody = "0199b0a6-5c1e-7f00-8000-2c9f6d1e4b7a"

// reaching says how each command that opens a database gets as far as that, with a
// tenant that does not exist where it needs one. A new command needs a line here.
var reaching = map[string]string{
	"serve":              "--addr 127.0.0.1:0",
	"stdio":              "",
	"import":             "--tenant nobody --project WEB --format github-cli ../../tracker/dataset/github/testdata/small.list.json",
	"db indexes":         "",
	"db status":          "",
	"tenant create":      "new --owner ada@acme.test",
	"tenant list":        "",
	"tenant show":        "nobody",
	"tenant suspend":     "nobody",
	"tenant resume":      "nobody",
	"tenant delete":      "nobody --confirm nobody",
	"tenant purge":       "",
	"tenant set-plan":    "nobody team",
	"tenant configure":   "nobody",
	"tenant rotate-keys": "nobody",
	"tenant export":      "nobody -o testdata/never.zip",
	"tenant import":      "EXPORT --as new",
	"tenant stats":       "nobody",
	"member list":        "--tenant nobody",
	"member invite":      "--tenant nobody eve@acme.test",
	"member role":        "--tenant nobody eve@acme.test admin",
	"member deactivate":  "--tenant nobody eve@acme.test",
	"member reactivate":  "--tenant nobody eve@acme.test",
	"member signin-link": "--tenant nobody eve@acme.test",
	"token create":       "--tenant nobody --name x --owner ada --preset reader",
	"token list":         "--tenant nobody",
	"token show":         "--tenant nobody " + nobody,
	"token update":       "--tenant nobody --name y " + nobody,
	"token rotate":       "--tenant nobody " + nobody,
	"token revoke":       "--tenant nobody " + nobody,
	"token revoke-all":   "--tenant nobody --issued-before 2026-01-01T00:00:00Z",
	"token explain":      "--tenant nobody " + nobody + " issue read",
	"page list":          "--tenant nobody",
	"page put":           "--tenant nobody --title x ../../README.md",
	"page show":          "--tenant nobody " + nobody,
	"page link":          "--tenant nobody " + nobody,
	"page delete":        "--tenant nobody " + nobody,
	"sso show":           "--tenant nobody",
	"sso set-oidc":       "okta --tenant nobody --preset okta --issuer https://acme.okta.test --client-id x --public-url https://colaflow.test",
	"sso set-saml":       "adfs --tenant nobody --metadata-url https://idp.test/metadata --public-url https://colaflow.test",
	"sso test":           "okta --tenant nobody",
	"sso enable":         "okta --tenant nobody",
	"sso disable":        "okta --tenant nobody",
	"sso remove":         "okta --tenant nobody",
	"sso require":        "on --tenant nobody",
	"sso unlink":         "okta bo@acme.test --tenant nobody",
	"report":             "--tenant nobody throughput --project WEB",
	"audit search":       "--tenant nobody",
	"audit tail":         "--tenant nobody",
	"audit export":       "--tenant nobody -o testdata/never.jsonl",
	"audit verify":       "--tenant nobody",
}

// ownDSN are commands whose database has a flag of another name, or none.
var ownDSN = []string{"audit drop-before", "audit erase", "audit retain", "backup", "config", "db init", "db keep", "db migrate", "demo", "docs", "restore", "version"}

// reach is the command line of a command in reaching.
func reach(t *testing.T, path string) []string {
	t.Helper()
	args := strings.Fields(path + " " + reaching[path])
	for n := range args {
		if args[n] == "EXPORT" {
			args[n] = filepath.Join(t.TempDir(), "empty.zip")
			file, err := os.Create(args[n])
			require.NoError(t, err)
			_, _, err = export.NewWriter(file, storetest.Now).Close(export.Manifest{Schema: 1})
			require.NoError(t, errors.Join(err, file.Close()))
		}
	}
	return args
}

// leaves lists the commands that do something, by the words that call them.
func leaves() map[string]*cobra.Command {
	found := map[string]*cobra.Command{}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
		path := strings.TrimPrefix(cmd.CommandPath(), "colaflow ")
		if !cmd.HasSubCommands() && cmd.Name() != "help" {
			found[path] = cmd
		}
	}
	walk((&program{out: io.Discard, err: io.Discard}).root())
	return found
}

func TestEveryCommand_IsReached(t *testing.T) {
	t.Parallel()
	var all, listed []string
	for path := range leaves() {
		all = append(all, path)
	}
	for path := range reaching {
		listed = append(listed, path)
	}
	require.ElementsMatch(t, all, append(listed, ownDSN...))
}

// TestEveryCommand_Database starts every command with a database that it must not
// use, or cannot: it says what is wrong and what to do, and prints nothing else.
func TestEveryCommand_Database(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	bare := storetest.Open(t)
	owner, err := pgx.Connect(t.Context(), bare.AdminDSN)
	require.NoError(t, err)
	_, err = owner.Exec(t.Context(), "delete from goose_db_version where version_id > 1")
	require.NoError(t, err)
	require.NoError(t, owner.Close(t.Context()))
	key := db.Key.Hex()
	for name, c := range map[string]struct {
		dsn, key, want string
		keyless        []string // commands that need no key, and so see what is there
	}{
		"Dead":        {"postgres://me:hunter2@127.0.0.1:1/x", key, "no connection with the given DSN; check host, port, user and password", nil},
		"Nonsense":    {"postgres://me:hunter2@:port/", key, "DSN is not valid; use the form postgres://user:password@host:5432/database", nil},
		"NoKey":       {db.AppDSN, "", "needs its master key in COLAFLOW_MASTER_KEY; make one with: openssl rand -hex 32", []string{"db status"}},
		"BadKey":      {db.AppDSN, "hunter2", "the master key must be 64 hex digits", []string{"db status"}},
		"OtherKey":    {db.AppDSN, tenancy.NewMasterKey().Hex(), "the master key is not the one this database was set up with", []string{"db status"}},
		"Superuser":   {db.AdminDSN, key, "is a superuser, so it could cross tenants; create the right role with: colaflow db init", []string{"db status"}},
		"Owner":       {db.OwnerDSN, key, "owns the tables, so it could cross tenants", []string{"db status"}},
		"NotMigrated": {bare.AppDSN, bare.Key.Hex(), "run: colaflow db migrate --owner-dsn", []string{"db status"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for path := range reaching {
				if slices.Contains(c.keyless, path) {
					continue
				}
				env := map[string]string{"COLAFLOW_DSN": c.dsn, masterKeyVariable: c.key, tokenVariable: "mcp_nobody_00000000000000000000000000000000"}
				code, out, errOut := execute(t, env, reach(t, path)...)
				require.Equal(t, exitError, code, "%s: %s%s", path, out, errOut)
				require.Contains(t, errOut, c.want, path)
				require.Equal(t, 1, strings.Count(errOut, "\n"), "%s: one line, not %q", path, errOut)
				require.Empty(t, out, path)
				require.NotContains(t, errOut, "hunter2", path)
			}
		})
	}
	require.NoFileExists(t, "testdata/never.zip")
	require.NoFileExists(t, "testdata/never.jsonl")
}

// TestEveryCommand_NoSuchTenant names a tenant that is not there.
func TestEveryCommand_NoSuchTenant(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	before := db.Dump(t)
	asked := 0
	for path, args := range reaching {
		if !strings.Contains(args, "nobody") {
			continue
		}
		asked++
		code, out, errOut := execute(t, testEnv(db), reach(t, path)...)
		require.Equal(t, exitError, code, path)
		require.Equal(t, "colaflow: Tenant \"nobody\" does not exist. See: colaflow tenant list\n", errOut, path)
		require.Empty(t, out, path)
	}
	require.Greater(t, asked, 20)
	require.Equal(t, before, db.Dump(t), "and nothing is written")
}

// TestEveryCommand_Usage makes mistakes that --help would prevent: exit code 2, and
// a line that names it.
func TestEveryCommand_Usage(t *testing.T) {
	t.Parallel()
	for path := range leaves() {
		words := strings.Fields(path)
		for _, mistake := range [][]string{{"--no-such-flag"}, {"a", "b", "c", "d", "e", "f", "g"}, {"--log-level", "loud"}} {
			code, out, errOut := execute(t, nil, append(slices.Clone(words), mistake...)...)
			require.Equal(t, exitUsage, code, "%s %v: %s", path, mistake, errOut)
			require.Regexp(t, `^colaflow: .*; see: colaflow `+path+` --help\n$`, errOut)
			require.Empty(t, out, path)
		}
	}
}

// TestEveryCommand_Groups: a group alone teaches, and refuses what it does not know.
func TestEveryCommand_Groups(t *testing.T) {
	t.Parallel()
	for _, group := range []string{"", "tenant", "token", "page", "audit", "db", "member"} {
		words := strings.Fields(group)
		code, out, errOut := execute(t, nil, words...)
		require.Equal(t, exitOK, code, group)
		require.Contains(t, out, "Available Commands:", group)
		require.Empty(t, errOut, group)
		code, out, errOut = execute(t, nil, append(words, "lits")...)
		require.Equal(t, exitUsage, code, group)
		require.Contains(t, errOut, `"lits" is not a command of "`+strings.TrimSpace("colaflow "+group)+`"`)
		require.Empty(t, out, group)
	}
}

// TestEnvironment_OnlyHere: what is a person's word about one command has no variable,
// and the token of stdio is nobody else's.
func TestEnvironment_OnlyHere(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	env := testEnv(db)
	env["COLAFLOW_CONFIRM"], env["COLAFLOW_NOW"], env["COLAFLOW_FORCE"], env[tokenVariable] = "acme", "true", "true", acme.FullToken(t)
	code, _, errOut := execute(t, env, "tenant", "delete", "acme")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errOut, "if you mean it, add --confirm acme")
	file := writeFile(t, "acme.zip", "mine")
	code, _, errOut = execute(t, env, "tenant", "export", "acme", "-o", file)
	require.Equal(t, exitError, code)
	require.Contains(t, errOut, "is there already")
	code, out, errOut := execute(t, env, "audit", "search", "--tenant", "acme")
	require.Equal(t, exitOK, code, errOut)
	require.Contains(t, out, "token.create", "the secret is not what is looked for")
	require.NotContains(t, out+errOut, env[tokenVariable])
	_, err := db.ExportTenant(t.Context(), "acme", "test", io.Discard, nil)
	require.NoError(t, err)
}
