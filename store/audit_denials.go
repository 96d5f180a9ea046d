package store

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tenancy"
)

const (
	// denialWindow is how long equal denials are counted before they get a row.
	denialWindow = time.Minute
	// denialsKept bounds the memory; denials beyond it get a row each.
	denialsKept = 4_096
)

// denials turns a stream of equal denials into a row at once and then one a
// minute with their number. Who keeps trying, or is held to limits, cannot flood the
// log. Numbers not yet written are lost in a crash; that there
// was a denial is not.
type denials struct {
	log *auditLog

	mu      sync.Mutex
	open    map[denial]*AuditRow // the newest repeat, with their number; nil: none yet
	timer   *time.Timer
	closed  bool
	pending sync.WaitGroup // the timer that is set
}

// denial is what makes denials equal.
type denial struct {
	tenant     tenancy.TenantID
	caller     uuid.UUID // the token; without one, the member
	tool, rule string
}

// denialOf tells for calls alone what they are equal by: every sign-in has its own row.
func denialOf(r AuditRow) (denial, bool) {
	caller := cmp.Or(r.TokenID, r.MemberID)
	if r.Decision != Denied || r.Kind != "call" || caller == nil {
		return denial{}, false
	}
	return denial{r.TenantID, *caller, r.Method + " " + r.Tool, r.Rule}, true
}

// counted reports whether the row is a repeat, which gets no row of its own now.
func (d *denials) counted(r AuditRow) bool {
	key, ok := denialOf(r)
	if !ok {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	repeat, known := d.open[key]
	switch {
	case d.closed, !known && len(d.open) >= denialsKept:
		return false
	case !known:
		d.open[key] = nil
		d.arm()
		return false
	}
	if repeat != nil {
		r.Repeats += repeat.Repeats
	}
	d.open[key] = &r
	return true
}

// forget takes back that a denial has a row: it could not be written.
func (d *denials) forget(r AuditRow) {
	if key, ok := denialOf(r); ok {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.open[key] == nil {
			delete(d.open, key)
		}
	}
}

// arm sets the timer unless it is set. The caller holds the lock.
func (d *denials) arm() {
	if d.timer == nil && !d.closed {
		d.pending.Add(1)
		d.timer = time.AfterFunc(denialWindow, func() {
			defer d.pending.Done()
			d.flush()
		})
	}
}

// flush writes what was counted, and forgets denials that did not repeat.
func (d *denials) flush() {
	d.mu.Lock()
	rows := make([]AuditRow, 0, len(d.open))
	for key, repeat := range d.open {
		if repeat == nil {
			delete(d.open, key)
			continue
		}
		rows = append(rows, *repeat)
		d.open[key] = nil
	}
	if d.timer != nil && d.timer.Stop() {
		d.pending.Done()
	}
	d.timer = nil
	if len(d.open) > 0 {
		d.arm()
	}
	d.mu.Unlock()
	var writing sync.WaitGroup
	for _, row := range rows {
		group, place := d.log.join(row)
		writing.Go(func() {
			if d.log.wait(context.Background(), group, place) != nil {
				d.counted(row) // with the next ones
			}
		})
	}
	writing.Wait()
}

// close writes what was counted; later denials get a row each.
func (d *denials) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.flush()
	d.pending.Wait()
}
