package clients

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"maps"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tests/program"
)

var update = flag.Bool("update", false, "write docs/conformance.md")

const conformanceDoc = "../../docs/conformance.md"

// TestConformance runs the protocol's conformance suite against the real program,
// built with the tools, resources and prompts of the suite's own test server beside its
// own. The suite sends no token, so a proxy adds it.
func TestConformance(t *testing.T) {
	t.Parallel()
	b := &bundle{db: storetest.Open(t), bin: program.Tagged(t, "conformance")}
	token := b.office(t, "acme").agent
	proxy, leadTo := startProxy(t, func(r *httputil.ProxyRequest) { r.Out.Header.Set("Authorization", "Bearer "+token) }, func(*http.Response) {})
	leadTo(b.serve(t, "--public-url", proxy))

	doc := conformanceHead
	for _, r := range conformanceRuns {
		seen := r.run(t, proxy+"/mcp", r.flags...)
		r.again(t, proxy+"/mcp", seen)
		r.check(t, seen)
		doc += r.report(seen)
	}
	var audited int
	require.NoError(t, b.db.Admin(t).QueryRow(t.Context(), "select count(distinct tool) from audit_log where tool ~ '^(resource static|prompt test|test)'").Scan(&audited))
	require.Greater(t, audited, 20, "the fixtures go through the whole chain")
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(conformanceDoc), 0o755))
		require.NoError(t, os.WriteFile(conformanceDoc, []byte(doc), 0o644))
	}
	have, err := os.ReadFile(conformanceDoc)
	require.NoError(t, err)
	require.Equal(t, doc, string(have), "docs/conformance.md is old; run: go test ./tests/clients -run Conformance -update")
}

// TestConformance_Fixtures: who runs the program does not run the suite's fixtures.
func TestConformance_Fixtures(t *testing.T) {
	t.Parallel()
	for path, with := range map[string]bool{program.Path(t): false, program.Tagged(t, "conformance"): true} {
		binary, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, with, bytes.Contains(binary, []byte("test_simple_text")))
		require.True(t, bytes.Contains(binary, []byte("search_issues")))
	}
}

// conformanceRun is one version of the suite with one set of requirements.
type conformanceRun struct {
	title  string
	script string
	flags  []string
	alone  []string               // flags of one scenario
	expect map[string]expectation // by scenario
}

// expectation is what a scenario makes of the server.
type expectation struct {
	// falls lists the checks that do not pass, with their reason in why.
	falls []string
	why   string
	// vacuous: the suite does not fail the scenario, but it shows nothing either.
	vacuous bool
}

// scenario is what a scenario was seen to do.
type scenario struct {
	passed, total int
	shown         bool // a check of its own passed, not only the form of the answers
	fallen        []string
}

var conformanceResult = regexp.MustCompile(`^server-(.+)-\d{4}-\d\d-\d\dT[-\w]+$`)

// again runs alone what did other than expected, twice at most: the suite waits half a
// second for some answers, which a busy machine may take.
func (r conformanceRun) again(t *testing.T, url string, seen map[string]scenario) {
	t.Helper()
	for name, e := range r.expect {
		for range 2 {
			if s, ok := seen[name]; !ok || slices.Equal(s.fallen, e.falls) {
				break
			}
			t.Logf("%s: scenario %s runs again: checks that fell: %q", r.title, name, seen[name].fallen)
			maps.Copy(seen, r.run(t, url, append([]string{"--scenario", name}, r.alone...)...))
		}
	}
}

// run runs the suite and reads what it wrote of each scenario.
func (r conformanceRun) run(t *testing.T, url string, flags ...string) map[string]scenario {
	t.Helper()
	dir := t.TempDir()
	cmd := nodeCommand(t, r.script, append([]string{"server", "--url", url, "-o", dir}, flags...)...)
	out, runErr := cmd.CombinedOutput() // fails where any scenario does
	files, err := filepath.Glob(filepath.Join(dir, "*", "checks.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files, "%v: %s", runErr, out)
	seen := map[string]scenario{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var checks []struct{ ID, Status string }
		require.NoError(t, json.Unmarshal(data, &checks))
		name := conformanceResult.FindStringSubmatch(filepath.Base(filepath.Dir(file)))
		require.NotNil(t, name, file)
		if strings.HasPrefix(name[1], "tasks-") {
			continue // an extension that is not offered, and that no revision requires
		}
		var s scenario
		for _, c := range checks {
			switch c.Status {
			case "SUCCESS":
				s.passed, s.total = s.passed+1, s.total+1
				s.shown = s.shown || c.ID != "wire-schema-valid"
			case "FAILURE", "WARNING":
				s.total++
				s.fallen = append(s.fallen, c.ID)
			}
		}
		slices.Sort(s.fallen)
		seen[name[1]] = s
	}
	return seen
}

// check fails where a scenario does other than expected, for better or worse.
func (r conformanceRun) check(t *testing.T, seen map[string]scenario) {
	t.Helper()
	for name, s := range seen {
		e, ok := r.expect[name]
		switch {
		case !ok:
			t.Errorf("%s: scenario %s is not on our list; checks that fell: %q", r.title, name, s.fallen)
		case !slices.Equal(s.fallen, e.falls):
			t.Errorf("%s: scenario %s: checks that fell: %q, on our list: %q", r.title, name, s.fallen, e.falls)
		case len(e.falls) == 0 && !e.vacuous && !s.shown:
			t.Errorf("%s: scenario %s passed without showing anything", r.title, name)
		}
	}
	for name := range r.expect {
		if _, ok := seen[name]; !ok {
			t.Errorf("%s: scenario %s is on our list, but was not run", r.title, name)
		}
	}
}

// sorted returns the scenarios: those that pass, then the rest by reason.
func (r conformanceRun) sorted(seen map[string]scenario) []string {
	names := make([]string, 0, len(seen))
	for name := range seen {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(r.expect[a].rank(), r.expect[b].rank()), cmp.Compare(r.expect[a].why, r.expect[b].why), cmp.Compare(a, b))
	})
	return names
}

func (e expectation) rank() int {
	switch {
	case e.vacuous:
		return 2
	case len(e.falls) > 0:
		return 1
	default:
		return 0
	}
}
