//go:build unix

package embedded

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	fastStop  = 30 * time.Second // for the checkpoint of a clean shutdown
	quickStop = 5 * time.Second
)

// server is PostgreSQL as the keeper's child.
type server struct {
	Config
	cmd  *exec.Cmd
	done chan error // its end
}

// startServer starts PostgreSQL. It does not wait for it to be ready.
func (c Config) startServer(ctx context.Context) (*server, error) {
	switch major, err := c.clusterMajor(); {
	case err != nil:
		return nil, err
	case major == 0:
		return nil, fmt.Errorf("there is no database in %s yet; run: colaflow serve", c.DataDir)
	}
	bin, err := Find(c)
	if err != nil {
		return nil, err
	}
	acc, err := c.account()
	if err != nil {
		return nil, err
	}
	if err := c.clearStale(ctx); err != nil {
		return nil, err
	}
	if err := c.makeSocketDir(acc); err != nil {
		return nil, c.unusable(err)
	}
	log, err := c.openLog()
	if err != nil {
		return nil, c.unusable(err)
	}
	defer log.Close()
	cmd := exec.Command(bin.program("postgres"), c.arguments()...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = "/", childEnv(), log, log
	cmd.SysProcAttr = childAttr(acc.credential())
	s := &server{Config: c, cmd: cmd, done: make(chan error, 1)}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // for good: the kernel takes the end of this thread for ours
		err := cmd.Start()
		if started <- err; err == nil {
			s.done <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	c.Log.Info("PostgreSQL is starting", "pid", cmd.Process.Pid, "version", bin.Major, "account", acc.name)
	return s, nil
}

// arguments puts every setting on the command line, where no file overrides what guards the database.
func (c Config) arguments() []string {
	args := []string{"-D", c.cluster()}
	for _, set := range []string{
		"listen_addresses=", "port=5432",
		`unix_socket_directories="` + strings.ReplaceAll(c.socketDir(), `"`, `""`) + `"`,
		"unix_socket_permissions=0700",
		"max_connections=100", "shared_buffers=128MB", "fsync=on",
		"timezone=UTC", "log_timezone=UTC", "log_line_prefix=%m [%p] ", "logging_collector=off",
	} {
		args = append(args, "-c", set)
	}
	return args
}

// stop ends PostgreSQL: cleanly if it can, in any case within bounded time.
func (s *server) stop() error {
	for _, step := range []struct {
		signal syscall.Signal
		wait   time.Duration
	}{{syscall.SIGINT, fastStop}, {syscall.SIGQUIT, quickStop}, {syscall.SIGKILL, quickStop}} {
		if err := s.cmd.Process.Signal(step.signal); err != nil {
			s.Log.Warn("PostgreSQL cannot be signalled", "signal", step.signal, "err", err)
		}
		select {
		case <-s.done:
			s.Log.Info("PostgreSQL has stopped", "state", s.cmd.ProcessState.String())
			return nil
		case <-time.After(step.wait):
			s.Log.Warn("PostgreSQL does not stop", "signal", step.signal, "waited", step.wait)
		}
	}
	return fmt.Errorf("PostgreSQL (process %d) does not stop", s.cmd.Process.Pid)
}
