package store_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
)

// bigTenant is a tenant of 10,000 issues with a change, a comment and a label
// each: 80,000 rows.
func bigTenant(tb testing.TB) *storetest.DB {
	db := storetest.Open(tb)
	acme := db.Tenant(tb, "acme")
	_, err := db.LoadDataset(tb.Context(), acme.Scope(), manyIssues(10_000), store.LoadOptions{})
	require.NoError(tb, err)
	return db
}

// BenchmarkExportTenant exports a tenant of 10,000 issues with their history.
func BenchmarkExportTenant(b *testing.B) {
	db := bigTenant(b)
	var file []byte
	for b.Loop() {
		file = exported(b, db, "acme")
	}
	b.ReportMetric(float64(len(file))/(1<<20), "MB")
}

// BenchmarkImportTenant imports the same, verification included.
func BenchmarkImportTenant(b *testing.B) {
	db := bigTenant(b)
	file := exported(b, db, "acme")
	for n := 0; b.Loop(); n++ {
		imported(b, db, file, fmt.Sprintf("copy-%d", n))
	}
}
