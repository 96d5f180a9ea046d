package tenancy

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"
)

// AppConfig is what an admin may change of a tenant's Application, within the
// bounds of its plan. A zero field means the default.
type AppConfig struct {
	MaxPages      int           // live pages; default 1,000
	PageLife      time.Duration // default 1 hour
	PageTokenLife time.Duration // of the link to a page; default 24 hours, never beyond the page's life
	PageSpace     int64         // bytes of all live pages; default 100 MB
	Memory        int64         // bytes that the tenant may hold in one process; default 100 MB
}

// DefaultConfig returns what is in force where nothing was changed.
func DefaultConfig() AppConfig {
	return AppConfig{MaxPages: 1_000, PageLife: time.Hour, PageTokenLife: 24 * time.Hour, PageSpace: 100 << 20, Memory: 100 << 20}
}

// leastConfig keeps a tenant usable: one page of any size, and some calls at once.
func leastConfig() AppConfig {
	return AppConfig{MaxPages: 1, PageLife: time.Minute, PageTokenLife: time.Minute, PageSpace: MaxPage, Memory: 16 << 20}
}

// In returns what is in force under a plan: defaults for zero fields, and nothing
// beyond the plan's bounds, which may have shrunk since it was set.
func (c AppConfig) In(p Plan) AppConfig {
	d, most := DefaultConfig(), p.Bounds
	return AppConfig{
		MaxPages:      min(cmp.Or(c.MaxPages, d.MaxPages), most.MaxPages),
		PageLife:      min(cmp.Or(c.PageLife, d.PageLife), most.PageLife),
		PageTokenLife: min(cmp.Or(c.PageTokenLife, d.PageTokenLife), most.PageTokenLife),
		PageSpace:     min(cmp.Or(c.PageSpace, d.PageSpace), most.PageSpace),
		Memory:        min(cmp.Or(c.Memory, d.Memory), most.Memory),
	}
}

// Check returns an InvalidValue error for the first field that is neither zero
// nor within the bounds of the plan.
func (c AppConfig) Check(p Plan) error {
	least, most := leastConfig(), p.Bounds
	for _, field := range []struct {
		name               string
		value, least, most int64
		text               func(int64) string
	}{
		{"max-pages", int64(c.MaxPages), int64(least.MaxPages), int64(most.MaxPages), func(n int64) string { return fmt.Sprint(n) }},
		{"page-life", int64(c.PageLife), int64(least.PageLife), int64(most.PageLife), durationText},
		{"page-token-life", int64(c.PageTokenLife), int64(least.PageTokenLife), int64(most.PageTokenLife), durationText},
		{"page-space", c.PageSpace, least.PageSpace, most.PageSpace, megabytesText},
		{"memory", c.Memory, least.Memory, most.Memory, megabytesText},
	} {
		if field.value != 0 && (field.value < field.least || field.value > field.most) {
			return Errorf(InvalidValue, "%s cannot be %s: plan %s allows %s to %s.", field.name, field.text(field.value), p.Name,
				field.text(field.least), field.text(field.most)).WithNext("Choose within the bounds, or 0 for the default.")
		}
	}
	return nil
}

func durationText(n int64) string { return time.Duration(n).String() }

func megabytesText(n int64) string { return fmt.Sprintf("%d MB", n>>20) }

// MarshalJSON writes durations as people do, and leaves out what is not set.
func (c AppConfig) MarshalJSON() ([]byte, error) {
	text := func(d time.Duration) string {
		if d == 0 {
			return ""
		}
		return d.String()
	}
	return json.Marshal(struct {
		MaxPages      int    `json:"max_pages,omitempty"`
		PageLife      string `json:"page_life,omitempty"`
		PageTokenLife string `json:"page_token_life,omitempty"`
		PageSpace     int64  `json:"page_space_bytes,omitempty"`
		Memory        int64  `json:"memory_bytes,omitempty"`
	}{c.MaxPages, text(c.PageLife), text(c.PageTokenLife), c.PageSpace, c.Memory})
}
