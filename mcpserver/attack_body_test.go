package mcpserver_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAttack033_Bodies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token := b.db.Tenant(t, "acme").FullToken(t)
	c := b.client(t, token)
	fits := ping[:len(ping)-1] + strings.Repeat(" ", 1<<20-len(ping)) + "}"
	require.Equal(t, http.StatusOK, c.post(fits).status)
	require.Equal(t, http.StatusRequestEntityTooLarge, c.post(fits+" ").status)
	require.Equal(t, http.StatusRequestEntityTooLarge, c.post(fits, func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(fits+" ")), -1
	}).status, "of a length that it does not say")

	for name, test := range map[string]struct {
		token  string
		length int64
		status int
	}{
		"chunked without an end": {token, -1, http.StatusRequestEntityTooLarge}, "a gigabyte": {token, 1 << 30, http.StatusRequestEntityTooLarge},
		"chunked, of a stranger": {"mcp_acme_" + strings.Repeat("0", 32), -1, http.StatusUnauthorized}, "a gigabyte, of a stranger": {"", 1 << 30, http.StatusRequestEntityTooLarge},
	} {
		body := &endless{}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.http.URL, body)
		require.NoError(t, err)
		req.ContentLength = test.length
		req.Header.Set("Authorization", "Bearer "+test.token)
		if res, err := http.DefaultClient.Do(req); err == nil { // else the server hung up before the client had said it all
			_ = res.Body.Close()
			require.Equal(t, test.status, res.StatusCode, name)
		}
		require.Less(t, body.sent.Load(), int64(32<<20), "%s: what the server read, and what the network holds", name)
	}

	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	_, err := io.CopyN(zip, zeros{}, 256<<20)
	require.NoError(t, err)
	require.NoError(t, zip.Close())
	require.Less(t, bomb.Len(), 1<<20)
	for _, encoding := range []string{"gzip", "GZIP", "deflate", "br", "zstd", "identity, gzip", "identity"} {
		require.Equal(t, http.StatusUnsupportedMediaType, c.post(bomb.String(), header("Content-Encoding", encoding)).status, encoding)
	}
	require.Equal(t, http.StatusBadRequest, c.post(bomb.String()).status, "it says nothing, and nobody looks")
	require.Equal(t, http.StatusNotImplemented, rawStatus(t, b.http, "Transfer-Encoding: gzip, chunked", c.token), "nor as the way it comes")
	require.Equal(t, http.StatusOK, c.post(ping).status)
}

// TestAttack033_SlowLoris sends headers, and then a byte now and then.
func TestAttack033_SlowLoris(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mcp.SetBodyTimeout(300 * time.Millisecond)
	token := b.db.Tenant(t, "acme").FullToken(t)
	require.Equal(t, http.StatusRequestTimeout, rawStatus(t, b.http, "Content-Length: 1000", token))
	require.Equal(t, http.StatusRequestTimeout, rawStatus(t, b.http, "Transfer-Encoding: chunked", token))
}

// rawStatus sends a request that says how its body comes, then a byte now and then, and
// returns the status of the answer.
func rawStatus(t *testing.T, server *httptest.Server, how, token string) int {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n%s\r\n\r\n", token, how)
	require.NoError(t, err)
	go func() {
		trickle := time.NewTicker(50 * time.Millisecond)
		defer trickle.Stop()
		for range trickle.C {
			if _, err := conn.Write([]byte("1")); err != nil { // also the beginning of a chunk's size
				return
			}
		}
	}()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	_ = res.Body.Close()
	return res.StatusCode
}

// endless is a body of a gigabyte that counts what was taken.
type endless struct{ sent atomic.Int64 }

// Read implements io.Reader.
func (e *endless) Read(p []byte) (int, error) {
	if e.sent.Add(int64(len(p))) > 1<<30 {
		return 0, io.EOF
	}
	return zeros{}.Read(p)
}

