package store

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/colaflow/colaflow/tenancy"
)

// Decisions of an audit row.
const (
	Allowed = "allowed"
	Denied  = "denied"
	Failed  = "failed"
)

// AuditRow says who did what, when, from where, and how it ended. Arguments are
// redacted by the caller; plain tokens never reach it.
type AuditRow struct {
	TenantID   tenancy.TenantID `json:"tenant_id"`
	ID         uuid.UUID        `json:"id"`
	At         time.Time        `json:"at"`         // by the node's clock
	WrittenAt  time.Time        `json:"written_at"` // by the database's; it sets it
	Kind       string           `json:"kind"`       // call, admin, sign_in, job
	MemberID   *uuid.UUID       `json:"member_id,omitempty"`
	Actor      string           `json:"actor"`
	TokenID    *uuid.UUID       `json:"token_id,omitempty"`
	TokenName  string           `json:"token_name,omitempty"`
	Client     string           `json:"client,omitempty"`
	Method     string           `json:"method"`
	Tool       string           `json:"tool,omitempty"`
	Decision   string           `json:"decision"`
	Rule       string           `json:"rule,omitempty"`
	Target     string           `json:"target,omitempty"`
	ProjectID  *uuid.UUID       `json:"project_id,omitempty"`
	ArgsDigest HexBytes         `json:"args_digest,omitempty"`
	Args       json.RawMessage  `json:"args,omitempty"`
	Changes    json.RawMessage  `json:"changes,omitempty"`
	RequestID  string           `json:"request_id,omitempty"`
	ClientIP   string           `json:"client_ip,omitempty"`
	DurationUS int64            `json:"duration_us,omitempty"`
	Code       string           `json:"code,omitempty"`
	Bytes      int              `json:"bytes,omitempty"`
	// Repeats is how many equal denials the row stands for; 0 means 1.
	Repeats int `json:"repeats,omitempty"`
}

// complete sets what the caller left out, such as the request that ctx is of, and
// takes out what PostgreSQL cannot hold: clients choose these texts, and a row must
// never fail because of them. What it leaves comes back from the database byte by byte,
// as the MAC needs it.
func (r *AuditRow) complete(ctx context.Context, now time.Time) {
	of := tenancy.RequestOf(ctx)
	r.RequestID, r.ClientIP = cmp.Or(r.RequestID, of.ID), cmp.Or(r.ClientIP, of.ClientIP)
	for _, text := range []*string{&r.Kind, &r.Actor, &r.TokenName, &r.Client, &r.Method, &r.Tool, &r.Decision, &r.Rule, &r.Target,
		&r.RequestID, &r.ClientIP, &r.Code} {
		*text = strings.ToValidUTF8(strings.ReplaceAll(*text, "\x00", ""), "\uFFFD")
	}
	r.Args, r.Changes = storable(r.Args), storable(r.Changes)
	if r.ID == uuid.Nil {
		r.ID = tenancy.NewID()
	}
	if r.At.IsZero() {
		r.At = now
	}
	r.Repeats = max(r.Repeats, 1)
}

// unstorable finds what readers of JSON in PostgreSQL may refuse: NUL, and
// numbers beyond numeric.
var unstorable = regexp.MustCompile(`\\u0000|[0-9][eE][+-]?[0-9]{4}|[0-9]{1000}`)

// storable returns JSON that PostgreSQL accepts, unchanged where it already does.
func storable(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return nil
	}
	if json.Valid(raw) && !unstorable.Match(raw) {
		return []byte(strings.ToValidUTF8(string(raw), "\uFFFD"))
	}
	var v any
	if json.Unmarshal(raw, &v) != nil { // a number beyond float64
		return json.RawMessage(`"unreadable"`)
	}
	return asJSON(withoutNUL(v))
}

func withoutNUL(v any) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "\x00", "")
	case []any:
		for i := range v {
			v[i] = withoutNUL(v[i])
		}
	case map[string]any:
		clean := make(map[string]any, len(v))
		for name, value := range v {
			clean[strings.ReplaceAll(name, "\x00", "")] = withoutNUL(value)
		}
		return clean
	}
	return v
}

// HexBytes writes itself in PostgreSQL's bytea form, \x and hex digits.
type HexBytes []byte

// String returns \x and hex digits.
func (h HexBytes) String() string { return `\x` + hex.EncodeToString(h) }

// MarshalText is String for JSON.
func (h HexBytes) MarshalText() ([]byte, error) { return []byte(h.String()), nil }
