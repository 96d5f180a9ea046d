// Package backup writes a whole database into one file with pg_dump, and makes a
// database of such a file with pg_restore. Row-level security hides rows from the
// owner too, so a dump needs the one role that it does not bind, colaflow_dump.
package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/newfile"
)

// Dump writes the database of dsn, all tenants, into a new file that only this
// account can read. The file appears whole or not at all. Bin is the directory of
// pg_dump, which must not be older than the server.
func Dump(ctx context.Context, bin, dsn, file string) error {
	if err := checkDumpRole(ctx, dsn); err != nil {
		return err
	}
	return newfile.Write(file, false, func(f *os.File) error {
		return runTool(ctx, bin, "pg_dump", dsn, nil, f, "--format=custom", "--no-sync")
	})
}

// checkDumpRole refuses a role that would not see every row.
func checkDumpRole(ctx context.Context, dsn string) error {
	conn, err := store.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	var role string
	var all bool
	err = conn.QueryRow(ctx, "select rolname, rolsuper or rolbypassrls from pg_roles where rolname = current_user").Scan(&role, &all)
	if err != nil {
		return fmt.Errorf("look at the role: %w", err)
	}
	if !all {
		return fmt.Errorf("role %q does not see every row, so its backup would not be whole; connect as colaflow_dump, which colaflow db init creates", role)
	}
	return nil
}

// runTool runs a program of PostgreSQL on a database. The password travels in the
// environment, since others can read the arguments.
func runTool(ctx context.Context, bin, program, dsn string, stdin, stdout *os.File, args ...string) error {
	path := filepath.Join(bin, program)
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("%s is not in %s; install PostgreSQL's client programs, or name their directory with --pg-bin", program, bin)
	}
	u, err := url.Parse(dsn)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
		return errors.New("give the DSN in the form postgres://user:password@host:5432/database")
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, path)
	cmd.Env = os.Environ()
	if password, ok := u.User.Password(); ok {
		u.User = url.User(u.User.Username())
		cmd.Env = append(cmd.Env, "PGPASSWORD="+password)
	}
	cmd.Args = append(append(cmd.Args, args...), "--no-password", "--dbname="+u.String())
	cmd.Stdout, cmd.Stderr = stdout, &stderr
	if stdin != nil {
		cmd.Stdin = stdin
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s failed: %w: %s", program, err, firstLine(stderr.String()))
	}
	return nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(line)
}
