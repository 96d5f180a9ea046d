package store

import "github.com/jackc/pgx/v5/pgxpool"

// Pool lets tests look at the connections that transactions leave behind.
func (s *Store) Pool() *pgxpool.Pool { return s.pool }
