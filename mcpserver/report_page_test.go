package mcpserver_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker/report"
)

var look = flag.String("look", "", "directory to write every page to, to look at them")

// TestGetReport_Page puts every report as a page: whole, plain HTML with nothing
// that a strict content security policy refuses.
func TestGetReport_Page(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn, c := loadDemo(t, b)
	require.Contains(t, c.fails("unavailable", "get_report", args{"type": "workload", "page": true}), "Pages are not served here")
	old := c.ok("get_report", args{"type": "aging_wip", "project": []string{"WEB"}, "detail": "table"})["table"].(map[string]any)["rows"].([]any)[0].([]any)[0]
	c.ok("update_issue", args{"key": old, "title": `<script>alert("1")</script>`})

	id := tenancy.NewID()
	put := map[string]string{}
	_, server := b.serve(t, mcpserver.Config{Store: b.db.Store, Tokens: b.auth, PutPage: func(_ context.Context, tenant tenancy.TenantID, title string, content []byte, by string) (mcpserver.PutPageResult, error) {
		require.Equal(t, tn.ID, tenant)
		require.Equal(t, "ada@acme.test", by)
		put[title] = string(content)
		return mcpserver.PutPageResult{ID: id, Link: "https://colaflow.test/p/x", ExpiresAt: storetest.Now.Add(time.Hour)}, nil
	}})
	c = &client{t: t, url: server.URL, token: c.token}
	for _, name := range report.TypeNames() {
		before := len(put)
		short := c.ok("get_report", args{"type": name, "project": []string{"WEB"}, "page": true})
		require.Equal(t, "https://colaflow.test/p/x", short["page"].(map[string]any)["link"])
		require.NotContains(t, short, "table", "the page has it")
		require.Len(t, put, before+1)
	}
	for title, page := range put {
		require.Contains(t, page, "<title>"+title+" - ColaFlow</title>")
		require.Contains(t, page, "<h2>Numbers</h2>")
		require.Contains(t, page, "Data of 1")
		require.NotRegexp(t, `(?i)<script|<link|<iframe|<img|style=|href=|src=|url\(|\son[a-z]+=|ZgotmplZ|NaN`, page, title)
		if *look != "" {
			require.NoError(t, os.WriteFile(filepath.Join(*look, title+".html"), []byte(page), 0o644))
		}
	}
	require.Contains(t, put["Aging work in progress: WEB"], "&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;")
	require.Contains(t, put["Sprint burndown: WEB Sprint 14"], "<svg ")
	require.Contains(t, b.db.Dump(t), id.String(), "the audit log names the page")

	_, plain := tn.Token(t, "reports", `{"reports":["read"],"only_projects":["WEB"]}`)
	limited := &client{t: t, url: server.URL, token: plain}
	limited.ok("get_report", args{"type": "aging_wip", "page": true})
	require.NotContains(t, put["Aging work in progress: WEB"], "script", "a page shows no more than its maker may see")
}
