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
