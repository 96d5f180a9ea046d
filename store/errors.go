package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/colaflow/colaflow/tenancy"
)

// SQLSTATEs that mean something to us. Constraint and table names are missing
// or changed on Citus, so nothing else is looked at.
const (
	stateRevoked        = "CF401" // raised by enter() and recheck()
	stateSuspended      = "CF403"
	statePlanLimit      = "CF413" // raised by within_plan()
	stateUnique         = "23505"
	stateSerialization  = "40001"
	stateDeadlock       = "40P01"
	stateLockTimeout    = "55P03"
	stateStatementLimit = "57014"
	stateUndefinedTable = "42P01"
	stateDenied         = "42501"
	stateBadText        = "22021" // NUL, or not UTF-8
	stateBadEscape      = "22P05" // NUL in JSON
)

// errRevoked is what a transaction returns whose token or member is not active
// at the epoch that it came with.
var errRevoked = tenancy.Errorf(tenancy.Unauthenticated, "The token is missing, unknown, expired or revoked.").
	WithNext("Ask an admin of your tenant for a new token.")

// errSuspended is what every transaction of a suspended tenant returns.
var errSuspended = tenancy.Errorf(tenancy.TenantIsSuspended, "This tenant is suspended.").
	WithNext("Ask its owner to have it resumed. Do not retry.")

// interpret is the one funnel of database errors: known states become
// tenancy errors, the rest stays internal with its text for the log.
func interpret(err error) error {
	if err == nil {
		return nil
	}
	var known *tenancy.Error
	if errors.As(err, &known) {
		return err
	}
	switch state(err) {
	case stateRevoked:
		return errRevoked
	case stateSuspended:
		return errSuspended
	case statePlanLimit:
		return planLimit(err)
	case stateUnique:
		return fmt.Errorf("%w (%w)", tenancy.Errorf(tenancy.Conflict, "Something with this name or key exists already.").
			WithNext("Read it, or choose another name."), err)
	case stateSerialization, stateDeadlock, stateLockTimeout:
		return retryable("Others are changing the same data.", err)
	case stateBadText, stateBadEscape:
		return fmt.Errorf("%w (%w)", tenancy.Errorf(tenancy.InvalidValue, "A text contains a character that cannot be stored.").
			WithNext("Send it without NUL characters."), err)
	case stateStatementLimit:
		return retryable("The database took too long.", err)
	case "57P01", "57P02", "57P03", "53300", "08000", "08003", "08006":
		return retryable("The database is not available.", err)
	}
	if lost(err) || errors.Is(err, context.DeadlineExceeded) {
		return retryable("The database is not available.", err)
	}
	return fmt.Errorf("database: %w", err)
}

// lost reports whether the connection broke, or never came up.
func lost(err error) bool {
	var network *net.OpError
	var connect *pgconn.ConnectError
	return errors.As(err, &network) || errors.As(err, &connect) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
		err != nil && pgconn.SafeToRetry(err)
}

// interpretCommit is interpret for the last trip of a write: if the connection
// breaks there, nobody knows whether the change was made.
func interpretCommit(err error) error {
	if !lost(err) || pgconn.SafeToRetry(err) {
		return interpret(err)
	}
	e := tenancy.Errorf(tenancy.Unavailable, "The connection to the database broke while the change was being made.").
		WithNext("Look whether it was, or repeat the call with the same idempotency_key.")
	return fmt.Errorf("%w (%w)", e, err)
}

func retryable(message string, cause error) error {
	e := tenancy.Errorf(tenancy.Unavailable, "%s", message).WithNext("Nothing was changed; try again in a moment.")
	e.Retry = true
	return fmt.Errorf("%w (%w)", e, cause)
}

func state(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

func isUndefinedTable(err error) bool { return state(err) == stateUndefinedTable }
func isDenied(err error) bool         { return state(err) == stateDenied }

// isDataError reports whether the data of a statement was refused (class 22 and
// 23), so that other data would have passed.
func isDataError(err error) bool {
	return strings.HasPrefix(state(err), "22") || strings.HasPrefix(state(err), "23")
}

// connectError strips what a connection error repeats of the DSN.
func connectError(err error) error {
	var connect *pgconn.ConnectError
	var parse *pgconn.ParseConfigError
	switch {
	case errors.As(err, &parse):
		return errDSN
	case errors.As(err, &connect):
		return errors.New("no connection with the given DSN; check host, port, user and password: " + innermost(err).Error())
	}
	return err
}

// errDSN is what every DSN gets that cannot be read: it may hold a password.
var errDSN = errors.New("the DSN is not valid; use the form postgres://user:password@host:5432/database")

// innermost follows a chain to its end; of several causes, the first.
func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if several, ok := err.(interface{ Unwrap() []error }); ok && len(several.Unwrap()) > 0 {
			next = several.Unwrap()[0]
		}
		if next == nil {
			return err
		}
		err = next
	}
}
