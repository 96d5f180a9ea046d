//go:build unix

package embedded

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Keep runs PostgreSQL on cfg.DataDir as its child until nobody has used it for cfg.Linger, or ctx
// ends; both stop it cleanly. It fails if another keeper runs or PostgreSQL ends by itself.
func Keep(ctx context.Context, cfg Config) error {
	cfg, err := cfg.settled()
	if err != nil {
		return err
	}
	keeper, err := cfg.lockKeeper(ctx)
	if err != nil {
		return err
	}
	defer keeper.release()
	deadline := time.Now().Add(cfg.Timeout)
	for {
		mark := cfg.logSize()
		server, err := cfg.startServer(ctx)
		if err != nil {
			return err
		}
		err = server.attend(ctx)
		// The sessions of a killed PostgreSQL may take a moment to notice.
		orphans := err != nil && strings.Contains(cfg.logSince(mark), "pre-existing shared memory block")
		if !orphans || time.Now().After(deadline) || !pause(ctx) {
			return err
		}
	}
}

// lockKeeper waits a moment: those who ask whether there is a keeper touch its lock.
func (c Config) lockKeeper(ctx context.Context) (*lock, error) {
	c.Timeout = min(c.Timeout, 2*time.Second)
	l, err := c.wait(ctx, "keeper.lock", exclusive)
	if err != nil {
		return nil, err
	}
	if err := l.sign(); err != nil {
		return nil, errors.Join(c.unusable(err), l.release())
	}
	return l, nil
}

// attend waits for the last user to go, for ctx, or for PostgreSQL to end by itself.
func (s *server) attend(ctx context.Context) error {
	tick := time.NewTicker(min(time.Second, s.Linger/4+time.Millisecond))
	defer tick.Stop()
	idle := time.Now()
	for {
		select {
		case <-s.done:
			return fmt.Errorf("PostgreSQL has ended by itself (%v); see %s", s.cmd.ProcessState, s.logFile())
		case <-ctx.Done():
			s.Log.Info("stopping PostgreSQL", "reason", context.Cause(ctx))
			return s.stop()
		case <-tick.C:
		}
		release, err := s.unused()
		switch {
		case errors.Is(err, errHeld):
			idle = time.Now()
		case err != nil:
			return errors.Join(s.unusable(err), s.stop())
		case time.Since(idle) < s.Linger:
			release()
		default:
			defer release() // held until we are gone: whoever opens now starts a new keeper
			s.Log.Info("stopping PostgreSQL", "reason", "nobody uses it")
			return s.stop()
		}
	}
}

// unused takes the locks that no opener and no user can have at the same time, or returns errHeld.
func (c Config) unused() (release func(), err error) {
	start, err := tryLock(c.path("start.lock"), exclusive)
	if err != nil {
		return nil, err
	}
	users, err := tryLock(c.path("users.lock"), exclusive)
	if err != nil {
		return nil, errors.Join(err, start.release())
	}
	return func() {
		users.release()
		start.release()
	}, nil
}

// stopKeeper tells the keeper to stop PostgreSQL now, and waits until it has.
func (c Config) stopKeeper() error {
	file := c.path("keeper.lock")
	ctx, cancel := context.WithTimeout(context.Background(), fastStop)
	defer cancel()
	for asked := false; held(file); asked = true {
		if pid, err := strconv.Atoi(signer(file)); err == nil && !asked {
			if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
				return fmt.Errorf("stop the keeper of PostgreSQL: %w", err)
			}
		}
		if !pause(ctx) {
			return fmt.Errorf("the keeper of PostgreSQL (process %s) does not stop", signer(file))
		}
	}
	return nil
}
