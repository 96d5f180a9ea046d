package web_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/web"
)

// slowReader is who downloads, and takes nothing until the test says so.
type slowReader struct {
	*httptest.ResponseRecorder
	first       sync.Once
	wrote, take chan struct{}
	deadline    time.Time // of the next write
	late        bool      // the deadline passes
	unlimited   bool      // there was a write without a deadline of its own
}

func (s *slowReader) SetWriteDeadline(at time.Time) error {
	s.deadline = at
	return nil
}

func (s *slowReader) Write(p []byte) (int, error) {
	s.unlimited = s.unlimited || s.deadline.IsZero()
	s.first.Do(func() {
		close(s.wrote)
		<-s.take
	})
	if s.late {
		return 0, os.ErrDeadlineExceeded
	}
	return s.ResponseRecorder.Write(p)
}

// TestAttack091_SlowDownload has owners who ask for all data and then read nothing: the
// database does not wait for them, nor does another tenant.
func TestAttack091_SlowDownload(t *testing.T) { // not parallel: it sets where temporary files are
	b := setup(t, storetest.Options{MaxConns: 4, TenantConns: 1, Wait: 5 * time.Second, Clock: time.Now})
	acme, globex := newOffice(t, b, "acme"), newOffice(t, b, "globex")
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	download := func(late bool) (reader *slowReader, over <-chan any) {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://acme.colaflow.test/api/v1/export", nil)
		req.Header.Set("Authorization", "Bearer "+acme.admin)
		reader = &slowReader{ResponseRecorder: httptest.NewRecorder(), wrote: make(chan struct{}), take: make(chan struct{}), late: late}
		ended := make(chan any, 1)
		go func() {
			defer func() { ended <- recover() }()
			mux := http.NewServeMux()
			b.web.Register(mux)
			mux.ServeHTTP(reader, req)
		}()
		<-reader.wrote
		return reader, ended
	}
	for _, late := range []bool{true, false} {
		reader, over := download(late)
		require.NoError(t, b.db.Read(t.Context(), acme.acme.Scope(), func(tx *store.Tx) error { return tx.Ensure(t.Context()) }), "the tenant's one connection is free")
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, entries, "the file has no name")
		status, body, h := acme.ada.do("GET", "/api/v1/export", "", bearer(acme.admin))
		require.Equal(t, http.StatusTooManyRequests, status, body)
		require.Contains(t, body, `"rate_limited"`)
		require.Equal(t, "10", h.Get("Retry-After"))
		status, body, _ = globex.ada.do("GET", "/api/v1/export", "", bearer(globex.admin))
		require.Equal(t, http.StatusOK, status, body)
		close(reader.take)
		if late {
			require.Equal(t, http.ErrAbortHandler, <-over, "no half of a file looks whole")
			continue
		}
		require.Nil(t, <-over)
		require.False(t, reader.unlimited)
		require.Zero(t, reader.deadline, "the connection may serve on")
		require.Equal(t, reader.Header().Get("Content-Length"), strconv.Itoa(reader.Body.Len()))
	}
	status, body, _ := acme.ada.do("GET", "/api/v1/export", "", bearer(acme.admin))
	require.Equal(t, http.StatusOK, status, body)
}

// TestGate lets one of each tenant in, and two in all.
func TestGate(t *testing.T) {
	t.Parallel()
	enter := web.NewGate(2)
	one, two, three := tenancy.NewID(), tenancy.NewID(), tenancy.NewID()
	leave, err := enter(one, "export")
	require.NoError(t, err)
	_, err = enter(one, "export")
	require.ErrorContains(t, err, "This tenant's export still runs.")
	_, err = enter(two, "export")
	require.NoError(t, err)
	_, err = enter(three, "export")
	require.Equal(t, tenancy.RateLimited, tenancy.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, "This server has no room for one more export just now.")
	leave()
	_, err = enter(three, "export")
	require.NoError(t, err)
}
