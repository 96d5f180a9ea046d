package bench

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cpu is processor time used so far: by this process, which is the server and
// its clients, and by PostgreSQL. Beside the rate it tells where time goes, and
// it hardly changes when others use the machine.
type cpu struct{ server, postgres time.Duration }

func (c cpu) since(start cpu) cpu { return cpu{c.server - start.server, c.postgres - start.postgres} }

func (c cpu) sum() time.Duration { return c.server + c.postgres }

// used reads the times; PostgreSQL's only where there is a /proc.
func (db *database) used() cpu {
	var own syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &own) // cannot fail with these arguments
	total := cpu{server: time.Duration(own.Utime.Nano() + own.Stime.Nano())}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is valid
	for _, file := range stats {
		data, _ := os.ReadFile(file) // the process may be gone
		// Behind the name in parentheses: state, parent, ..., utime and stime in 1/100 s.
		_, rest, _ := strings.Cut(string(data), ") ")
		if fields := strings.Fields(rest); len(fields) > 12 && fields[1] == db.postmaster {
			user, _ := strconv.Atoi(fields[11])
			system, _ := strconv.Atoi(fields[12])
			total.postgres += time.Duration(user+system) * 10 * time.Millisecond
		}
	}
	return total
}
