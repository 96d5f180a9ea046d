package web

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"embed"
	"fmt"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// dist is the console as `make console` builds it, committed so that a build of the
// program needs Go alone.
//
//go:embed all:dist
var dist embed.FS

// consolePaths are the addresses that the console shows a view for. Its router has the
// same ones, which a test checks.
var consolePaths = []string{"/{$}", "/welcome", "/tokens", "/tokens/{id}", "/activity", "/members", "/settings", "/sso", "/account",
	"/projects", "/projects/{key}", "/issues", "/issues/{key}", "/reports", "/pages"}

// console serves the built console.
type console struct {
	index []byte // with noncePlace where the answer's nonce goes
	files map[string]asset
}

// asset is a file, and the same for who takes it compressed.
type asset struct{ plain, gzipped []byte }

// noncePlace is what vite writes where a nonce belongs.
const noncePlace = "CSP_NONCE"

func newConsole() (console, error) {
	index, err := dist.ReadFile("dist/index.html")
	if err != nil {
		return console{}, fmt.Errorf("open the console: %w; run: make console", err)
	}
	c := console{index, map[string]asset{}}
	entries, err := dist.ReadDir("dist/assets")
	if err != nil {
		return console{}, fmt.Errorf("open the console's files: %w", err)
	}
	for _, e := range entries {
		content, err := dist.ReadFile("dist/assets/" + e.Name())
		if err != nil {
			return console{}, fmt.Errorf("open the console's file: %w", err)
		}
		gzipped, err := compress(content)
		if err != nil {
			return console{}, err
		}
		c.files[e.Name()] = asset{content, gzipped}
	}
	return c, nil
}

func compress(content []byte) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(content); err != nil {
		return nil, fmt.Errorf("compress a file of the console: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compress a file of the console: %w", err)
	}
	return b.Bytes(), nil
}

func (c console) register(handle func(string, http.HandlerFunc)) {
	for _, p := range consolePaths {
		handle("GET "+p, c.page)
	}
	handle("GET /assets/{file}", c.file)
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
	w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
	_, _ = w.Write(bytes.ReplaceAll(c.index, []byte(noncePlace), []byte(nonce)))
}

// file serves one whose name holds a hash of what is in it.
func (c console) file(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	a, ok := c.files[name]
	if !ok {
		writeJSON(w, http.StatusNotFound, map[string]string{"error": "not_found", "message": "There is no such file. Reload the page."})
		return
	}
	h := w.Header()
	h.Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		a.plain = a.gzipped
	}
	h.Set("Content-Length", strconv.Itoa(len(a.plain)))
	_, _ = w.Write(a.plain)
}
