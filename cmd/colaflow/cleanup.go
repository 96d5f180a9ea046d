package main

import (
	"context"
	"time"
)

// cleanEvery is how often a server removes what is no longer needed.
const cleanEvery = 5 * time.Minute

// startCleanup cleans the database beside serving; stop waits for its end.
func (p *program) startCleanup(ctx context.Context, db *database) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		db.CleanEvery(ctx, cleanEvery)
	}()
	return func() { cancel(); <-done }
}