// zeros are bytes without an end.
type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// call with the inside of its params.
func callParams(inside string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + inside + `}}`
}

// inside a ping's params.
func pingWith(params string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"ping","params":` + params + `}`
}

// misshapen are messages that two readers might read differently, or that would cost too
// much to read.
var misshapen = map[string]string{
	"no JSON": "<xml/>", "two": ping + ping, "two with space": ping + " " + ping, "trailing": ping + "x", "NUL after it": ping + "\x00", "cut": ping[:len(ping)-1],
	"BOM": "\ufeff" + ping, "UTF-16": "\xff\xfe{\x00}\x00", "UTF-16, without a mark": "{\x00}\x00",
	"deep arrays": pingWith(strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)), "deep objects": pingWith(strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000)),
	"deep without an end": pingWith(strings.Repeat("[", 10_000)), "too deep": pingWith(strings.Repeat("[", 40) + strings.Repeat("]", 40)),
	"many keys": pingWith(`{` + manyKeys(60_000) + `}`), "many texts": pingWith(`[` + strings.Repeat(`"",`, 60_000) + `""]`),
	"many numbers": pingWith(`[` + strings.Repeat(`0,`, 60_000) + `0]`), "many nulls": pingWith(`[` + strings.Repeat(`null,`, 60_000) + `null]`),
	"many objects": pingWith(`[` + strings.Repeat(`{},`, 60_000) + `{}]`), "many lists": pingWith(`[` + strings.Repeat(`[],`, 60_000) + `[]]`),
	"twice":              `{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}`,
	"two ids":            `{"jsonrpc":"2.0","id":1,"method":"ping","id":2}`,
	"two params":         `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_me"},"params":{"name":"create_issue"}}`,
	"two versions":       `{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"ping"}`,
	"twice inside":       callParams(`"name":"get_me","name":"create_issue"`),
	"twice escaped":      callParams(`"name":"get_me","n\u0061me":"create_issue"`),
	"twice in arguments": callParams(`"name":"create_issue","arguments":{"project":"WEB","title":"x","project":"API"}`),
	"twice in _meta":     callParams(`"name":"get_me","_meta":{"progressToken":1,"progressToken":2}`),
	"METHOD":             `{"jsonrpc":"2.0","id":1,"METHOD":"ping"}`, "both cases": `{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/list"}`,
	"ID": `{"jsonrpc":"2.0","ID":1,"method":"ping"}`, "JSONRPC": `{"JSONRPC":"2.0","id":1,"method":"ping"}`, "Result": `{"jsonrpc":"2.0","id":1,"method":"ping","Result":{}}`,
	"Params": `{"jsonrpc":"2.0","id":1,"method":"ping","Params":{}}`, "Name": callParams(`"Name":"get_me"`), "Arguments": callParams(`"name":"get_me","Arguments":{}`),
	"URI": `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"colaflow://me","URI":"colaflow://projects"}}`, "_META": callParams(`"name":"get_me","_META":{}`),
	"RequestState": callParams(`"name":"get_me","RequestState":"x"`), "long s": `{"jsonrpc":"2.0","id":1,"method":"ping","param\u017f":{}}`,
	"long s in params": callParams(`"name":"get_me","argument\u017f":{}`), "long s, unescaped": `{"jsonrpc":"2.0","id":1,"method":"ping","paramſ":{}}`,
	"bad UTF-8": pingWith("\"\xff\""), "cut UTF-8": pingWith("\"\xe2\x82\""), "overlong UTF-8": pingWith("\"\xc0\xaf\""), "surrogate in UTF-8": pingWith("\"\xed\xa0\x80\""),
	"high surrogate": pingWith(`"\ud800"`), "low surrogate": pingWith(`"\udc00"`), "surrogates the wrong way": pingWith(`"\udc00\ud800"`), "two high ones": pingWith(`"\ud800\ud800\udc00"`),
	"surrogate in a name": pingWith(`{"\ud800":1}`), "surrogate in arguments": callParams(`"name":"create_issue","arguments":{"project":"WEB","title":"\udfff"}`),
	"surrogate as id": `{"jsonrpc":"2.0","id":"\ud800","method":"ping"}`,
	"raw NUL":         pingWith("\"\x00\""), "raw control character": pingWith("\"\x1f\""), "NUL between": "{\x00" + ping[1:], "form feed between": "{\f" + ping[1:], "no-break space between": "{\u00a0" + ping[1:],
	"batch": `[` + ping + `]`, "empty batch": `[]`, "string": `"ping"`, "number": `1`, "null": `null`, "empty object": `{}`,
	"method null": `{"jsonrpc":"2.0","id":1,"method":null}`, "method number": `{"jsonrpc":"2.0","id":1,"method":1}`, "method list": `{"jsonrpc":"2.0","id":1,"method":["ping"]}`,
	"no method": `{"jsonrpc":"2.0","id":1}`, "no version": `{"id":1,"method":"ping"}`,
	"NaN": pingWith(`NaN`), "Infinity": pingWith(`-Infinity`), "leading zero": pingWith(`01`), "plus": pingWith(`+1`), "hexadecimal": pingWith(`0x1`), "point alone": pingWith(`.5`),
	"comment": `{"jsonrpc":"2.0",/**/"id":1,"method":"ping"}`, "trailing comma": pingWith(`[1,]`), "single quotes": `{'jsonrpc':'2.0','id':1,'method':'ping'}`, "bare name": `{jsonrpc:"2.0","id":1,"method":"ping"}`,
	"bad escape": pingWith(`"\x41"`), "cut escape": pingWith(`"\u00"`),
}

