package embedded

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// childAttr has the kernel interrupt PostgreSQL when the thread that started it ends.
func childAttr(cred *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: cred, Setpgid: true, Pdeathsig: syscall.SIGINT}
}

// commandLine returns the arguments of a process, none if it is gone or a zombie.
func commandLine(pid int) []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return nil
	}
	return strings.Split(string(b), "\x00")
}
