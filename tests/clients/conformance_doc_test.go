package clients

import (
	"cmp"
	"fmt"
	"strings"
)

const conformanceHead = `# Conformance

What the protocol's own conformance suite (` + "`@modelcontextprotocol/conformance`" + `) says of ColaFlow. It wants the tools, resources and
prompts of a test server of its own: they are built into the program for this test alone (` + "`-tags conformance`" + `), like those of
ours, with permissions, transactions and audit rows. The suite knows no tokens, so it goes through a proxy that adds one;
everything else is the program as it is. Written by the test that asserts it:
` + "`go test ./tests/clients -run Conformance -update`" + `.

*Passes* means that every check of the scenario passed and at least one of them is its own. *Shows nothing* means that
nothing fell, but only because the scenario found nothing to try: do not count it. Left out are the scenarios of the tasks
extension, which ColaFlow does not offer and no revision requires.
`

// report is a run's part of the documentation: scenarios with the checks that
// passed, by reason.
func (r conformanceRun) report(seen map[string]scenario) string {
	var b strings.Builder
	groups := [3]string{"Passes", "Does not pass", "Shows nothing"}
	var count [3]int
	for name := range seen {
		count[r.expect[name].rank()]++
	}
	fmt.Fprintf(&b, "\n## %s\n\n%d scenarios: %d passed, %d did not, %d showed nothing.\n", r.title, len(seen), count[0], count[1], count[2])
	rank, why := -1, ""
	for _, name := range r.sorted(seen) {
		e, s := r.expect[name], seen[name]
		if e.rank() != rank {
			rank, why = e.rank(), "-"
			fmt.Fprintf(&b, "\n### %s\n", groups[rank])
		}
		if e.why != why {
			why = e.why
			fmt.Fprintf(&b, "\n%s\n\n", cmp.Or(why, "Every check:"))
		}
		fmt.Fprintf(&b, "- %s: %d of %d\n", name, s.passed, s.total)
	}
	return b.String()
}