func TestAttack034_ShapesOverHTTP(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	acme.Project(t, "WEB", "Website")
	c := b.client(t, acme.FullToken(t))
	for _, body := range []string{"", "  ", "\n"} {
		require.Equal(t, http.StatusBadRequest, c.post(body).status)
	}
	for name, body := range misshapen {
		res := c.post(body)
		require.Equal(t, http.StatusBadRequest, res.status, "%s: %s", name, res.body)
		require.Regexp(t, `^\{"jsonrpc":"2.0","id":null,"error":\{"code":-32(700|600),`, res.body, name)
	}
	require.Equal(t, http.StatusRequestEntityTooLarge, c.post(pingWith(`{`+manyKeys(1_000_000)+`}`)).status)
	for name, test := range map[string][2]string{
		"NUL":              {`{"project":"WEB","title":"a\u0000b"}`, "invalid_value: "},
		"NUL in a key":     {`{"project":"W\u0000","title":"x"}`, "invalid_value: "},
		"NUL, idempotency": {`{"project":"WEB","title":"x","idempotency_key":"\u0000"}`, "invalid_value: "},
		"NUL in a name":    {`{"project":"WEB","title":"x","\u0000":1}`, "unknown_argument: "},
		"NUL in a list":    {`{"project":"WEB","title":"x","labels":["\u0000"]}`, "invalid_value: "},
		"Project":          {`{"Project":"WEB","title":"x"}`, "unknown_argument: "},
		"both cases":       {`{"project":"WEB","title":"x","Title":"y"}`, "unknown_argument: "},
		"long s":           {`{"project":"WEB","title":"x","statu\u017f":"Done"}`, "unknown_argument: "},
		"huge number":      {`{"project":"WEB","title":"x","points":1e999}`, `"code":-32602`},
		"many digits":      {`{"project":"WEB","title":"x","points":` + strings.Repeat("9", 100_000) + `}`, `"code":-32602`},
		"deep":             {`{"project":"WEB","title":` + strings.Repeat("[", 25) + strings.Repeat("]", 25) + `}`, "invalid_value: "},
		"no object":        {`"WEB"`, "invalid_value: "},
	} {
		require.Contains(t, c.post(callBody("create_issue", test[0])).body, test[1], name)
	}
	require.NotContains(t, b.db.Dump(t, "audit_log"), "\nissues:\n(")
	require.Equal(t, "Safe 👩‍👧 text", c.ok("create_issue", args{"project": "WEB", "title": "Safe\x1b \u200b👩\u200d👧\U000E0041 te\u202ext"})["title"], "case 98")
}

