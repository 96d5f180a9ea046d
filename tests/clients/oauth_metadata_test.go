package clients

import (
	"net/http"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"github.com/stretchr/testify/require"
)

// TestOAuthMetadata_Strict: at each address of the endpoint the first 401 leads a client that
// takes nothing but what names the very address it connects to (RFC 9728, 3.3) to metadata
// that agrees with the challenge.
func TestOAuthMetadata_Strict(t *testing.T) {
	t.Parallel()
	r := openRemote(t)
	for _, path := range []string{"/mcp", "/mcp/", "/mcp/readonly", "/mcp/p/WEB", "/mcp/p/web/readonly", "/mcp/x/default,attachments"} {
		res, err := http.Post(r.url+path, "application/json", strings.NewReader("{}"))
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusUnauthorized, res.StatusCode, path)
		challenges, err := oauthex.ParseWWWAuthenticate(res.Header.Values("WWW-Authenticate"))
		require.NoError(t, err)
		require.Len(t, challenges, 1)
		metadata, err := oauthex.GetProtectedResourceMetadata(t.Context(), challenges[0].Params["resource_metadata"], r.url+path, http.DefaultClient)
		require.NoError(t, err, path)
		require.Equal(t, []string{r.url}, metadata.AuthorizationServers)
		require.Equal(t, challenges[0].Params["scope"], strings.Join(metadata.ScopesSupported, " "), path)
	}
}
