package tenancy

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/netip"
)

// RequestHeader is where an HTTP answer has the id of its request.
const RequestHeader = "X-Request-Id"

// Request is what work is done for, and from where: audit rows say both, and answers and
// the log the id.
type Request struct {
	ID       string
	ClientIP string // empty: not known
}

// NewRequest returns a Request from an address, with an id of its own.
func NewRequest(from netip.Addr) Request {
	var b [8]byte
	_, _ = rand.Read(b[:])
	r := Request{ID: hex.EncodeToString(b[:])}
	if from.IsValid() {
		r.ClientIP = from.String()
	}
	return r
}

type requestKey struct{}

// In returns a context in which work is done for the request.
func (r Request) In(ctx context.Context) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// RequestOf returns what a context's work is done for; a zero one, if it is no request.
func RequestOf(ctx context.Context) Request {
	r, _ := ctx.Value(requestKey{}).(Request)
	return r
}