// TestAttack034_ShapesOverStdio: the same at a pipe, each with an answer of one line.
func TestAttack034_ShapesOverStdio(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.stdio(t.Context(), t, b.db.Tenant(t, "acme").FullToken(t))
	for name, line := range misshapen {
		require.Regexp(t, `^\{"jsonrpc":"2.0","id":null,"error":\{"code":-32(700|600),`, s.send(line), name)
	}
	require.JSONEq(t, `{"jsonrpc":"2.0","id":1,"result":{}}`, s.send(ping))
}

// TestAttack034_PeekAndDispatcherAgree names one tool where calls are dispatched by, and
// another wherever else a name may stand: what ran is what was permitted and audited.
func TestAttack034_PeekAndDispatcherAgree(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.db.Tenant(t, "acme")
	for name, test := range map[string]struct{ body, answer, tool, decision string }{
		"uri beside it":       {callParams(`"uri":"colaflow://projects","name":"get_me"`), `\"tenant\"`, "get_me", "allowed"},
		"in arguments":        {callParams(`"name":"get_me","arguments":{"name":"create_project"}`), "unknown_argument", "get_me", "failed"},
		"in _meta":            {callParams(`"_meta":{"name":"create_project"},"name":"get_me"`), `\"tenant\"`, "get_me", "allowed"},
		"beside params":       {`{"jsonrpc":"2.0","name":"create_project","id":1,"method":"tools/call","params":{"name":"get_me"}}`, `\"tenant\"`, "get_me", "allowed"},
		"escaped":             {callParams(`"n\u0061me":"create\u005fproject","arguments":{"name":"x"}`), "forbidden: ", "create_project", "denied"},
		"escaped method":      {`{"jsonrpc":"2.0","id":1,"method":"tools\/c\u0061ll","params":{"name":"create_project","arguments":{"name":"x"}}}`, "forbidden: ", "create_project", "denied"},
		"ref beside it":       {callParams(`"ref":{"type":"ref/prompt","name":"standup"},"name":"create_project"`), "forbidden: ", "create_project", "denied"},
		"in another case":     {callParams(`"name":"Create_Project"`), "is not known", "Create_Project", "failed"},
		"with a space":        {callParams(`"name":"create_project "`), "is not known", "create_project", "failed"},
		"of another type":     {callParams(`"name":["create_project"]`), "expected form", "", "failed"},
		"params are a list":   {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[{"name":"create_project"}]}`, "expected form", "", "failed"},
		"params are a text":   {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":"create_project"}`, "expected form", "", "failed"},
		"a name and its half": {callParams(`"name":"get_me\u0000create_project"`), "is not known", "", "failed"},
	} {
		_, plain := acme.Token(t, name, `{"projects":["read"]}`) // repeated denials of one are one row
		before := len(b.lastAudit(t, 0))
		res := b.client(t, plain).post(test.body)
		require.Contains(t, res.body, test.answer, name)
		rows := b.lastAudit(t, before)
		require.Len(t, rows, 1, name)
		require.Equal(t, test.decision, rows[0].Decision, name)
		if test.tool != "" {
			require.Equal(t, test.tool, strings.TrimSpace(rows[0].Tool), name)
		}
	}
	require.NotContains(t, b.db.Dump(t, "audit_log"), "\nprojects:\n(")
}

func manyKeys(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, `"k%d":1,`, i)
	}
	return s.String() + `"z":1`
}
