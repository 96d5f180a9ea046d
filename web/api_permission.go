package web

import (
	"net/http"

	"github.com/colaflow/colaflow/tenancy"
)

// ToolInfo is a tool as an agent would see it listed.
type ToolInfo struct {
	Name     string `json:"name"`
	Title    string `json:"title"`
	ReadOnly bool   `json:"read_only"`
	Tokens   int    `json:"tokens"` // of the agent's context, about
}

type permissionsAnswer struct {
	Resources []resourceVerbs `json:"resources"`
	Presets   []presetAnswer  `json:"presets"`
	// Own is what the member's role allows: no token of theirs can do more.
	Own []string `json:"own"`
}

type resourceVerbs struct {
	Name  string   `json:"name"`
	Verbs []string `json:"verbs"`
}

type presetAnswer struct {
	Name        string         `json:"name"`
	Permissions tenancy.Grants `json:"permissions"`
}

// permissions tells the vocabulary that tokens are made of.
func (s *Server) permissions(_ *http.Request, me session) (any, error) {
	out := permissionsAnswer{Own: me.claims.Role.Permissions().Strings()}
	for _, p := range tenancy.AllPermissions.List() {
		if n := len(out.Resources); n == 0 || out.Resources[n-1].Name != p.Resource() {
			out.Resources = append(out.Resources, resourceVerbs{Name: p.Resource()})
		}
		last := &out.Resources[len(out.Resources)-1]
		last.Verbs = append(last.Verbs, p.Verb())
	}
	for _, name := range tenancy.PresetNames() {
		set, err := tenancy.Preset(name)
		if err != nil {
			return nil, err
		}
		out.Presets = append(out.Presets, presetAnswer{name, tenancy.Grants{Allow: set}})
	}
	return out, nil
}

type previewAnswer struct {
	Tools  []ToolInfo `json:"tools"`
	Tokens int        `json:"tokens"`
}

// previewToken tells what an agent with a token like this would see, before there is one.
func (s *Server) previewToken(r *http.Request, me session) (any, error) {
	var body struct {
		Permissions tenancy.Grants `json:"permissions"`
		Role        tenancy.Role   `json:"role"`
	}
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	role := me.claims.Role
	if body.Role != "" {
		var err error
		if role, err = tenancy.ParseRole(string(body.Role)); err != nil {
			return nil, err
		}
	}
	out := previewAnswer{Tools: s.ListTools(body.Permissions.Effective(role))}
	for _, t := range out.Tools {
		out.Tokens += t.Tokens
	}
	return out, nil
}
