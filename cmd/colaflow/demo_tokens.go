package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// demoTokensFile keeps the plain demo tokens in the data directory, so that what a
// person pasted into a client yesterday works today. The database has only hashes.
const demoTokensFile = "demo-tokens.json"

// demoTokens gives each tenant its token: the one in the file if it still works,
// else a new one, which replaces it there.
func (p *program) demoTokens(ctx context.Context, db *database, dir string, tenants []demoTenant) error {
	file := filepath.Join(dir, demoTokensFile)
	kept, err := readDemoTokens(file)
	if err != nil {
		return err
	}
	changed := false
	for i := range tenants {
		t := &tenants[i]
		works, err := p.works(ctx, db, t.Slug, kept[t.Slug])
		if err != nil {
			return err
		}
		if !works {
			changed = true
			if kept[t.Slug], err = p.mintDemoToken(ctx, db, *t); err != nil {
				return err
			}
		}
		t.Token = kept[t.Slug]
	}
	if !changed {
		return nil
	}
	return writeDemoTokens(file, kept)
}

func (p *program) works(ctx context.Context, db *database, slug, plain string) (bool, error) {
	named, hash, ok := tokens.Parse(plain)
	if !ok || named != slug {
		return false, nil
	}
	_, err := db.LookupToken(ctx, slug, hash)
	if tenancy.CodeOf(err) == tenancy.Unauthenticated {
		return false, nil
	}
	return err == nil, err
}

func (p *program) mintDemoToken(ctx context.Context, db *database, t demoTenant) (string, error) {
	tenant, err := db.Tenant(ctx, t.Slug)
	if err != nil {
		return "", err
	}
	_, plain, err := db.CreateToken(ctx, store.AsSystem(tenant.ID, actor()), t.Slug, actor(), store.NewToken{
		Name: "demo", Owner: t.owner, Grants: tenancy.Grants{Allow: tenancy.AllPermissions}})
	return plain, err
}

func readDemoTokens(file string) (map[string]string, error) {
	kept := map[string]string{}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return kept, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the demo's tokens: %w", err)
	}
	if err := json.Unmarshal(text, &kept); err != nil {
		return map[string]string{}, nil // damaged: new ones are made
	}
	return kept, nil
}

// writeDemoTokens replaces the file in one step, with mode 0600.
func writeDemoTokens(file string, kept map[string]string) error {
	text, err := json.MarshalIndent(kept, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the demo's tokens: %w", err)
	}
	temp, err := os.CreateTemp(filepath.Dir(file), demoTokensFile+".new-")
	if err != nil {
		return fmt.Errorf("keep the demo's tokens: %w", err)
	}
	_, err = temp.Write(append(text, '\n'))
	if err := errors.Join(err, temp.Close()); err != nil {
		return fmt.Errorf("keep the demo's tokens: %w", err)
	}
	if err := os.Rename(temp.Name(), file); err != nil {
		return fmt.Errorf("keep the demo's tokens: %w", err)
	}
	return nil
}
