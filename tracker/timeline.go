package tracker

import (
	"encoding/json"
	"time"
)

// TimeInStatus sums how long an issue was in each status, from its events in
// the order of time, up to now. Events that do not say a status are skipped.
func TimeInStatus(events []Event, now time.Time) map[string]time.Duration {
	spent := map[string]time.Duration{}
	status, since := "", time.Time{}
	for _, e := range events {
		next := statusAfter(e)
		if next == "" {
			continue
		}
		if status != "" {
			spent[status] += e.At.Sub(since)
		}
		status, since = next, e.At
	}
	if status != "" && now.After(since) {
		spent[status] += now.Sub(since)
	}
	return spent
}

// statusAfter is the status that an event leaves its issue in, or "". Events
// read from the database carry raw JSON, fresh ones values; both marshal alike.
func statusAfter(e Event) string {
	data, err := json.Marshal(e.After)
	if err != nil {
		return ""
	}
	switch {
	case e.Kind == EventCreated:
		var v struct{ Status StatusValue }
		_ = json.Unmarshal(data, &v) // another form has no status
		return v.Status.Name
	case e.Kind == EventChanged && e.Field == "status":
		var v StatusValue
		_ = json.Unmarshal(data, &v)
		return v.Name
	}
	return ""
}
