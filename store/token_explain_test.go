package store_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

func TestExplainToken(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	acme.Project(t, "WEB", "Website")
	acme.Project(t, "API", "Interface")
	token, _ := acme.Token(t, "ci", `{"issues":["*"],"deny":{"issues":["delete"]},"only_projects":["WEB"]}`)
	explain := func(target, verb string) tenancy.Rule {
		t.Helper()
		action, err := tenancy.ParseAction(target, verb)
		require.NoError(t, err)
		d, err := db.ExplainToken(t.Context(), store.AsKeeper(acme.ID, "test"), token.ID, action)
		require.NoError(t, err)
		require.Equal(t, d.Rule == tenancy.RuleAllowed, d.Allowed)
		return d.Rule
	}
	require.Equal(t, tenancy.RuleAllowed, explain("issue:WEB-12", "update"))
	require.Equal(t, tenancy.RuleAllowed, explain("issues", "search"))
	require.Equal(t, tenancy.RuleDeny, explain("issue:WEB-12", "delete"))
	require.Equal(t, tenancy.RuleOnlyProjects, explain("issue:API-1", "read"))
	require.Equal(t, tenancy.RuleProject, explain("issue:NONE-1", "read"))
	require.Equal(t, tenancy.RuleGrants, explain("audit", ""))
	_, err := db.UpdateToken(t.Context(), acme.Scope(), "test", token.ID, func(s *store.TokenSettings, now time.Time) error { s.ExpiresAt = &now; return nil })
	require.NoError(t, err)
	require.Equal(t, tenancy.RuleExpired, explain("issue:WEB-12", "update"))
	require.NoError(t, db.RevokeToken(t.Context(), acme.Scope(), "test", token.ID))
	require.Equal(t, tenancy.RuleRevoked, explain("issue:WEB-12", "update"))
	_, err = db.SuspendTenant(t.Context(), "acme", "test")
	require.NoError(t, err)
	require.Equal(t, tenancy.RuleTenant, explain("issue:WEB-12", "update"))
	_, err = db.ExplainToken(t.Context(), store.AsKeeper(acme.ID, "test"), tenancy.NewID(), tenancy.Action{})
	require.Equal(t, tenancy.NotFound, tenancy.CodeOf(err))
}

// TestScope_DatabaseAgreesWithGo gives a token random projects, when it is made
// and again by an update. What row-level security shows is what Go says, and the
// stored scope is that of the stored grants.
func TestScope_DatabaseAgreesWithGo(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	keys := []string{"WEB", "API", "OPS", "DOC"}
	ids := map[string]string{}
	for _, key := range keys {
		p := acme.Project(t, key, key)
		acme.Issues(t, p, "Issue of "+key)
		ids[key] = p.ID.String()
	}
	stored := db.Admin(t)
	some := rapid.Custom(func(t *rapid.T) tenancy.Grants {
		g := tenancy.Grants{Allow: tenancy.AllPermissions}
		if g.Limited = rapid.Bool().Draw(t, "limited"); g.Limited {
			g.Projects = tenancy.ProjectKeys(rapid.SliceOf(rapid.SampledFrom(keys)).Draw(t, "projects"))
		}
		return g
	})
	rapid.Check(t, func(r *rapid.T) {
		g := some.Draw(r, "created with")
		token, plain, err := db.CreateToken(t.Context(), acme.Scope(), "acme", "test", store.NewToken{Name: "random", Owner: acme.Ada.Email, Grants: g})
		require.NoError(r, err)
		check := func() {
			p := principal(t, db, plain)
			var projects []tracker.Project
			var issues []tracker.Issue
			var total int
			require.NoError(r, db.Read(t.Context(), store.ForPrincipal(p), func(tx *store.Tx) error {
				return tx.Do(t.Context(), store.ProjectsByKeys(keys, &projects),
					store.SearchIssues(tracker.Filter{}, store.Page{Limit: 10}, &issues, &total))
			}))
			for _, key := range keys {
				seen := slices.ContainsFunc(projects, func(p tracker.Project) bool { return p.Key == key })
				require.Equal(r, p.Grants.CoversProject(key), seen, key)
				seen = slices.ContainsFunc(issues, func(i tracker.Issue) bool { return i.Key.Project == key })
				require.Equal(r, p.Grants.CoversProject(key), seen, key)
			}
			var scope string
			var data []byte
			require.NoError(r, stored.QueryRow(t.Context(), `select scope, grants from tokens where id = $1`, token.ID).Scan(&scope, &data))
			require.Equal(r, scopeOf(r, data, ids), scope)
		}
		check()
		_, err = db.UpdateToken(t.Context(), acme.Scope(), "test", token.ID, func(s *store.TokenSettings, _ time.Time) error {
			s.Grants = some.Draw(r, "changed to")
			return nil
		})
		require.NoError(r, err)
		check()
	})
}

// scopeOf says what the scope column must be, from the stored JSON alone.
func scopeOf(t *rapid.T, data []byte, ids map[string]string) string {
	var g map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(data, &g))
	if g["only_projects"] == nil {
		return "all"
	}
	var keys, list []string
	require.NoError(t, json.Unmarshal(g["only_projects"], &keys))
	for _, key := range keys {
		list = append(list, ids[key])
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ",")
}
