package tokens

import (
	"context"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tenancy"
)

// Subject says what a Change is about.
type Subject string

// The subjects of a Change.
const (
	SubjectToken  Subject = "token"
	SubjectMember Subject = "member"
	SubjectTenant Subject = "tenant"
	// SubjectSession is a person's, which tokens have nothing to do with.
	SubjectSession Subject = "session"
	// SubjectAny is told by Follow when changes may have gone unseen: anything may
	// have changed.
	SubjectAny Subject = "any"
)

// Change tells that a token, a member or a tenant is not what it was. Ended
// means that it may do nothing any more: its running calls are cut off.
type Change struct {
	Subject Subject
	Tenant  tenancy.TenantID
	ID      uuid.UUID
	Ended   bool
}

// Concerns reports whether the change is about a principal.
func (c Change) Concerns(p tenancy.Principal) bool {
	if c.Subject == SubjectAny {
		return true
	}
	if c.Tenant != p.TenantID { // a tenant's import keeps the ids of its members
		return false
	}
	switch c.Subject {
	case SubjectToken:
		return c.ID == p.TokenID
	case SubjectMember:
		return c.ID == p.MemberID
	default:
		return c.Subject == SubjectTenant
	}
}

// Feed delivers changes made on any node. Follow blocks until ctx ends; it calls
// healthy(true) once changes are sure to arrive and healthy(false) as soon as
// they may not. A change whose content was lost arrives as lost.
type Feed interface {
	Follow(ctx context.Context, changed func(Change), lost func(), healthy func(bool))
}

// Follow starts keeping the cache true to the feed, and tells also of every
// change, and of SubjectAny when the feed begins or is back. It ends with Close.
// While the feed is not healthy nothing is cached.
func (a *Authenticator) Follow(feed Feed, also func(Change)) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		feed.Follow(ctx, func(c Change) {
			a.forget(c)
			also(c)
		}, func() {
			a.forgetAll()
			also(Change{Subject: SubjectAny})
		}, func(healthy bool) {
			a.setHealthy(healthy)
			if healthy {
				also(Change{Subject: SubjectAny})
			}
		})
		a.setHealthy(false)
	}()
	a.stop = func() { cancel(); <-done }
}

func (a *Authenticator) setHealthy(healthy bool) {
	a.healthy.Store(healthy)
	a.forgetAll()
}

// Healthy reports whether revocations reach this process by the feed.
func (a *Authenticator) Healthy() bool { return a.healthy.Load() }

// forget drops what is cached of the change's subject. The generation moves on
// first, so that an answer read before the change is not cached after it.
func (a *Authenticator) forget(c Change) {
	a.generation.Add(1)
	for hash, known := range a.known.All() {
		if known.refused || c.Concerns(known.principal) {
			a.known.Invalidate(hash)
		}
	}
}

func (a *Authenticator) forgetAll() {
	a.generation.Add(1)
	a.known.InvalidateAll()
}
