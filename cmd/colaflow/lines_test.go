package main

import (
	"bytes"
	"sync"
)

// lines is a writer that keeps what was written and hands out each line.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
	rest []byte
	each chan string
}

func newLines() *lines { return &lines{each: make(chan string, 1000)} }

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(p)
	l.rest = append(l.rest, p...)
	for {
		line, rest, found := bytes.Cut(l.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		l.rest = rest
		select {
		case l.each <- string(line):
		default: // nobody reads along any more
		}
	}
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
