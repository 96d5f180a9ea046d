package web

import "net/http"

// SlugOf is the tenant that a request to an installation at base names.
func SlugOf(base string, r *http.Request) (slug string, ok bool) { return hostBase(base).slug(r) }
