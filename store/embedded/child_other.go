//go:build unix && !linux

package embedded

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// childAttr lets PostgreSQL outlive a killed keeper: only Linux can tie them together. The next
// opener stops it.
func childAttr(cred *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: cred, Setpgid: true}
}

// commandLine returns the arguments of a process, none if it is gone. ps joins them by spaces, so
// only the argument of -D is put together again.
func commandLine(pid int) []string {
	out, err := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return nil
	}
	_, rest, found := strings.Cut(string(out), " -D ")
	dir, _, _ := strings.Cut(rest, " -c ")
	if !found {
		return nil
	}
	return []string{"-D", dir}
}
