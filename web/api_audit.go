package web

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

type auditAnswer struct {
	Items []store.AuditRow `json:"items"`
	store.AuditCount
	NextCursor string `json:"next_cursor,omitempty"`
}

// listAudit lists the audit log, newest first. A cursor holds nothing but a place in
// the caller's own log.
func (s *Server) listAudit(r *http.Request, me session) (any, error) {
	f, limit, err := auditFilter(r)
	if err != nil {
		return nil, err
	}
	var out auditAnswer
	err = s.Store.Read(r.Context(), me.scope(), func(tx *store.Tx) error {
		return tx.Do(r.Context(), store.AuditRows(f, &out.Items, &out.AuditCount))
	})
	if err != nil {
		return nil, err
	}
	if len(out.Items) > limit {
		out.Items = out.Items[:limit]
		place, err := json.Marshal(store.PositionOfAudit(out.Items[limit-1]))
		if err != nil {
			return nil, err
		}
		out.NextCursor = base64.RawURLEncoding.EncodeToString(place)
	}
	return out, nil
}

func auditFilter(r *http.Request) (f store.AuditFilter, limit int, err error) {
	q := r.URL.Query()
	f = store.AuditFilter{Tool: q.Get("tool"), Token: q.Get("token"), Actor: q.Get("actor"), Decision: q.Get("decision"), Target: q.Get("target")}
	limit = 50
	if text := q.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > 200 {
			return f, 0, tenancy.Errorf(tenancy.InvalidValue, "limit must be 1 to 200.")
		}
	}
	f.Limit = limit + 1
	for name, into := range map[string]*time.Time{"since": &f.Since, "until": &f.Until} {
		if text := q.Get(name); text != "" {
			if *into, err = time.Parse(time.RFC3339, text); err != nil {
				return f, 0, tenancy.Errorf(tenancy.InvalidValue, "%s must be a time such as 2027-01-31T12:00:00Z.", name)
			}
		}
	}
	if cursor := q.Get("cursor"); cursor != "" {
		data, err := base64.RawURLEncoding.DecodeString(cursor)
		if err != nil || json.Unmarshal(data, &f.After) != nil {
			return f, 0, tenancy.Errorf(tenancy.InvalidValue, "cursor is not one of this list.").WithNext("Begin again without it.")
		}
	}
	return f, limit, nil
}

func (s *Server) verifyAudit(r *http.Request, me session) (any, error) {
	leave, err := s.verifying.enter(me.app.Tenant().ID, "verification")
	if err != nil {
		return nil, err
	}
	defer leave()
	return s.Store.VerifyAudit(r.Context(), me.scope(), store.AuditHead{})
}
