package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
)

// hostile is what a client may call itself, or an issue.
const hostile = "=HYPERLINK(\"http://evil\")\r\n2026-04-15  allowed  root\x1b[2J\x1b]0;pwned\a\u009b31m\u202e"

func hostileRow(tenant tenancy.TenantID) store.AuditRow {
	return store.AuditRow{TenantID: tenant, Kind: "call", Actor: hostile, TokenName: "+" + hostile, Client: "@" + hostile, Method: "-" + hostile,
		Tool: "\t" + hostile, Decision: store.Denied, Rule: "\r" + hostile, Target: "＝" + hostile, Args: []byte(`["=1+1"]`),
		RequestID: strings.Repeat("x", 10_000)}
}

// TestAttack096_Neutralised prints and exports what would forge lines, drive a
// terminal, or run in a spreadsheet.
func TestAttack096_Neutralised(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	require.NoError(t, db.Record(t.Context(), hostileRow(acme.ID)))
	for _, args := range [][]string{{"tail"}, {"search"}, {"search", "--decision", "denied"}} {
		code, out, errOut := execute(t, testEnv(db), append([]string{"audit", args[0], "--tenant", "acme"}, args[1:]...)...)
		require.Equal(t, exitOK, code, errOut)
		require.NotRegexp(t, `[\x00-\x09\x0b-\x1f\x7f\x{80}-\x{9f}\x{202e}]`, out)
		for line := range strings.Lines(out) {
			require.Regexp(t, `^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z  (allowed|denied ) `, line)
			require.NotContains(t, line, "allowed  root", "no forged columns")
		}
	}
	file := filepath.Join(t.TempDir(), "audit.csv")
	code, out, errOut := execute(t, testEnv(db), "audit", "export", "--tenant", "acme", "--format", "csv", "-o", file)
	require.Equal(t, exitOK, code, errOut)
	require.Contains(t, out, "3 rows written")
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, 4, strings.Count(string(data), "\n"))
	table, err := csv.NewReader(strings.NewReader(string(data))).ReadAll()
	require.NoError(t, err)
	for _, row := range table {
		for _, cell := range row {
			require.NotRegexp(t, `^[=+\-@\t\r＝＋－＠]`, cell)
			require.NotRegexp(t, `[\x00-\x1f\x7f-\x9f]`, cell)
		}
	}
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	code, _, errOut = execute(t, testEnv(db), "audit", "export", "--tenant", "acme", "-o", file)
	require.Equal(t, exitError, code)
	require.Contains(t, errOut, "is there already")

	file = filepath.Join(t.TempDir(), "audit.jsonl")
	code, _, errOut = execute(t, testEnv(db), "audit", "export", "--tenant", "acme", "-o", file)
	require.Equal(t, exitOK, code, errOut)
	data, err = os.ReadFile(file)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	require.Len(t, lines, 3)
	var row store.AuditRow
	require.NoError(t, json.Unmarshal([]byte(lines[2]), &row))
	require.Equal(t, hostile, row.Actor, "JSONL keeps what was")
}

func TestParseMoment(t *testing.T) {
	t.Parallel()
	cmd := (&program{}).auditSearchCommand()
	for text, want := range map[string]time.Time{"": {}, "24h": storetest.Now.Add(-24 * time.Hour), "7d": storetest.Now.AddDate(0, 0, -7),
		"2026-01-31": time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC), "2026-01-31T15:04:05Z": time.Date(2026, 1, 31, 15, 4, 5, 0, time.UTC)} {
		at, err := parseMoment(cmd, "--since", text, storetest.Now)
		require.NoError(t, err, text)
		require.True(t, want.Equal(at), text)
	}
	for _, text := range []string{"yesterday", "7", "2026-31-01", "d", "now()"} {
		_, err := parseMoment(cmd, "--since", text, storetest.Now)
		require.ErrorContains(t, err, "is not understood", text)
	}
}

