package tenancy

import (
	"errors"
	"fmt"
	"time"
)

// Code classifies an Error. Codes are part of the product's public surface.
type Code string

// The codes of catalogue "Errors"; every surface maps them to its own wire form.
const (
	NotFound             Code = "not_found"
	InvalidValue         Code = "invalid_value"
	Ambiguous            Code = "ambiguous"
	Missing              Code = "missing"
	UnknownArgument      Code = "unknown_argument"
	Forbidden            Code = "forbidden"
	Conflict             Code = "conflict"
	IdempotencyConflict  Code = "idempotency_conflict"
	EditNoMatch          Code = "edit_no_match"
	EditMultipleMatch    Code = "edit_multiple_match"
	ReadOnlyCall         Code = "read_only"
	PlanLimit            Code = "plan_limit"
	TooLarge             Code = "too_large"
	ConfirmationRequired Code = "confirmation_required"
	ConfirmationInvalid  Code = "confirmation_invalid"
	Declined             Code = "declined"
	RateLimited          Code = "rate_limited"
	Unauthenticated      Code = "unauthenticated"
	TenantIsSuspended    Code = "tenant_suspended"
	AddressNotAllowed    Code = "ip_not_allowed"
	Unavailable          Code = "unavailable"
	Internal             Code = "internal"
)

// IsDenial reports whether a call with this outcome was kept from running; the audit
// log says so of it.
func (c Code) IsDenial() bool {
	switch c {
	case Forbidden, Unauthenticated, TenantIsSuspended, AddressNotAllowed, RateLimited:
		return true
	}
	return false
}

// Error is the one error that may reach a client: a code, one sentence, and
// what to do next. Whatever is not an Error is internal, and its text stays in
// the log.
type Error struct {
	Code       Code
	Message    string
	Next       string
	Retry      bool          // the same call may succeed later, unchanged
	RetryAfter time.Duration // with Retry: how long to wait, if known
}

// Errorf returns an Error with a formatted message of one sentence.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// WithNext returns a copy that also says what to do next.
func (e *Error) WithNext(next string) *Error { c := *e; c.Next = next; return &c }

// Error returns "code: message next".
func (e *Error) Error() string { return string(e.Code) + ": " + e.Sentence() }

// Sentence returns "message next", as a person should read it.
func (e *Error) Sentence() string {
	if e.Next == "" {
		return e.Message
	}
	return e.Message + " " + e.Next
}

// Public is what of an error may leave the process: of one that is internal, no more than
// the id of its request, by which an admin finds it in the log.
func Public(err error, requestID string) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	return Errorf(Internal, "Internal error, request %s.", requestID).
		WithNext("Nothing was changed; tell your admin the request id if it happens again.")
}

// CodeOf returns the code of the Error in err's chain, Internal for any other
// error, and "" for nil.
func CodeOf(err error) Code {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Code
	default:
		return Internal
	}
}
