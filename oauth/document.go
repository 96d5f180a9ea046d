package oauth

import (
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	maxDocument     = 64 << 10
	documentTimeout = 5 * time.Second
)

// document reads a client's metadata document (draft-ietf-oauth-client-id-metadata-document):
// the id is its https URL, and the host vouches for what it says.
func (c *clients) document(ctx context.Context, id string) (client, error) {
	bad := func(why string) (client, error) {
		return client{}, &failure{"invalid_client", "The client " + why + "."}
	}
	u, err := url.Parse(id)
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "" || len(id) > 2_000:
		return bad("is not known, and its id is not an https URL")
	case u.User != nil || strings.Contains(id, "#") || u.Path == "" || u.Path == "/" || hasDots(u.Path):
		return bad("has an id that is not the plain URL of a document")
	}
	ctx, cancel := context.WithTimeout(ctx, documentTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, id, nil)
	if err != nil {
		return bad("has an id that is not a URL")
	}
	req.Header.Set("Accept", "application/json")
	res, err := c.fetch.Do(req)
	if err != nil {
		return bad("has a metadata document that cannot be fetched")
	}
	defer func() { _ = res.Body.Close() }()
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if res.StatusCode != http.StatusOK || kind != "application/json" && !strings.HasSuffix(kind, "+json") {
		return bad("has a metadata document that is not served as JSON with status 200")
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, maxDocument+1))
	var m metadata
	if err != nil || len(data) > maxDocument || json.Unmarshal(data, &m) != nil {
		return bad("has a metadata document that is not a JSON object of at most 64 KiB")
	}
	if m.ClientID != id {
		return bad("has a metadata document that names another client_id")
	}
	if m.AuthMethod != "" && m.AuthMethod != "none" {
		return bad("has a metadata document that wants to authenticate by " + shorten(m.AuthMethod) + "; here it must be none")
	}
	found, err := m.client()
	if err != nil {
		return bad("has a metadata document that is not valid: " + err.Error())
	}
	found.ID, found.Host = id, u.Hostname()
	return found, nil
}

// hasDots reports whether a path leads up or stays, in one of its segments.
func hasDots(path string) bool {
	return slices.ContainsFunc(strings.Split(path, "/"), func(segment string) bool { return segment == "." || segment == ".." })
}
