//go:build !unix

package embedded

import (
	"context"
	"errors"
)

var errUnsupported = errors.New("this system cannot run the embedded PostgreSQL: start with --dsn and the address of a PostgreSQL server")

// Open fails: flock and Unix accounts are needed.
func Open(context.Context, Config) (*Instance, error) { return nil, errUnsupported }

// Keep fails: flock and Unix accounts are needed.
func Keep(context.Context, Config) error { return errUnsupported }
