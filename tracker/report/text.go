package report

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/colaflow/colaflow/tracker"
)

// Text writes a value of a summary or a cell of a table for people; empty for none.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return tracker.CleanLine(v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return ""
		}
		return strconv.FormatFloat(round(v), 'f', -1, 64)
	case []string:
		return tracker.CleanLine(strings.Join(v, "; "))
	case bool:
		return map[bool]string{true: "yes", false: ""}[v]
	}
	data, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return tracker.CleanLine(strings.NewReplacer(`"`, "", "{", "", "}", "", ":", " ", ",", ", ").Replace(string(data)))
}

// Words makes the name of a figure or a column readable.
func Words(name string) string { return strings.ReplaceAll(name, "_", " ") }
