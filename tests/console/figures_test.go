package console

import (
	"os"
	"testing"
)

// TestFigures measures the console for docs/performance.md: make bench-console.
func TestFigures(t *testing.T) {
	if os.Getenv("COLAFLOW_FIGURES") == "" {
		t.Skip("it takes minutes and judges nothing; run: make bench-console")
	}
	b := setup(t)
	acme := b.db.Tenant(t, "figures")
	acme.Fill(t, 200)
	acme.Calls(t, 10_000)
	b.run(t, job{Flow: "figures", Links: map[string]string{"acme": b.link(t, acme.Slug, acme.Ada.Email)}})
}
