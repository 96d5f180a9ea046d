// Package newfile writes files that appear whole or not at all.
package newfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Write makes a file of what fill writes, which this account alone can read. It
// appears under its name once everything is on the disk; of a failure nothing
// stays. A file that is there already is an error, unless replace is set.
func Write(name string, replace bool, fill func(*os.File) error) error {
	if _, err := os.Lstat(name); err == nil && !replace {
		return fmt.Errorf("%s is there already: choose another name, or move it away", name)
	}
	temp, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".part-") // mode 0600
	if err != nil {
		return fmt.Errorf("make the file to write: %w", err)
	}
	defer func() { _ = os.Remove(temp.Name()) }() // gone after the rename
	if err := errors.Join(fill(temp), temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp.Name(), name); err != nil {
		return fmt.Errorf("name the written file: %w", err)
	}
	return nil
}
