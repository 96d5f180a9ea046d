package store

// Methods of the audit rows that record a removal. Verification looks for them
// where a log does not begin with its first checkpoint.
const (
	methodDropBefore = "audit.drop_before"
	methodErase      = "audit.erase"
)
