package tenancy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// maxGrantsBytes bounds the JSON of a token's grants; 200 project keys fit easily.
const maxGrantsBytes = 16 << 10

// Grants is what a token was given: permissions, exceptions from them, and the
// projects they hold for. Stored as JSONB in the shape
// {"issues":["read","search"],"deny":{...},"only_projects":["WEB"]}.
// The zero value allows nothing.
type Grants struct {
	Allow PermissionSet
	Deny  PermissionSet
	// Limited says that only Projects (keys, sorted) are in reach; an empty list means none.
	Limited  bool
	Projects []string
}

// Effective returns what remains of the grants under a role: deny wins over
// allow, and nothing exceeds the role.
func (g Grants) Effective(role Role) PermissionSet {
	return g.Allow &^ g.Deny & role.Permissions()
}

// CoversProject reports whether the project with this key is in reach.
func (g Grants) CoversProject(key string) bool {
	return !g.Limited || slices.Contains(g.Projects, key)
}

// ParseGrants reads the stored or given JSON of grants. It fails closed: an
// unknown resource or verb, a duplicate key, a wrong type or too much data is
// an InvalidValue error that names it.
func ParseGrants(data []byte) (Grants, error) {
	if len(data) > maxGrantsBytes {
		return Grants{}, Errorf(InvalidValue, "Permissions are longer than %d bytes.", maxGrantsBytes)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	var g Grants
	err := readObject(dec, func(key string) error {
		switch key {
		case "deny":
			return readObject(dec, func(resource string) error { return readVerbs(dec, resource, &g.Deny) })
		case "only_projects":
			keys, err := readStrings(dec)
			if err != nil {
				return fmt.Errorf("only_projects: %w", err)
			}
			slices.Sort(keys)
			g.Limited, g.Projects = true, slices.Compact(keys)
			return nil
		default:
			return readVerbs(dec, key, &g.Allow)
		}
	})
	if err == nil {
		if _, trailing := dec.Token(); !errors.Is(trailing, io.EOF) {
			err = errors.New("more than one JSON value")
		}
	}
	if err != nil {
		return Grants{}, Errorf(InvalidValue, "Permissions are not valid: %v.", err).
			WithNext(`Use the form {"issues":["read","search"],"only_projects":["WEB"]}.`)
	}
	return g, nil
}

// readObject calls field for each key of a JSON object, refusing duplicates.
func readObject(dec *json.Decoder, field func(key string) error) error {
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return errors.New("an object is expected")
	}
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return errors.New("malformed JSON")
		}
		key := t.(string)
		if seen[key] {
			return fmt.Errorf("%q is given twice", key)
		}
		seen[key] = true
		if err := field(key); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return errors.New("malformed JSON")
	}
	return nil
}

func readVerbs(dec *json.Decoder, resource string, into *PermissionSet) error {
	all := resourceSet(resource)
	if all == 0 {
		return fmt.Errorf("resource %q is not known", resource)
	}
	verbs, err := readStrings(dec)
	if err != nil {
		return fmt.Errorf("%s: %w", resource, err)
	}
	for _, verb := range verbs {
		if verb == "*" {
			if len(verbs) > 1 {
				return fmt.Errorf(`%s: "*" stands alone`, resource)
			}
			*into |= all
			return nil
		}
		p, err := ParsePermission(resource + ":" + verb)
		if err != nil {
			return fmt.Errorf("%s has no verb %q", resource, verb)
		}
		*into |= 1 << p
	}
	return nil
}

func readStrings(dec *json.Decoder) ([]string, error) {
	if t, err := dec.Token(); err != nil || t != json.Delim('[') {
		return nil, errors.New("a list of strings is expected")
	}
	list := []string{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, errors.New("malformed JSON")
		}
		s, ok := t.(string)
		if !ok {
			return nil, errors.New("a list of strings is expected")
		}
		list = append(list, s)
	}
	if _, err := dec.Token(); err != nil {
		return nil, errors.New("malformed JSON")
	}
	return list, nil
}

// MarshalJSON writes the grants in the stored shape, in canonical order.
func (g Grants) MarshalJSON() ([]byte, error) {
	out := map[string]any{}
	for resource, verbs := range verbsByResource(g.Allow) {
		out[resource] = verbs
	}
	if g.Deny != 0 {
		out["deny"] = verbsByResource(g.Deny)
	}
	if g.Limited {
		out["only_projects"] = append([]string{}, g.Projects...)
	}
	return json.Marshal(out)
}

// UnmarshalJSON is ParseGrants as a json.Unmarshaler.
func (g *Grants) UnmarshalJSON(data []byte) error {
	parsed, err := ParseGrants(data)
	if err == nil {
		*g = parsed
	}
	return err
}

func verbsByResource(s PermissionSet) map[string][]string {
	verbs := map[string][]string{}
	for _, p := range s.List() {
		verbs[p.Resource()] = append(verbs[p.Resource()], p.Verb())
	}
	for resource := range verbs {
		if all := resourceSet(resource); s&all == all && all.Len() > 1 {
			verbs[resource] = []string{"*"}
		}
	}
	return verbs
}

// String says the grants in a line for people, such as
// "issues:read issues:search except issues:delete in WEB, API".
func (g Grants) String() string {
	words := func(s PermissionSet) string {
		if s == AllPermissions {
			return "everything"
		}
		var parts []string
		byResource := verbsByResource(s)
		for _, resource := range slices.Sorted(maps.Keys(byResource)) {
			parts = append(parts, resource+":"+strings.Join(byResource[resource], ","))
		}
		return strings.Join(parts, " ")
	}
	line := words(g.Allow)
	if line == "" {
		line = "nothing"
	}
	if g.Deny != 0 {
		line += " except " + words(g.Deny)
	}
	if g.Limited {
		line += " in " + strings.Join(g.Projects, ", ")
		if len(g.Projects) == 0 {
			line += "no project"
		}
	}
	return line
}
