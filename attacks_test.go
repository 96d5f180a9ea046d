package colaflow_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// attackCases is how many numbered attack and fault cases there are. A test says in
// its name which one it makes, such as TestAttack026_CancelOtherTenantsCall.
const attackCases = 102

// notYet are the cases of what is not built yet. A case that gets a test leaves the list.
var notYet = map[int]string{
	78: "not offered: ID-JAG",
}

// TestEveryAttackCaseHasATest reads the names of all tests.
func TestEveryAttackCaseHasATest(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`(?m)^func TestAttack(\d{3})_\w+\(t \*testing\.T\)`)
	tests := map[int][]string{}
	require.NoError(t, filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git"):
			return fs.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		for _, m := range name.FindAllSubmatch(source, -1) {
			n, _ := strconv.Atoi(string(m[1])) // three digits
			tests[n] = append(tests[n], path)
		}
		return err
	}))
	for n := 1; n <= attackCases; n++ {
		reason, missing := notYet[n]
		require.Equal(t, !missing, len(tests[n]) > 0, fmt.Sprintf("case %d: a test, or a reason in notYet (%s); found %v", n, reason, tests[n]))
	}
}
