package clients

import (
	"bytes"
	"net/http"
	"os/exec"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// allTools asks for every toolset.
type allTools struct{ way http.RoundTripper }

func (a allTools) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-MCP-Toolsets", "all")
	return a.way.RoundTrip(r)
}

// TestFiles_Largest: the largest file there may be goes there and back on every way, byte
// by byte, in both eras.
func TestFiles_Largest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token := b.office(t, "acme").agent
	want := bytes.Repeat([]byte{0xff, 0xd8, 0xff, 0, '<', '\n', '"'}, 700<<10/7)
	for name, protocol := range map[string]string{"modern": modern, "legacy": legacy} {
		for _, way := range []string{"http", "stdio", "bridge"} {
			t.Run(name+"/"+way, func(t *testing.T) {
				var transport mcp.Transport = &mcp.StreamableClientTransport{Endpoint: b.url, HTTPClient: &http.Client{Transport: allTools{bearer{b.way, token}}}}
				if way != "http" {
					cmd := exec.CommandContext(t.Context(), b.bin, "stdio", "--toolsets", "all")
					cmd.Env = b.stdio(way, token)
					transport = overPipes(cmd)
				}
				session, err := mcp.NewClient(&mcp.Implementation{Name: "go-sdk", Version: "1.8.0"}, nil).Connect(t.Context(), transport, &mcp.ClientSessionOptions{ProtocolVersion: protocol})
				require.NoError(t, err)
				made, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "add_attachment", Arguments: args{"key": "WEB-1", "name": name + way + ".jpg", "data": want}})
				require.NoError(t, err)
				require.False(t, made.IsError, "%+v", made.Content)
				read, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "get_attachment", Arguments: args{"id": made.StructuredContent.(args)["id"]}})
				require.NoError(t, err)
				require.Len(t, read.Content, 2)
				image := read.Content[1].(*mcp.ImageContent)
				require.Equal(t, "image/jpeg", image.MIMEType)
				require.True(t, bytes.Equal(want, image.Data))
				require.NoError(t, session.Close())
			})
		}
	}
}
