package clientconfig

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tailscale/hujson"
)

func TestMerge(t *testing.T) {
	t.Parallel()
	entry := httpEntry{"http", "http://x/mcp?a&b", map[string]string{"A": "b"}}
	for _, test := range []struct{ name, before, after string }{
		{"empty", "", `{
  "servers": {
    "colaflow": {
      "type": "http",
      "url": "http://x/mcp?a&b",
      "headers": {
        "A": "b"
      }
    }
  }
}
`},
		{"others stay, byte for byte", "{\n\t\"theme\" : \"dark\",   // mine\n\t\"servers\": { \"other\": {\"url\": \"http://y\"} /* keep */ },\n}\n",
			"{\n\t\"theme\" : \"dark\",   // mine\n\t\"servers\": { \"other\": {\"url\": \"http://y\"}, /* keep */\n\t\t\"colaflow\": {\n\t\t\t\"type\": \"http\",\n\t\t\t\"url\": \"http://x/mcp?a&b\",\n\t\t\t\"headers\": {\n\t\t\t\t\"A\": \"b\"\n\t\t\t}\n\t\t}\n\t},\n}\n"},
		{"trailing comma and comment behind it", "{\n  \"servers\": {\n    \"other\": {}, // last\n  }\n}",
			"{\n  \"servers\": {\n    \"other\": {}, // last\n    \"colaflow\": {\n      \"type\": \"http\",\n      \"url\": \"http://x/mcp?a&b\",\n      \"headers\": {\n        \"A\": \"b\"\n      }\n    },\n  }\n}"},
		{"replaced in place", "{\"servers\": {\"colaflow\": {\"old\": 1}, \"other\": 2}} // end\n",
			"{\"servers\": {\"colaflow\": {\n      \"type\": \"http\",\n      \"url\": \"http://x/mcp?a&b\",\n      \"headers\": {\n        \"A\": \"b\"\n      }\n    }, \"other\": 2}} // end\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			after, replaced, err := merge([]byte(test.before), "servers", "colaflow", entry)
			require.NoError(t, err)
			require.Equal(t, test.after, string(after))
			require.Equal(t, test.name == "replaced in place", replaced)
			again, replaced, err := merge(after, "servers", "colaflow", entry)
			require.NoError(t, err)
			require.True(t, replaced)
			require.Equal(t, string(after), string(again), "twice changes nothing")
		})
	}
}

func TestMerge_Refuses(t *testing.T) {
	t.Parallel()
	for before, want := range map[string]string{
		`{"servers": {`:           "it is not valid JSON",
		`[1]`:                     "it does not hold a JSON object",
		`{"servers": []}`:         `its "servers" is not an object`,
		"\xef\xbb\xbf{}":          "it is not valid JSON",
		`{"servers": {}} {"a":1}`: "it is not valid JSON",
	} {
		_, _, err := merge([]byte(before), "servers", "colaflow", 1)
		require.ErrorContains(t, err, want, before)
	}
}

// FuzzMerge checks that nothing is lost, whatever the file looks like.
func FuzzMerge(f *testing.F) {
	for _, seed := range []string{"", "{}", `{"a":1,}`, "{/**/}", `{"servers":{"x":1,/**/},//
}`, "{\"servers\":{},\r\n}", `{"servers":{"colaflow":{}}}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, before string) {
		after, _, err := merge([]byte(before), "servers", "colaflow", "new")
		if err != nil {
			t.Skip()
		}
		read := func(text []byte) map[string]any {
			standard, err := hujson.Standardize(text)
			require.NoError(t, err, "%q", text)
			var v map[string]any
			require.NoError(t, json.Unmarshal(standard, &v), "%q", text)
			return v
		}
		want := map[string]any{}
		if strings.Trim(before, " \t\r\n") != "" {
			want = read([]byte(before))
		}
		servers, ok := want["servers"].(map[string]any)
		if !ok {
			servers = map[string]any{}
		}
		servers["colaflow"] = "new"
		want["servers"] = servers
		require.Equal(t, want, read(after), "%q became %q", before, after)
	})
}
