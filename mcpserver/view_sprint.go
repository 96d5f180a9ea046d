package mcpserver

import "github.com/colaflow/colaflow/tracker"

// sprintView is a sprint in a list.
type sprintView struct {
	Name       string  `json:"name"`
	Project    string  `json:"project"`
	State      string  `json:"state"`
	Goal       string  `json:"goal,omitempty"`
	Start      string  `json:"start,omitempty"`
	End        string  `json:"end,omitempty"`
	Started    string  `json:"started,omitempty"`
	Completed  string  `json:"completed,omitempty"`
	Issues     int     `json:"issues"`
	Open       int     `json:"open"`
	Points     float64 `json:"points"`
	PointsDone float64 `json:"points_done"`
	Version    int     `json:"version"`
}

func viewSprint(s tracker.Sprint) sprintView {
	return sprintView{Name: s.Name, Project: s.ProjectKey, State: string(s.State), Goal: s.Goal, Start: day(s.StartsOn), End: day(s.EndsOn),
		Started: stampOf(s.StartedAt), Completed: stampOf(s.CompletedAt), Issues: s.Issues, Open: s.Open, Points: s.Points, PointsDone: s.PointsDone, Version: s.Version}
}
