package store_test

import (
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tracker/dataset"
	"github.com/colaflow/colaflow/tracker/dataset/github"
	"github.com/colaflow/colaflow/tracker/dataset/jira"
)

// loadFile reads a fixture of the readers' own tests and loads it.
func loadFile(t *testing.T, db *storetest.DB, tn *storetest.Tenant, key, file string, read func(io.Reader) (*dataset.Dataset, error)) dataset.Report {
	t.Helper()
	f, err := os.Open("../tracker/dataset/" + file)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	d, err := read(f)
	require.NoError(t, err)
	d.Project.Key = key
	return load(t, db, tn, d)
}

func TestLoadDataset_JiraTwice(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	r := loadFile(t, db, acme, "SHOP", "jira/testdata/cloud.csv", jira.ReadCSV)
	require.True(t, r.NumbersKept)
	require.Equal(t, []int{4, 3, 4, 1, 1}, []int{r.Issues.Added, r.Comments.Added, r.People.Added, r.Sprints.Added, r.Links.Added})
	require.Zero(t, loadFile(t, db, acme, "SHOP", "jira/testdata/cloud.csv", jira.ReadCSV).Events)

	dark, _ := issueOf(t, acme, "SHOP", 5)
	require.Equal(t, []string{"Subtask", "Cancelled", "SHOP-2"}, []string{dark.Type, dark.Status, dark.Parent.String()})
	bug, _ := issueOf(t, acme, "SHOP", 3)
	require.Equal(t, []string{"QA", "Sprint 2", "tomo.arai-2"}, []string{bug.Status, bug.Sprint, bug.Assignee})
}

func TestLoadDataset_ListFollowsArchive(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	issues := func(r io.Reader) (*dataset.Dataset, error) { return github.ReadArchive(r, false) }
	pulls := func(r io.Reader) (*dataset.Dataset, error) { return github.ReadArchive(r, true) }
	require.Equal(t, 2, loadFile(t, db, acme, "WEB", "github/testdata/small.archive.json", issues).Issues.Added)
	require.Equal(t, 3, loadFile(t, db, acme, "WEB", "github/testdata/small.list.json", github.ReadList).Issues.Added)
	late := loadFile(t, db, acme, "WEB", "github/testdata/small.archive.json", pulls)
	require.Equal(t, dataset.Count{Added: 3, Present: 2}, late.Issues)
	require.True(t, late.NumbersKept, "pull requests find their numbers free")
	pull, _ := issueOf(t, acme, "WEB", 3)
	require.Equal(t, "Pull request", pull.Type)
}
