package mcpserver

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"

	"github.com/colaflow/colaflow/tenancy"
)

// cursors seals where a list ended. A cursor is bound to the token, the tool and
// the filter, so that it opens nothing else.
type cursors struct {
	sealer tenancy.Sealer
}

// next seals a position after a page of a list that filter selected.
func (c *Call) next(filter, position any) string {
	return c.cursors.sealer.Seal(mustJSON(position), c.cursorContext(filter))
}

// resume opens a cursor into position; "" leaves it untouched and reports false.
func (c *Call) resume(cursor string, filter, position any) (bool, error) {
	if cursor == "" {
		return false, nil
	}
	plain, err := c.cursors.sealer.Open(cursor, c.cursorContext(filter))
	if err != nil || json.Unmarshal(plain, position) != nil {
		return false, tenancy.Errorf(tenancy.InvalidValue, "cursor is not one of this list.").
			WithNext("Pass next_cursor of the page before, with the same filter and token, or leave it out to begin again.")
	}
	return true, nil
}

func (c *Call) cursorContext(filter any) []byte {
	digest := sha256.Sum256(mustJSON(filter))
	return bytes.Join([][]byte{[]byte(c.tool), c.TenantID[:], c.TokenID[:], c.MemberID[:], digest[:]}, nil)
}
