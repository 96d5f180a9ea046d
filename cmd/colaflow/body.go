package main

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// bodyTime is how long the body of a request may take to arrive.
const bodyTime = 15 * time.Second

// boundBodies ends requests whose body does not arrive in time, whoever waits for it:
// also the server itself, which reads what a handler leaves. A request whose body is
// there may take as long as it takes.
func boundBodies(next http.Handler, within time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			deadlines := http.NewResponseController(w)
			if deadlines.SetReadDeadline(time.Now().Add(within)) == nil {
				r = r.WithContext(r.Context()) // the server must know its own body again
				r.Body = &boundBody{r.Body, deadlines}
			}
		}
		next.ServeHTTP(w, r)
	})
}

// boundBody lifts the deadline when all of the body is there.
type boundBody struct {
	io.ReadCloser
	deadlines *http.ResponseController
}

func (b *boundBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		_ = b.deadlines.SetReadDeadline(time.Time{})
	}
	return n, err
}
