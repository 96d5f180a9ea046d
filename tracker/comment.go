package tracker

import (
	"time"

	"github.com/google/uuid"
)

// Comment is a remark on an issue. Agent names the token it was written with.
type Comment struct {
	ID        uuid.UUID
	IssueID   uuid.UUID
	Author    string
	Agent     string
	Body      string
	ReplyTo   uuid.UUID
	CreatedAt time.Time
}
