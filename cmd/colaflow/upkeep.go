package main

import (
	"context"
	"time"
)

// upkeepEvery is how often a server removes what is due and counts what tenants hold.
const upkeepEvery = 5 * time.Minute

// startUpkeep does the database's upkeep beside serving; stop waits for its end.
func (p *program) startUpkeep(ctx context.Context, db *database) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		db.Upkeep(ctx, upkeepEvery)
	}()
	return func() { cancel(); <-done }
}
