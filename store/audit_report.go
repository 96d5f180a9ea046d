package store

import (
	"fmt"
	"time"

	"github.com/google/uuid"
)

// AuditReport is what a verification found.
type AuditReport struct {
	Rows        int64 `json:"rows"` // sealed, and as they were written
	Checkpoints int64 `json:"checkpoints"`
	// Anchor is the checkpoint that a recorded removal left: nothing before it can
	// be verified. Nil: verified from the tenant's first row.
	Anchor   *AuditAnchor   `json:"anchor,omitempty"`
	Head     AuditHead      `json:"head"` // newest checkpoint
	SealedTo *time.Time     `json:"sealed_to,omitempty"`
	Unsealed AuditTail      `json:"unsealed"`
	Problems int64          `json:"problems"`
	Findings []AuditFinding `json:"findings"` // the first of the problems
}

// AuditAnchor is where a log begins after a removal.
type AuditAnchor struct {
	Seq  int64     `json:"seq"`
	Upto time.Time `json:"upto"` // rows before it were removed
}

// AuditTail is what no checkpoint covers yet: its rows bear their MACs, but that
// one is missing could not be seen.
type AuditTail struct {
	Rows   int64      `json:"rows"`
	Oldest *time.Time `json:"oldest,omitempty"`
}

// AuditFinding is one thing that is not as it was written.
type AuditFinding struct {
	Row        *uuid.UUID `json:"row,omitempty"`
	Checkpoint int64      `json:"checkpoint,omitempty"`
	At         *time.Time `json:"at,omitempty"` // written, by the database's clock
	What       string     `json:"what"`
}

// String says the finding in a line.
func (f AuditFinding) String() string {
	what := fmt.Sprintf("checkpoint %d", f.Checkpoint)
	switch {
	case f.Row != nil:
		what = "row " + f.Row.String()
	case f.Checkpoint == 0:
		what = "log"
	}
	if f.At != nil {
		what += " of " + f.At.UTC().Format("2006-01-02 15:04:05.000000")
	}
	return what + ": " + f.What
}

// OK reports whether everything is as it was written.
func (r AuditReport) OK() bool { return r.Problems == 0 }

// maxFindings bounds a report; Problems counts on.
const maxFindings = 100

func (r *AuditReport) find(f AuditFinding) {
	if r.Problems++; r.Problems <= maxFindings {
		r.Findings = append(r.Findings, f)
	}
}

func (r *AuditReport) findRow(e entry, what string, args ...any) {
	at := e.time()
	r.find(AuditFinding{Row: &e.id, At: &at, What: fmt.Sprintf(what, args...)})
}

func (r *AuditReport) findCheckpoint(c checkpoint, what string, args ...any) {
	r.find(AuditFinding{Checkpoint: c.seq, At: &c.sealedAt, What: fmt.Sprintf(what, args...)})
}
