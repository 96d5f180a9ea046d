//go:build unix

package embedded

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
)

var errKeeperGone = errors.New("the keeper has ended")

// ensure returns once PostgreSQL answers, starting a keeper if there is none. A keeper that is
// just going away costs another round. The caller holds start.lock.
func (c Config) ensure(ctx context.Context, in *Instance) error {
	waiting, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	mark := c.logSize()
	err := errKeeperGone
	for range 3 {
		alive := func() bool { return held(c.path("keeper.lock")) }
		if !alive() {
			if alive, err = c.startKeeper(waiting); err != nil {
				return err
			}
		}
		if err = c.answers(waiting, in, alive); !errors.Is(err, errKeeperGone) {
			break
		}
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("wait for PostgreSQL: %w", ctx.Err())
	}
	if line := lastLine(c.logSince(mark)); line != "" {
		err = fmt.Errorf("%w: %s", err, line)
	}
	return fmt.Errorf("PostgreSQL does not start in %s: %w; see %s", c.DataDir, err, c.logFile())
}

// answers returns nil once PostgreSQL takes connections, errKeeperGone if nobody keeps it.
func (c Config) answers(ctx context.Context, in *Instance, alive func() bool) error {
	last := errors.New("it is not ready")
	for {
		if c.postmaster().ready { // asking earlier would only fill the log
			if last = connect(ctx, in.AdminDSN("postgres")); last == nil {
				return nil
			}
		}
		if !alive() {
			return errKeeperGone
		}
		if !pause(ctx) {
			return fmt.Errorf("no answer within %v: %w", c.Timeout, last)
		}
	}
}

// connect succeeds if PostgreSQL takes connections, be it that it has too many of them.
func connect(ctx context.Context, dsn string) error {
	conn, err := pgconn.Connect(ctx, dsn)
	if refusal := (*pgconn.PgError)(nil); errors.As(err, &refusal) && refusal.Code == "53300" {
		return nil
	}
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// startKeeper makes what is missing and starts the keeper in a session of its own, so that neither
// our end nor a Ctrl-C reaches it. The function it returns tells whether a keeper lives.
func (c Config) startKeeper(ctx context.Context) (alive func() bool, err error) {
	bin, err := Find(c)
	if err != nil {
		return nil, err
	}
	acc, err := c.account()
	if err != nil {
		return nil, err
	}
	if err := c.initCluster(ctx, bin, acc); err != nil {
		return nil, err
	}
	if err := c.clearStale(ctx); err != nil {
		return nil, err
	}
	log, err := c.openLog()
	if err != nil {
		return nil, c.unusable(err)
	}
	defer log.Close()
	program, err := exec.LookPath(c.Keeper[0])
	if err == nil {
		program, err = filepath.Abs(program)
	}
	if err != nil {
		return nil, fmt.Errorf("find the program that keeps PostgreSQL: %w", err)
	}
	cmd := exec.Command(program, c.Keeper[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.DataDir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the keeper of PostgreSQL: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := cmd.Wait(); err != nil { // also reaps it, however late
			c.Log.Warn("the keeper of PostgreSQL has ended", "err", err, "log", c.logFile())
		}
	}()
	return func() bool {
		select {
		case <-ended:
			return held(c.path("keeper.lock")) // somebody else's
		default:
			return true
		}
	}, nil
}
