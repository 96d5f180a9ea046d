package mcpserver

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/colaflow/colaflow/tenancy"
)

// maxText caps the text content of a result, in bytes: about 6,000 tokens.
const maxText = 24 << 10

// maxFailure caps the text of an error, in characters.
const maxFailure = 2000

// success carries the same compact JSON as text and as structured content,
// because some clients show only one of them. What goes beside the data follows the text.
func success(data json.RawMessage, beside ...mcp.Content) *mcp.CallToolResult {
	return &mcp.CallToolResult{
		Content:              append([]mcp.Content{mcp.NewTextContent(string(data))}, beside...),
		RawStructuredContent: data,
	}
}

// failure is a result that tells the model what went wrong, what to do next,
// and whether to retry. Errors that are not tenancy errors show only the
// request's id.
func failure(err error, requestID string) *mcp.CallToolResult {
	e := tenancy.Public(err, requestID)
	text := shorten(e.Error(), maxFailure) // it may repeat what the client sent
	switch {
	case e.RetryAfter > 0:
		text += fmt.Sprintf(" Retry after %d s.", int(math.Ceil(e.RetryAfter.Seconds())))
	case e.Retry:
		text += " Retry: yes."
	}
	return &mcp.CallToolResult{Content: []mcp.Content{mcp.NewTextContent(text)}, IsError: true}
}

// list is the one envelope of every list. Total counts all matches exactly, unless
// TotalIsMinimum; Truncated says that the page was cut to fit the response.
type list struct {
	Items          []json.RawMessage `json:"items"`
	Total          int               `json:"total"`
	TotalIsMinimum bool              `json:"total_is_minimum,omitempty"`
	Returned       int               `json:"returned"`
	NextCursor     string            `json:"next_cursor,omitempty"`
	Truncated      bool              `json:"truncated,omitempty"`
	FilterApplied  string            `json:"filter_applied,omitempty"`
	Hint           string            `json:"hint,omitempty"`
}

// fill adds rows up to limit or until the response is full. Lists read one row
// more than the limit, so that more tells exactly whether another page follows.
func (l *list) fill(rows []any, limit int) (kept int, more bool) {
	const envelope = 1 << 10
	size := envelope
	l.Items = make([]json.RawMessage, 0, min(len(rows), limit))
	for _, row := range rows[:min(len(rows), limit)] {
		data := mustJSON(row)
		if size += len(data) + 1; size > maxText && len(l.Items) > 0 {
			l.Truncated = true
			l.Hint = "The page was cut to fit; go on with next_cursor, or pass fewer fields."
			break
		}
		l.Items = append(l.Items, data)
	}
	l.Returned = len(l.Items)
	return l.Returned, l.Returned < len(rows)
}
