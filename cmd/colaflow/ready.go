package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// fewAuditMonths is when /readyz begins to warn.
const fewAuditMonths = 2

// readiness is the answer of /readyz.
type readiness struct {
	Status           string   `json:"status"` // ready or unavailable
	Schema           int64    `json:"schema,omitempty"`
	AuditMonthsAhead int      `json:"audit_months_ahead"`
	Warnings         []string `json:"warnings,omitempty"`
}

// ready answers whether this node can serve: the database answers and has the
// schema of this release. Why not goes to the log, not to whoever asks.
func (p *program) ready(db *database) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
		defer cancel()
		health, err := db.Health(ctx)
		if err != nil {
			p.log.Warn("not ready", "error", err)
			writeJSON(w, http.StatusServiceUnavailable, `{"status":"unavailable","message":"The database does not answer, or its schema is of another release; see the log."}`)
			return
		}
		answer := readiness{Status: "ready", Schema: health.Schema, AuditMonthsAhead: health.AuditMonths}
		if health.AuditMonths < fewAuditMonths {
			answer.Warnings = append(answer.Warnings, fmt.Sprintf(
				"The audit log has partitions for %d months ahead; run: colaflow db migrate", health.AuditMonths))
		}
		body, err := json.Marshal(answer)
		if err != nil {
			p.log.Error("encode readiness", "error", err)
		}
		writeJSON(w, http.StatusOK, string(body))
	}
}
