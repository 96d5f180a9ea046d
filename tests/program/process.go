package program

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Serve runs `colaflow serve` on a free port until the test ends, with more flags, and
// returns its address, such as http://127.0.0.1:40123.
func Serve(t *testing.T, env []string, flags ...string) string {
	t.Helper()
	return ServeAs(t, Path(t), env, flags...)
}

// ServeAs is Serve with a program that was built otherwise.
func ServeAs(t *testing.T, path string, env []string, flags ...string) string {
	t.Helper()
	line := Start(t, `"msg":"serving"`, env, path, append([]string{"serve", "--addr", "127.0.0.1:0"}, flags...)...)
	var said struct{ Addr string }
	require.NoError(t, json.Unmarshal(line, &said))
	return "http://" + said.Addr
}

// Start runs a program until the test ends, and waits for it to print that it is ready. It
// returns the line that says so.
func Start(t *testing.T, ready string, env []string, name string, args ...string) []byte {
	t.Helper()
	return Launch(t, ready, env, name, args...).Line
}

// Process is a program that runs until the test ends, or ends it.
type Process struct {
	Line  []byte // says that it is ready
	cmd   *exec.Cmd
	ended chan struct{}
}

// Launch is Start for tests that end the program themselves.
func Launch(t *testing.T, ready string, env []string, name string, args ...string) *Process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = env
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 15 * time.Second
	said := &watch{word: []byte(ready), seen: make(chan []byte, 1)}
	cmd.Stdout, cmd.Stderr = said, said
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() { <-ended }) // t's context is done, so the program has its signal
	select {
	case line := <-said.seen:
		return &Process{Line: line, cmd: cmd, ended: ended}
	case <-ended:
		t.Fatalf("%s ended before it was ready: %s", name, said.text())
	case <-time.After(3 * time.Minute):
		t.Fatalf("%s is not ready after three minutes: %s", name, said.text())
	}
	return nil
}

// End sends the program a signal and returns its exit code; -1: the signal killed it.
func (p *Process) End(t *testing.T, signal os.Signal) int {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(signal))
	<-p.ended
	return p.cmd.ProcessState.ExitCode()
}

// watch waits for a line with a word in what a program prints, and keeps what came before.
type watch struct {
	word []byte
	seen chan []byte

	mu   sync.Mutex
	all  []byte
	done bool
}

// Write implements io.Writer.
func (w *watch) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done {
		return len(p), nil
	}
	w.all = append(w.all, p...)
	for line := range bytes.Lines(w.all) {
		if bytes.Contains(line, w.word) && line[len(line)-1] == '\n' {
			w.done = true
			w.seen <- bytes.Clone(line)
			break
		}
	}
	return len(p), nil
}

func (w *watch) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.all)
}

// FreePort finds a port of this machine that nobody uses, below those that the system
// gives to connections, so that none takes it before its program does. Until the test ends
// it is this test's, in whichever process others run: the port of that number for UDP,
// which no program here wants, says so.
func FreePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 10_000 + rand.IntN(20_000)
		address := fmt.Sprintf("127.0.0.1:%d", port)
		ours, err := net.ListenPacket("udp", address)
		if err != nil {
			continue
		}
		if l, err := net.Listen("tcp", address); err == nil {
			t.Cleanup(func() { _ = ours.Close() })
			require.NoError(t, l.Close())
			return port
		}
		_ = ours.Close()
	}
	t.Fatal("no port is free")
	return 0
}
