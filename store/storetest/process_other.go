//go:build !linux

package storetest

import "os/exec"

func asUnprivileged(*exec.Cmd) {}

func startBound(cmd *exec.Cmd) (ended <-chan struct{}, err error) {
	done := make(chan struct{})
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() { _ = cmd.Wait(); close(done) }()
	return done, nil
}
