package tracker

import (
	"time"

	"github.com/google/uuid"
)

// SprintState is where a sprint is in its life.
type SprintState string

// The states of a sprint. A project has at most one active sprint.
const (
	SprintPlanned   SprintState = "planned"
	SprintActive    SprintState = "active"
	SprintCompleted SprintState = "completed"
)

// Sprint is a time box of one project.
type Sprint struct {
	ID          uuid.UUID
	ProjectID   uuid.UUID
	ProjectKey  string
	Name        string
	Goal        string
	State       SprintState
	StartsOn    *time.Time // a day
	EndsOn      *time.Time // a day
	StartedAt   *time.Time
	CompletedAt *time.Time
	Version     int
	CreatedAt   time.Time
	Issues      int // issues in it now
	Open        int // of them not done and not cancelled
	Points      float64
	PointsDone  float64
}

// Fields lists what of a sprint can be changed, under the names of save_sprint.
func (s Sprint) Fields() []Field {
	day := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.Format(time.DateOnly)
	}
	return []Field{{"name", s.Name}, {"goal", s.Goal}, {"state", string(s.State)}, {"start", day(s.StartsOn)}, {"end", day(s.EndsOn)}}
}
