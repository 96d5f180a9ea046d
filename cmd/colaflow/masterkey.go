package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/colaflow/colaflow/tenancy"
)

const (
	masterKeyVariable = "COLAFLOW_MASTER_KEY"
	masterKeyFile     = "master.key" // in the data directory
)

// masterKey reads the installation's key from the environment, or from file,
// which it makes on first use. There is no flag: others could read it in ps.
func (p *program) masterKey(file string) (tenancy.MasterKey, error) {
	if text := p.getenv(masterKeyVariable); text != "" {
		key, err := tenancy.ParseMasterKey(strings.TrimSpace(text))
		if err != nil {
			return key, fmt.Errorf("%s: %w", masterKeyVariable, err)
		}
		return key, nil
	}
	if file == "" {
		return tenancy.MasterKey{}, errors.New("a database given by --dsn needs its master key in " + masterKeyVariable +
			"; make one with: openssl rand -hex 32, and keep it as safe as the database")
	}
	key, err := readMasterKey(file)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeMasterKey(file); err != nil {
			return key, fmt.Errorf("make master key: %w", err)
		}
		key, err = readMasterKey(file)
	}
	return key, err
}

func readMasterKey(file string) (tenancy.MasterKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return tenancy.MasterKey{}, fmt.Errorf("read master key: %w", err)
	}
	key, err := tenancy.ParseMasterKey(strings.TrimSpace(string(text)))
	if err != nil {
		return key, fmt.Errorf("%s is damaged: %w; restore it from a backup", file, err)
	}
	return key, nil
}

// makeMasterKey writes a new key whole or not at all; if another process is
// first, its key stays.
func makeMasterKey(file string) error {
	temp, err := os.CreateTemp(filepath.Dir(file), "master.key-") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.WriteString(tenancy.NewMasterKey().Hex() + "\n")
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Link(temp.Name(), file); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
