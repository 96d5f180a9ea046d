package storetest

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// asUnprivileged drops root for PostgreSQL.
func asUnprivileged(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if uid, gid, err := unprivileged(); os.Geteuid() == 0 && err == nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
}

// startBound starts cmd so that it ends with this process, however that ends.
// The death signal is tied to a thread, so one goroutine keeps its thread until
// the command has ended; then it closes the returned channel.
func startBound(cmd *exec.Cmd) (ended <-chan struct{}, err error) {
	cmd.SysProcAttr.Pdeathsig = syscall.SIGINT
	started, done := make(chan error), make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	return done, <-started
}
