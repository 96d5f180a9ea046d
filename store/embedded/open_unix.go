//go:build unix

package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

const healthEvery = time.Second

// Open returns a hold on the database in cfg.DataDir. It makes the database and starts PostgreSQL
// where needed, runs cfg.Prepare, and until Close brings PostgreSQL back if it dies.
func Open(ctx context.Context, cfg Config) (*Instance, error) {
	if len(cfg.Keeper) == 0 {
		return nil, errors.New("embedded: Config.Keeper is required")
	}
	cfg, err := cfg.settled()
	if err != nil {
		return nil, err
	}
	start, err := cfg.lockStart(ctx)
	if err != nil {
		return nil, err
	}
	defer start.release()
	users, err := cfg.wait(ctx, "users.lock", shared)
	if err != nil {
		return nil, err
	}
	in := &Instance{cfg: cfg, leave: users.release}
	if err := cfg.ensure(ctx, in); err != nil {
		return nil, errors.Join(err, in.Close())
	}
	if cfg.Prepare != nil {
		if err := cfg.Prepare(ctx, in); err != nil {
			return nil, errors.Join(fmt.Errorf("prepare the database: %w", err), in.Close())
		}
	}
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	var watch sync.WaitGroup
	watch.Go(func() { cfg.watch(watching, in) })
	in.leave = func() error {
		stop()
		watch.Wait()
		if err := users.release(); err != nil || os.Getpid() != 1 {
			return err
		}
		return cfg.stopKeeper() // a container ends with its process 1, and kills all the others
	}
	return in, nil
}

// lockStart takes start.lock, or says who has had it for too long.
func (c Config) lockStart(ctx context.Context) (*lock, error) {
	l, err := c.wait(ctx, "start.lock", exclusive)
	if err != nil {
		return nil, err
	}
	if err := l.sign(); err != nil {
		return nil, errors.Join(c.unusable(err), l.release())
	}
	return l, nil
}

// wait takes a lock within c.Timeout.
func (c Config) wait(ctx context.Context, name string, how int) (*lock, error) {
	waiting, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	l, err := waitLock(waiting, c.path(name), how)
	switch {
	case err == nil:
		return l, nil
	case !errors.Is(err, errHeld):
		return nil, c.unusable(err)
	case ctx.Err() != nil:
		return nil, fmt.Errorf("wait for %s: %w", c.path(name), ctx.Err())
	}
	return nil, fmt.Errorf("process %s has held %s for more than %v: let it finish, or end it, and try again",
		signer(c.path(name)), c.path(name), c.Timeout)
}

// watch brings PostgreSQL back when its keeper is gone, until ctx ends.
func (c Config) watch(ctx context.Context, in *Instance) {
	every := healthEvery
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
		if every = healthEvery; held(c.path("keeper.lock")) {
			continue
		}
		if err := c.revive(ctx, in); err != nil && ctx.Err() == nil {
			every = 10 * healthEvery
			c.Log.Error("PostgreSQL is gone and does not come back", "err", err, "again_in", every)
		}
	}
}

func (c Config) revive(ctx context.Context, in *Instance) error {
	start, err := c.lockStart(ctx)
	if err != nil {
		return err
	}
	defer start.release()
	return c.ensure(ctx, in)
}
