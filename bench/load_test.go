package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	conns  = 32
	warmUp = 150 * time.Millisecond
)

// sample is what one round of one case measured.
type sample struct {
	rate     float64 // calls per second
	p50, p99 time.Duration
	cpu      cpu // per call
}

// run keeps a server busy for a while over connections of its own, each with one
// call in flight. request makes the n-th message of a connection. The client is as
// thin as it can be, because it shares the machine: no http.Client.
func (db *database) run(b *testing.B, addr string, lasts time.Duration, request func(conn, n int) []byte) sample {
	b.Helper()
	before := db.used()
	start := time.Now().Add(warmUp)
	end := start.Add(lasts)
	took, made := make([][]time.Duration, conns), make([]int, conns)
	failed := make(chan error, conns)
	var clients sync.WaitGroup
	for c := range conns {
		clients.Go(func() {
			var err error
			next := func(n int) []byte { made[c] = n + 1; return request(c, n) }
			if took[c], err = keepBusy(addr, start, end, next); err != nil {
				failed <- err
			}
		})
	}
	clients.Wait()
	close(failed)
	require.NoError(b, <-failed)
	calls := slices.Concat(took...)
	require.NotEmpty(b, calls)
	slices.Sort(calls)
	each, all := db.used().since(before), 0
	for _, n := range made {
		all += n
	}
	each.server, each.postgres = each.server/time.Duration(all), each.postgres/time.Duration(all)
	return sample{float64(len(calls)) / lasts.Seconds(), calls[len(calls)/2], calls[len(calls)*99/100], each}
}

func keepBusy(addr string, start, end time.Time, request func(n int) []byte) ([]time.Duration, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	in := bufio.NewReaderSize(conn, 32<<10)
	var body bytes.Buffer
	var took []time.Duration
	for n := 0; ; n++ {
		sent := time.Now()
		if sent.After(end) {
			return took, nil
		}
		if err := exchange(conn, in, request(n), &body); err != nil {
			return nil, err
		}
		if done := time.Now(); sent.After(start) && done.Before(end) {
			took = append(took, done.Sub(sent))
		}
	}
}

// exchange sends one request and reads its answer, which must be a success.
func exchange(conn io.Writer, in *bufio.Reader, request []byte, body *bytes.Buffer) error {
	if _, err := conn.Write(request); err != nil {
		return err
	}
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		return err
	}
	body.Reset()
	if _, err := body.ReadFrom(res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK || bytes.Contains(body.Bytes(), []byte(`"isError":true`)) ||
		!bytes.Contains(body.Bytes(), []byte(`"result":`)) {
		return fmt.Errorf("HTTP %d: %s\n%s", res.StatusCode, body, request)
	}
	return nil
}

// median is the sample of which each figure is the median of the rounds.
func median(rounds []sample) sample {
	middle := func(value func(sample) float64) float64 {
		values := make([]float64, len(rounds))
		for i, s := range rounds {
			values[i] = value(s)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return sample{
		rate: middle(func(s sample) float64 { return s.rate }),
		p50:  time.Duration(middle(func(s sample) float64 { return float64(s.p50) })),
		p99:  time.Duration(middle(func(s sample) float64 { return float64(s.p99) })),
		cpu: cpu{
			server:   time.Duration(middle(func(s sample) float64 { return float64(s.cpu.server) })),
			postgres: time.Duration(middle(func(s sample) float64 { return float64(s.cpu.postgres) })),
		},
	}
}
