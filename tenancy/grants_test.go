package tenancy_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/tenancy"
)

func TestParseGrants(t *testing.T) {
	t.Parallel()
	g, err := tenancy.ParseGrants([]byte(`{"issues":["read","search"],"comments":["*"],"deny":{"issues":["delete"]},"only_projects":["WEB","API","WEB"]}`))
	require.NoError(t, err)
	require.Equal(t, []string{"issues:read", "issues:search", "comments:read", "comments:create"}, g.Allow.Strings())
	require.Equal(t, []string{"issues:delete"}, g.Deny.Strings())
	require.Equal(t, []string{"API", "WEB"}, g.Projects)
	none, err := tenancy.ParseGrants([]byte(`{"issues":["*"],"only_projects":[]}`))
	require.NoError(t, err)
	require.False(t, none.CoversProject("WEB"), "an empty list means none, not all")
	require.True(t, tenancy.Grants{}.CoversProject("WEB"))
}

// TestAttack012_GrantsThatAreNotGrants refuses what is not in the vocabulary as a
// whole: an unknown key never means allow, and never hides beside known ones.
func TestAttack012_GrantsThatAreNotGrants(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"unknown resource":      `{"issues":["read"],"billing":["read"]}`,
		"unknown verb":          `{"issues":["read","fly"]}`,
		"case":                  `{"Issues":["read"]}`,
		"verb in case":          `{"issues":["READ"]}`,
		"unknown in deny":       `{"issues":["*"],"deny":{"issue":["delete"]}}`,
		"star beside others":    `{"issues":["*","read"]}`,
		"star resource":         `{"*":["*"]}`,
		"duplicate":             `{"issues":["read"],"issues":["*"]}`,
		"duplicate in deny":     `{"deny":{"issues":["read"],"issues":[]}}`,
		"duplicate scope":       `{"only_projects":["WEB"],"only_projects":["API"]}`,
		"duplicate by escape":   `{"issues":["read"],"\u0069ssues":["*"]}`,
		"string for list":       `{"issues":"read"}`,
		"number in list":        `{"issues":[1]}`,
		"null list":             `{"issues":null}`,
		"object for list":       `{"issues":{"read":true}}`,
		"deny as list":          `{"deny":["issues:read"]}`,
		"scope as string":       `{"only_projects":"WEB"}`,
		"scope as null":         `{"issues":["*"],"only_projects":null}`,
		"list":                  `["issues:read"]`,
		"string":                `"issues:read"`,
		"null":                  `null`,
		"empty":                 ``,
		"cut":                   `{"issues":["read"`,
		"trailing":              `{"issues":["read"]} {"issues":["*"]}`,
		"deep in a list":        `{"issues":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`,
		"deep in deny":          strings.Repeat(`{"deny":`, 1500) + `{}` + strings.Repeat("}", 1500),
		"a megabyte":            `{"issues":["read"],"only_projects":["` + strings.Repeat("A", 1<<20) + `"]}`,
		"a megabyte of nothing": `{` + strings.Repeat(" ", 1<<20) + `"issues":["read"]}`,
	} {
		g, err := tenancy.ParseGrants([]byte(text))
		require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err), name)
		require.Zero(t, g, name)
		var kept tenancy.Grants
		require.Error(t, json.Unmarshal([]byte(text), &kept), name)
		require.Zero(t, kept, name)
	}
}

func TestGrants_RoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := someGrants.Draw(t, "grants")
		stored, err := json.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		read, err := tenancy.ParseGrants(stored)
		if err != nil {
			t.Fatalf("%s: %v", stored, err)
		}
		again, _ := json.Marshal(read)
		if string(again) != string(stored) || read.Allow != g.Allow || read.Deny != g.Deny || read.Limited != g.Limited {
			t.Fatalf("%s became %s", stored, again)
		}
	})
}

func FuzzParseGrants(f *testing.F) {
	f.Add([]byte(`{"issues":["*"],"deny":{"issues":["delete"]},"only_projects":["WEB"]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := tenancy.ParseGrants(data)
		if err != nil {
			require.Zero(t, g)
			return
		}
		stored, err := json.Marshal(g)
		require.NoError(t, err)
		again, err := tenancy.ParseGrants(stored)
		require.NoError(t, err)
		require.Equal(t, g.Allow, again.Allow)
	})
}
