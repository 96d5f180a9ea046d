//go:build unix

package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	shared    = syscall.LOCK_SH
	exclusive = syscall.LOCK_EX
	poll      = 20 * time.Millisecond
)

// errHeld says that somebody else has the lock.
var errHeld = errors.New("the lock is held")

// lock is a flock(2). The file stays for ever; only the lock on it comes and goes.
type lock struct{ f *os.File }

// tryLock takes the lock or returns errHeld at once.
func tryLock(path string, how int) (*lock, error) {
	f, err := openOwned(path, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		if err != syscall.EINTR {
			break
		}
	}
	if err == nil {
		return &lock{f}, nil
	}
	f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errHeld
	}
	return nil, fmt.Errorf("lock %s: %w", path, err)
}

// waitLock tries until it has the lock or ctx ends; then it returns errHeld.
func waitLock(ctx context.Context, path string, how int) (*lock, error) {
	for {
		l, err := tryLock(path, how)
		if !errors.Is(err, errHeld) || !pause(ctx) {
			return l, err
		}
	}
}

// held reports whether somebody has the lock exclusively. It makes no file.
func held(path string) bool {
	if _, err := os.Stat(path); err != nil {
		return false
	}
	l, err := tryLock(path, shared)
	if err != nil {
		return errors.Is(err, errHeld)
	}
	l.release()
	return false
}

// sign writes this process's id into the file, for the error message of whoever waits.
func (l *lock) sign() error {
	if err := l.f.Truncate(0); err != nil {
		return fmt.Errorf("write a lock file: %w", err)
	}
	if _, err := l.f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0); err != nil {
		return fmt.Errorf("write a lock file: %w", err)
	}
	return nil
}

// signer returns the process id that the last holder left.
func signer(path string) string {
	b, err := os.ReadFile(path)
	if pid := strings.TrimSpace(string(b)); err == nil && pid != "" {
		return pid
	}
	return "unknown"
}

// release unlocks before it closes: a child between fork and exec still shares the open file.
func (l *lock) release() error {
	return errors.Join(syscall.Flock(int(l.f.Fd()), syscall.LOCK_UN), l.f.Close())
}

// openOwned opens or makes a private file that belongs to the owner of its directory, so that a
// root process does not shut that account out.
func openOwned(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, flag|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return os.OpenFile(path, flag|syscall.O_NOFOLLOW, 0)
	}
	if err != nil || os.Geteuid() != 0 {
		return f, err
	}
	dir, err := os.Stat(filepath.Dir(path))
	if err == nil {
		st := dir.Sys().(*syscall.Stat_t)
		err = f.Chown(int(st.Uid), int(st.Gid))
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// pause waits a moment; false once ctx has ended.
func pause(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(poll):
		return true
	}
}
