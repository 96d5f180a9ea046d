package console

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/sso/ssotest"
	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tests/program"
	"github.com/colaflow/colaflow/tracker/demo"
)

// job is what a flow is told.
type job struct {
	Flow string `json:"flow"`
	URL  string `json:"url"`
	// Links sign in once each, by a name that the flow knows.
	Links map[string]string `json:"links"`
	Token string            `json:"token,omitempty"`
	Shots string            `json:"shots"`
	// IDP is the issuer of an OpenID provider.
	IDP string `json:"idp,omitempty"`
}

// run lets a browser do a flow.
func (b *bundle) run(t *testing.T, j job) {
	t.Helper()
	j.URL = b.url
	var err error
	j.Shots, err = filepath.Abs("shots")
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(j.Shots, 0o755))
	input, err := json.Marshal(j)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "node", "run.js")
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "COLAFLOW_CHROMIUM="+program.Chromium(t))
	cmd.Stdin = bytes.NewReader(input)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Logf("%s", out)
}

// hostile is a text that runs where a text is taken for markup.
const hostile = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>`

// TestConsole lets a browser do everything that people do in the console, in several
// tenants at once. Attack cases 69, 77 and 98 are among it: what a person hears of a refresh
// token that came twice, the cookie's flags, a refresh from another site, and texts that try
// to run.
func TestConsole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	t.Run("session", func(t *testing.T) {
		t.Parallel()
		acme, globex := b.db.Tenant(t, "session-a"), b.db.Tenant(t, "session-b")
		b.run(t, job{Flow: "session", Links: map[string]string{
			"acme": b.link(t, acme.Slug, acme.Ada.Email), "bare": b.link(t, acme.Slug, acme.Ada.Email), "globex": b.link(t, globex.Slug, globex.Ada.Email)}})
	})
	// both does a flow for two tenants at once.
	both := func(flow string, prepare func(*testing.T, *storetest.Tenant) job) {
		for _, side := range []string{"a", "b"} {
			t.Run(flow+"-"+side, func(t *testing.T) {
				t.Parallel()
				acme := b.db.Tenant(t, flow+"-"+side)
				j := prepare(t, acme)
				j.Flow, j.Links = flow, map[string]string{"acme": b.link(t, acme.Slug, acme.Ada.Email), "ben": b.link(t, acme.Slug, acme.Ben.Email)}
				b.run(t, j)
			})
		}
	}
	both("tokens", func(t *testing.T, acme *storetest.Tenant) job {
		acme.Project(t, "WEB", "Web shop")
		return job{}
	})
	both("work", func(t *testing.T, acme *storetest.Tenant) job {
		acme.Issues(t, acme.Project(t, "WEB", "Web shop "+hostile), "Cart forgets its items", hostile)
		_, err := b.db.Admin(t).Exec(t.Context(), `update members set name = $1 where id = $2`, "Ben "+hostile, acme.Ben.ID)
		require.NoError(t, err)
		return job{Token: acme.FullToken(t)}
	})
	both("admin", func(t *testing.T, acme *storetest.Tenant) job {
		acme.Issues(t, acme.Project(t, "WEB", "Web shop"), "One")
		return job{Token: acme.FullToken(t)}
	})
	both("connected", func(t *testing.T, acme *storetest.Tenant) job {
		acme.Project(t, "WEB", "Web shop")
		return job{}
	})
	both("welcome", func(*testing.T, *storetest.Tenant) job { return job{} })
	both("sso", func(t *testing.T, _ *storetest.Tenant) job {
		idp := ssotest.NewOIDC(t)
		idp.SignsIn(ssotest.Person{"sub": "cy-1", "email": "cy@acme.test", "email_verified": true, "name": "Cy " + hostile, "groups": []string{"admins"}})
		return job{IDP: idp.URL}
	})
	t.Run("looks", func(t *testing.T) {
		t.Parallel()
		acme := b.db.Tenant(t, "looks")
		for _, d := range demo.Tenants(time.Now())[0].Datasets {
			_, err := b.db.LoadDataset(t.Context(), acme.Scope(), d, store.LoadOptions{})
			require.NoError(t, err)
		}
		token := acme.FullToken(t)
		acme.Token(t, "triage bot", `{"issues":["read","search","update"],"comments":["*"],"only_projects":["WEB","APP"]}`)
		b.run(t, job{Flow: "looks", Token: token, Links: map[string]string{"acme": b.link(t, acme.Slug, acme.Ada.Email)}})
	})
}
