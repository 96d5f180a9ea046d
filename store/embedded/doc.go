// Package embedded runs a real PostgreSQL for people who brought none: one cluster in a data
// directory, shared by every process that opens it, gone a few seconds after the last one.
//
// The opener is never the parent of PostgreSQL, or its end would take the database away from the
// others. The parent is a keeper: the same program, re-executed in a session of its own to run
// [Keep]. Three files in the data directory say who is there; all are flock(2) locks, which the
// kernel drops with their process, also on kill -9:
//
//   - start.lock is held by whoever starts PostgreSQL, until [Config.Prepare] is done: one initdb,
//     one keeper, one migration at a time.
//   - users.lock is held, shared, by every [Instance] until it is closed. It is only ever taken
//     under start.lock.
//   - keeper.lock is held by the keeper for as long as it lives, so there is at most one.
//
// The keeper tries start.lock and then users.lock, exclusively, about once a second. Having both
// for longer than [Config.Linger] means that nobody uses the database and nobody is about to, so
// it stops PostgreSQL while it still holds them: an opener that comes now waits, and starts anew.
//
// If the keeper is killed, Linux interrupts PostgreSQL (Pdeathsig), which stops cleanly; elsewhere
// the next opener does that. If PostgreSQL is killed, the keeper reports it and ends. In both cases
// every Instance still open notices that keeper.lock is free and brings the database back.
//
// Clients come in by a Unix socket in a directory of mode 0700, where authentication is "trust":
// whoever may enter is the account that owns the data, or root. Under root PostgreSQL runs as the
// first of colaflow, postgres and nobody that exists.
package embedded
