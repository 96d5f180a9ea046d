//go:build unix

package embedded

import (
	"os"
	"strings"
)

const (
	logLimit = 10 << 20 // bytes; a longer log is set aside when PostgreSQL starts
	logTail  = 8 << 10  // bytes that are searched for the reason of a failure
)

// openLog opens the log that the keeper and PostgreSQL append to.
func (c Config) openLog() (*os.File, error) {
	if c.logSize() > logLimit {
		if err := os.Rename(c.logFile(), c.logFile()+".1"); err != nil {
			return nil, err
		}
	}
	return openOwned(c.logFile(), os.O_WRONLY|os.O_APPEND)
}

func (c Config) logSize() int64 {
	fi, err := os.Stat(c.logFile())
	if err != nil {
		return 0
	}
	return fi.Size()
}

// logSince returns what was logged after the mark, at most the last bit of it.
func (c Config) logSince(mark int64) string {
	f, err := os.Open(c.logFile())
	if err != nil {
		return ""
	}
	defer f.Close()
	size := c.logSize()
	if size < mark { // a new file
		mark = 0
	}
	buf := make([]byte, min(size-mark, logTail))
	n, _ := f.ReadAt(buf, size-int64(len(buf))) // what cannot be read cannot be shown
	return string(buf[:n])
}

// lastLine returns the line that tells most: the last error, else the last of all.
func lastLine(text string) string {
	var last, failure string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		last = line
		for _, mark := range []string{"FATAL:", "PANIC:", "error:", "postgres: "} {
			if strings.Contains(line, mark) {
				failure = line
			}
		}
	}
	if failure != "" {
		return failure
	}
	return last
}
