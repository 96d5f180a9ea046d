package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// DefaultDataDir returns the data directory of this account: /var/lib/colaflow for root, else
// colaflow in the place where the system keeps a user's data.
func DefaultDataDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/lib/colaflow", nil
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "colaflow"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("this account has no home directory (%w): choose a data directory with --data", err)
	}
	if runtime.GOOS == "darwin" {
		return filepath.Join(home, "Library", "Application Support", "colaflow"), nil
	}
	return filepath.Join(home, ".local", "share", "colaflow"), nil
}
