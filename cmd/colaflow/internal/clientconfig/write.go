package clientconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Written says what Write did.
type Written struct {
	File     string
	Backup   string // empty if there was no file before
	Replaced bool   // an entry of this name was there
}

// Write puts the server into the client's file and leaves everything else in it
// as it was, comments too. The file changes whole or not at all, only its owner
// can read it afterwards, and what was there before is kept beside it as .bak.
func (c Client) Write(file string, s Server) (Written, error) {
	w := Written{File: file}
	if resolved, err := filepath.EvalSymlinks(file); err == nil {
		w.File = resolved // a link into somebody's dotfiles stays a link
	}
	before, err := os.ReadFile(w.File)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return w, fmt.Errorf("read the settings of %s: %w", c.Title, err)
	}
	after, replaced, err := merge(before, c.section, s.Name, c.entry(s))
	if err != nil {
		return w, fmt.Errorf("%s was left as it is, because %w; add the snippet by hand: colaflow config %s", file, err, c.Name)
	}
	w.Replaced = replaced
	if len(before) > 0 {
		w.Backup = w.File + ".bak"
		if err := replace(w.Backup, before); err != nil {
			return w, fmt.Errorf("keep a copy of %s: %w", file, err)
		}
	}
	if err := replace(w.File, after); err != nil {
		return w, fmt.Errorf("write the settings of %s: %w", c.Title, err)
	}
	return w, nil
}

// replace gives the file new contents in one step, with mode 0600.
func replace(file string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".new-") // mode 0600
	if err != nil {
		return err
	}
	_, err = temp.Write(data)
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	if err := os.Rename(temp.Name(), file); err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return nil
}
