//go:build unix

package embedded

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is who PostgreSQL runs as. It refuses to run as root.
type account struct {
	name     string
	uid, gid uint32
}

// account returns the owner of the cluster; before there is one, this account, or the first
// unprivileged one if this is root. It fails if that account cannot reach the data directory.
func (c Config) account() (account, error) {
	self := uint32(os.Geteuid())
	fi, err := os.Stat(c.cluster())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return account{}, c.unusable(err)
	}
	if err != nil && self != 0 {
		return account{strconv.Itoa(int(self)), self, uint32(os.Getegid())}, nil
	}
	var a account
	if err == nil {
		a = ownerOf(fi)
	} else if a, err = unprivileged(); err != nil {
		return a, err
	}
	switch {
	case a.uid == 0:
		return a, fmt.Errorf("%s belongs to root, and PostgreSQL does not run as root; run: chown -R postgres %[1]s", c.cluster())
	case self != 0 && a.uid != self:
		return a, fmt.Errorf("data directory %s belongs to %s: run as %[2]s, or choose another one with --data", c.DataDir, a.name)
	}
	for dir := c.DataDir; ; dir = filepath.Dir(dir) {
		if fi, err := os.Stat(dir); err != nil || !a.enters(fi) {
			return a, fmt.Errorf("account %s, which PostgreSQL runs as, cannot enter %s: choose a data directory it can reach with --data, for instance /var/lib/colaflow", a.name, dir)
		}
		if dir == filepath.Dir(dir) {
			return a, nil
		}
	}
}

// unprivileged returns the account that root gives PostgreSQL to.
func unprivileged() (account, error) {
	for _, name := range []string{"colaflow", "postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uerr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(uerr, gerr); err != nil {
			return account{}, fmt.Errorf("read account %s: %w", name, err)
		}
		return account{name, uint32(uid), uint32(gid)}, nil
	}
	return account{}, errors.New("PostgreSQL does not run as root and there is no account to run it as; run: useradd --system colaflow")
}

func ownerOf(fi os.FileInfo) account {
	st := fi.Sys().(*syscall.Stat_t)
	a := account{strconv.Itoa(int(st.Uid)), st.Uid, st.Gid}
	if u, err := user.LookupId(a.name); err == nil {
		a.name = u.Username
	}
	return a
}

// enters reports whether the directory's mode lets the account pass through.
func (a account) enters(dir os.FileInfo) bool {
	switch o := ownerOf(dir); {
	case o.uid == a.uid:
		return dir.Mode()&0o100 != 0
	case o.gid == a.gid:
		return dir.Mode()&0o010 != 0
	}
	return dir.Mode()&0o001 != 0
}

// credential makes a child run as the account; nil if that is who we are.
func (a account) credential() *syscall.Credential {
	if os.Geteuid() != 0 {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid}
}

// give makes the account the only one that may enter the directory.
func (a account) give(dir string) error {
	if fi, err := os.Lstat(dir); err != nil || !fi.IsDir() {
		return errors.Join(err, fmt.Errorf("%s is not a directory", dir))
	}
	if os.Geteuid() == 0 {
		if err := os.Lchown(dir, int(a.uid), int(a.gid)); err != nil {
			return err
		}
	}
	return os.Chmod(dir, 0o700)
}
