package main

import (
	"context"
	"time"

	"github.com/colaflow/colaflow/store"
)

// cleanEvery is how often a server removes what is no longer needed.
const cleanEvery = 5 * time.Minute

// startCleanup cleans the database beside serving; stop waits for its end.
func (p *program) startCleanup(ctx context.Context, db *database) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	owner := "" // of somebody else's database: no server holds it
	if db.instance != nil {
		owner = db.instance.DSN(store.OwnerRole, databaseName)
	}
	go func() {
		defer close(done)
		db.CleanEvery(ctx, cleanEvery, owner)
	}()
	return func() { cancel(); <-done }
}
