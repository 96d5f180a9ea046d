package storetest

import (
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Proxy is a way to the database that a test can freeze or break.
type Proxy struct {
	DSN string // as the runtime role, by way of the proxy

	socket string
	frozen atomic.Bool
	down   atomic.Bool
	pumps  sync.WaitGroup
	mu     sync.Mutex
	open   map[net.Conn]bool
}

// Proxy forwards a loopback port to the server's socket until the test ends.
func (db *DB) Proxy(t testing.TB) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	base, _, _ := strings.Cut(db.AppDSN, "?")
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	p := &Proxy{DSN: base + "?host=127.0.0.1&port=" + port + "&sslmode=disable", socket: db.socket, open: map[net.Conn]bool{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			p.forward(client)
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
		p.Break()
		p.pumps.Wait()
	})
	return p
}

// Freeze swallows what comes in either direction; connections stay open and silent.
func (p *Proxy) Freeze() { p.frozen.Store(true) }

// Break ends every connection and lets none come up until Mend, as if the server
// had stopped.
func (p *Proxy) Break() {
	p.down.Store(true)
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.open {
		_ = conn.Close()
	}
}

// Mend undoes Break.
func (p *Proxy) Mend() { p.down.Store(false) }

func (p *Proxy) forward(client net.Conn) {
	server, err := net.DialTimeout("unix", p.socket, 10*time.Second)
	if err != nil || p.down.Load() {
		_ = client.Close()
		if err == nil {
			_ = server.Close()
		}
		return
	}
	p.mu.Lock()
	p.open[client], p.open[server] = true, true
	p.mu.Unlock()
	p.pumps.Add(2)
	go p.pump(client, server)
	go p.pump(server, client)
}

func (p *Proxy) pump(from, to net.Conn) {
	defer p.pumps.Done()
	defer func() {
		_, _ = from.Close(), to.Close()
		p.mu.Lock()
		delete(p.open, from)
		p.mu.Unlock()
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if p.frozen.Load() {
			continue
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}
