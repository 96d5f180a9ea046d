package oauth

import (
	"net/netip"

	"github.com/colaflow/colaflow/tenancy"
)

// What requests cost of an address's bucket.
const (
	costToken    = 1
	costRegister = 10
)

// pace slows down addresses that ask too often.
type pace struct{ *tenancy.Pace }

// take pays for a request, or refuses it with slow_down.
func (p pace) take(from netip.Addr, cost int) error {
	if p.Take(from, cost) == nil {
		return nil
	}
	return &failure{"slow_down", "Too many requests from this address. Try again in a minute."}
}
