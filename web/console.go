package web

import (
	"bytes"
	"crypto/rand"
	"embed"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
)

// dist is the console as `make console` builds it, committed so that a build of the
// program needs Go alone.
//
//go:embed all:dist
var dist embed.FS

// consolePaths are the addresses that the console shows a view for. Its router has the
// same ones, which a test checks.
var consolePaths = []string{"/{$}", "/welcome", "/tokens", "/tokens/{id}", "/activity", "/members", "/settings", "/sso", "/account",
	"/projects", "/projects/{key}", "/issues", "/issues/{key}", "/pages"}

// console serves the built console.
type console struct {
	index []byte // with noncePlace where the answer's nonce goes
	files fs.FS  // the folder assets
}

// noncePlace is what vite writes where a nonce belongs.
const noncePlace = "CSP_NONCE"

func newConsole() (console, error) {
	files, err := fs.Sub(dist, "dist/assets")
	if err != nil {
		return console{}, fmt.Errorf("open the console: %w", err)
	}
	index, err := dist.ReadFile("dist/index.html")
	if err != nil {
		return console{}, fmt.Errorf("open the console: %w; run: make console", err)
	}
	return console{index, files}, nil
}

func (c console) register(mux *http.ServeMux, guard func(http.HandlerFunc) http.HandlerFunc) {
	for _, p := range consolePaths {
		mux.HandleFunc("GET "+p, guard(c.page))
	}
	mux.HandleFunc("GET /assets/{file}", guard(c.asset))
}

// consoleCSP lets the console run its own scripts and speak with its own server. The
// nonce is for the styles with which its dialogs keep the page behind from scrolling.
const consoleCSP = "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-%s'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// page serves the one page of the console, whatever view its address names.
func (c console) page(w http.ResponseWriter, _ *http.Request) {
	nonce := rand.Text()
	secured(w, "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", fmt.Sprintf(consoleCSP, nonce))
	_, _ = w.Write(bytes.ReplaceAll(c.index, []byte(noncePlace), []byte(nonce)))
}

// asset serves a file whose name holds a hash of what is in it.
func (c console) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	content, err := fs.ReadFile(c.files, name)
	if err != nil {
		writeJSON(w, http.StatusNotFound, map[string]string{"error": "not_found", "message": "There is no such file. Reload the page."})
		return
	}
	h := w.Header()
	h.Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(content)
}
