package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/sso/ssotest"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
)

// TestMain lets this binary play colaflow in scripts, and the keeper of an
// embedded database, which is started by its path.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "db" && os.Args[2] == "keep" {
		main()
		return
	}
	testscript.Main(tests{m}, map[string]func(){"colaflow": main})
}

// tests stops the database cluster when the package's tests are done.
type tests struct{ *testing.M }

func (t tests) Run() int { return storetest.Run(t.M) }

// TestScripts runs the scripts of testdata, each with a database of its own.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE") != "",
		Setup: func(env *testscript.Env) error {
			env.Values[scriptT{}] = env.T()
			db := storetest.Open(env.T().(testing.TB))
			in := func(dsn, database string) string {
				other, err := store.DSNIn(dsn, database)
				require.NoError(env.T().(testing.TB), err)
				return other
			}
			env.Vars = append(env.Vars,
				"RESTORED_DSN="+in(db.AppDSN, "restored_by_script"),
				"FRESH_DSN="+in(db.AppDSN, "fresh_by_script"), "FRESH_OWNER_DSN="+in(db.OwnerDSN, "fresh_by_script"),
				"COLAFLOW_DSN="+db.AppDSN, "COLAFLOW_MASTER_KEY="+db.Key.Hex(),
				"ADMIN_DSN="+db.AdminDSN, "OWNER_DSN="+db.OwnerDSN, "DUMP_DSN="+db.DumpDSN,
				"COLAFLOW_PG_BIN="+os.Getenv("COLAFLOW_PG_BIN"), "HOME="+env.WorkDir, "IDP="+ssotest.NewOIDC(env.T().(testing.TB)).URL)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"jsonvar": jsonVar, "taken": taken, "elsewhere": elsewhere},
	})
}

// jsonVar sets a variable from the JSON that the last command printed:
// jsonvar NAME member
func jsonVar(ts *testscript.TestScript, _ bool, args []string) {
	var object map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &object))
	value, ok := object[args[1]].(string)
	if !ok {
		ts.Fatalf("no text %q in %v", args[1], object)
	}
	ts.Setenv(args[0], value)
}

// elsewhere makes the commands that follow work on another, empty server, which
// has another master key.
func elsewhere(ts *testscript.TestScript, _ bool, _ []string) {
	db := storetest.Open(ts.Value(scriptT{}).(testing.TB))
	ts.Setenv("COLAFLOW_DSN", db.AppDSN)
	ts.Setenv(masterKeyVariable, db.Key.Hex())
}

// scriptT is where a script's commands find its test.
type scriptT struct{}

// taken listens on a port for as long as the script runs: taken NAME
func taken(ts *testscript.TestScript, _ bool, args []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = listener.Close() })
	ts.Setenv(args[0], listener.Addr().String())
}

// server is the program serving, started by a test in this process.
type server struct {
	url  string
	stop context.CancelFunc
	code chan int
	log  *lines
}

// serve starts the program and waits until it says where it serves.
func serve(t *testing.T, env map[string]string, args ...string) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := &server{stop: cancel, code: make(chan int, 1), log: newLines()}
	go func() {
		var out bytes.Buffer
		s.code <- run(ctx, args, strings.NewReader(""), &out, s.log, func(name string) string { return env[name] })
	}()
	t.Cleanup(func() { cancel(); s.wait(t) })
	deadline := time.After(2 * time.Minute)
	for s.url == "" {
		select {
		case line := <-s.log.each:
			var entry struct{ Msg, URL string }
			if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "serving" {
				s.url = entry.URL
			}
		case code := <-s.code:
			t.Fatalf("exit code %d: %s", code, s.log)
		case <-deadline:
			t.Fatalf("the server does not start: %s", s.log)
		}
	}
	return s
}

// wait returns the exit code.
func (s *server) wait(t *testing.T) int {
	t.Helper()
	select {
	case code := <-s.code:
		s.code <- code
		return code
	case <-time.After(time.Minute):
		t.Error("the server does not stop")
		return -1
	}
}

func (s *server) get(t *testing.T, path string) (int, string) {
	t.Helper()
	res, err := http.Get(s.url + path)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	var body bytes.Buffer
	_, err = body.ReadFrom(res.Body)
	require.NoError(t, err)
	return res.StatusCode, body.String()
}

func testEnv(db *storetest.DB) map[string]string {
	return map[string]string{"COLAFLOW_DSN": db.AppDSN, "COLAFLOW_MASTER_KEY": db.Key.Hex()}
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}