// TestAudit_Verify serves, so that the log is sealed; then tampers with it.
func TestAudit_Verify(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	token := db.Tenant(t, "acme").FullToken(t)
	s := serve(t, testEnv(db), "serve", "--addr", "127.0.0.1:0")
	for range 5 {
		s.post(t, token, callGetMe)
	}
	verify := func(more ...string) (int, string, string) {
		return execute(t, testEnv(db), append([]string{"audit", "verify", "--tenant", "acme"}, more...)...)
	}
	var report store.AuditReport
	require.Eventually(t, func() bool {
		code, out, errOut := verify("--json")
		require.Equal(t, exitOK, code, errOut)
		require.NoError(t, json.Unmarshal([]byte(out), &report))
		return report.Unsealed.Rows == 0
	}, time.Minute, 200*time.Millisecond, "a server seals by itself")
	require.EqualValues(t, 8, report.Rows)
	code, out, errOut := verify()
	require.Equal(t, exitOK, code, errOut)
	require.Regexp(t, `As written: +8 rows in \d checkpoints?, from the first row\n`, out)
	require.Regexp(t, `Head: +\d:[0-9a-f]{64}\n`, out)
	require.Contains(t, out, "none")

	_, err := db.Admin(t).Exec(t.Context(), "update audit_log set actor = 'nobody' where tool = 'get_me'")
	require.NoError(t, err)
	code, out, errOut = verify()
	require.Equal(t, exitError, code)
	require.Equal(t, 5, strings.Count(out, "it was changed, or not written by ColaFlow"), out)
	require.Contains(t, errOut, "the audit log of acme was tampered with: 5 problems")
	code, _, errOut = verify("--seen", "1")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errOut, "not a head")
	code, out, _ = verify("--seen", "99:"+strings.Repeat("0", 64))
	require.Equal(t, exitError, code)
	require.Contains(t, out, "checkpoint 99: it was seen before")

	remove := func(args ...string) (int, string, string) {
		return execute(t, testEnv(db), append([]string{"audit", args[0], "--tenant", "acme"}, args[1:]...)...)
	}
	code, _, errOut = remove("erase", "--confirm", "acme")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errOut, "--owner-dsn is missing")
	code, _, errOut = remove("erase", "--owner-dsn", db.OwnerDSN)
	require.Equal(t, exitUsage, code)
	require.Contains(t, errOut, "--confirm acme")
	code, out, errOut = remove("drop-before", "--before", "1d", "--owner-dsn", db.OwnerDSN)
	require.Equal(t, exitOK, code, errOut)
	require.Contains(t, out, "nothing was removed")
	code, _, errOut = execute(t, testEnv(db), "audit", "retain")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errOut, "--owner-dsn is missing")
	code, out, errOut = execute(t, testEnv(db), "audit", "retain", "--owner-dsn", db.OwnerDSN)
	require.Equal(t, exitOK, code, errOut)
	require.Contains(t, out, "nothing was removed")
	code, out, errOut = remove("erase", "--confirm", "acme", "--owner-dsn", db.OwnerDSN)
	require.Equal(t, exitOK, code, errOut)
	require.Contains(t, out, "8 rows removed")
	code, out, errOut = verify()
	require.Equal(t, exitOK, code, errOut)
	require.Contains(t, out, "and that is on record")
	code, out, _ = execute(t, testEnv(db), "audit", "tail", "--tenant", "acme")
	require.Equal(t, exitOK, code)
	require.Contains(t, out, "audit.erase  checkpoint ")
}

// TestAudit_Follow reads along while others write.
func TestAudit_Follow(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, code, env := newLines(), make(chan int, 1), testEnv(db)
	go func() {
		code <- run(ctx, []string{"audit", "tail", "--tenant", "acme", "-n", "1", "--follow"}, strings.NewReader(""), out, io.Discard,
			func(name string) string { return env[name] })
	}()
	next := func(want string) {
		select {
		case line := <-out.each:
			require.Contains(t, line, want)
		case <-time.After(time.Minute):
			t.Fatalf("%s does not come: %s", want, out)
		}
	}
	next("fixture")
	for _, target := range []string{"WEB-1", "WEB-2"} {
		require.NoError(t, db.Record(t.Context(), store.AuditRow{TenantID: acme.ID, Kind: "call", Actor: "a", Method: "m", Target: target, Decision: store.Allowed}))
		next(target)
	}
	time.Sleep(followEvery + 200*time.Millisecond)
	stop()
	require.Equal(t, exitOK, <-code)
	require.Equal(t, 3, strings.Count(out.String(), "\n"), "each row once")
}
