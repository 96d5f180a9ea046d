package github_test

import (
	"io"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
	"github.com/colaflow/colaflow/tracker/dataset/github"
)

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	require.NoError(t, err)
	return string(data)
}

func checked(t *testing.T, d *dataset.Dataset, err error) *dataset.Dataset {
	t.Helper()
	require.NoError(t, err)
	d.Project.Key = "WEB"
	require.NoError(t, d.Check())
	return d
}

func TestReadArchive(t *testing.T) {
	t.Parallel()
	d, err := github.ReadArchive(strings.NewReader(read(t, "small.archive.json")), false)
	checked(t, d, err)
	require.Equal(t, "github:acme/web-shop", d.Source)
	require.Equal(t, "Web-Shop", d.Project.Name)
	require.Equal(t, []dataset.Person{{Handle: "mira", Name: "mira"}, {Handle: "tomo", Name: "tomo"}, {Handle: "ghost", Name: "ghost"}}, d.People)
	require.Len(t, d.Issues, 2)

	cart := d.Issues[0]
	require.Equal(t, 2, cart.Number)
	require.Equal(t, "Bug", cart.Now().Type)
	require.Equal(t, "mira", cart.Reporter)
	require.Equal(t, "tomo", cart.Now().Assignee)
	require.Equal(t, "Add two items.\n\n| item | price |\n|---|---|\n| tea | 3 € |", cart.Now().Body)
	require.Equal(t, tracker.Todo, cart.Revisions[0].Status.Category)
	require.Equal(t, tracker.Done, cart.Now().Status.Category)
	require.Equal(t, time.Date(2026, 1, 8, 15, 30, 0, 0, time.UTC), cart.Revisions[1].At)
	require.Len(t, cart.Comments, 2)
	require.Equal(t, "tomo@2026-01-06T10:00:00Z", cart.Comments[0].ExternalID)

	require.Len(t, d.Issues[1].Revisions, 1)
	require.Empty(t, d.Issues[1].Reporter)
	require.Equal(t, "Only the first of several assignees was kept. (issue record 1 (#2))", d.Notes[0].String())
	require.Equal(t, "Labels that are on no issue were left out. (wontfix)", d.Notes[1].String())
}

func TestReadArchive_Pulls(t *testing.T) {
	t.Parallel()
	d, err := github.ReadArchive(strings.NewReader(read(t, "small.archive.json")), true)
	checked(t, d, err)
	require.Len(t, d.Issues, 5)
	merged, given, open := d.Issues[2], d.Issues[3], d.Issues[4]
	require.Equal(t, []string{"Pull request", "Done", "mira"}, []string{merged.Now().Type, merged.Now().Status.Name, merged.Revisions[1].By})
	require.Len(t, merged.Comments, 3, "a comment, a review with a text, and a remark in it")
	require.Equal(t, "mira", merged.Comments[1].Author)
	require.Equal(t, tracker.Cancelled, given.Now().Status.Category)
	require.Equal(t, tracker.InProgress, open.Now().Status.Category)
	require.Equal(t, tracker.InProgress, merged.Revisions[0].Status.Category, "it was worked on until it was merged")
	require.Contains(t, d.Project.IssueTypes, "Pull request")
}

func TestReadList(t *testing.T) {
	t.Parallel()
	d, err := github.ReadList(strings.NewReader(read(t, "small.list.json")))
	checked(t, d, err)
	require.Equal(t, "github:acme/web-shop", d.Source, "the same as the archive's, so that one can follow the other")
	require.Len(t, d.Issues, 3)
	first := d.Issues[0]
	require.Equal(t, []string{"Bug", "milestone: Spring sale"}, first.Now().Labels)
	require.Equal(t, "Bug", first.Now().Type)
	require.Equal(t, dataset.Person{Handle: "tomo", Name: "Tomo Arai"}, d.People[1])
	require.Equal(t, "kit@2026-01-12T08:00:00Z", first.Comments[0].ExternalID)
	require.Equal(t, tracker.Cancelled, d.Issues[1].Now().Status.Category)
	require.Equal(t, tracker.Todo, d.Issues[2].Now().Status.Category)
	require.Equal(t, "app/robot", d.Issues[2].Reporter)
}

func TestReadList_OtherHost(t *testing.T) {
	t.Parallel()
	d, err := github.ReadList(strings.NewReader(strings.ReplaceAll(read(t, "small.list.json"), "github.com", "git.acme.test")))
	checked(t, d, err)
	require.Equal(t, "github:git.acme.test/acme/web-shop", d.Source)
	require.Equal(t, "web-shop", d.Project.Name)
}

func archive(r io.Reader) (*dataset.Dataset, error) { return github.ReadArchive(r, true) }

func TestRead_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	const good = `{"number":1,"title":"x","state":"OPEN","createdAt":"2026-01-05T09:00:00Z","url":"https://github.com/a/b/issues/1"}`
	for name, c := range map[string]struct {
		read func(io.Reader) (*dataset.Dataset, error)
		in   string
		want string
	}{
		"Empty":            {archive, ``, "The file ends in the middle of: The archive."},
		"OtherFormat":      {archive, `[]`, `The archive does not begin with "{". Check that --format`},
		"NoRepo":           {archive, `{"issues":[]}`, `does not name its "repo"`},
		"Truncated":        {archive, `{"repo":"a/b","issues":[{"number":1,`, "The file ends in the middle of: issue record 1."},
		"TruncatedList":    {archive, `{"repo":"a/b","issues":[` + good, "The file ends in the middle of"},
		"NotJSON":          {archive, `{"repo":"a/b","issues":[` + good + `,{"number":}]}`, "issue record 2 is not JSON"},
		"WrongType":        {archive, `{"repo":"a/b","issues":[{"number":"one"}]}`, `issue record 1: the field "number" is a string.`},
		"WrongNestedType":  {archive, `{"repo":"a/b","issues":[{"number":1,"comments":[{"body":7}]}]}`, `the field "comments.body" is a number.`},
		"NotAList":         {archive, `{"repo":"a/b","pulls":{}}`, `The list of pulls does not begin with "["`},
		"BadTime":          {archive, `{"repo":"a/b","issues":[{"number":1,"createdAt":"yesterday"}]}`, `issue record 1 (#1): createdAt "yesterday" is not a time.`},
		"BadCommentTime":   {archive, `{"repo":"a/b","issues":[` + strings.Replace(good, "{", `{"comments":[{"createdAt":"x"}],`, 1) + `]}`, `issue record 1 (#1), comment 1: createdAt "x"`},
		"NoNumber":         {archive, `{"repo":"a/b","issues":[{"title":"x"}]}`, "issue record 1 has no number."},
		"NoTime":           {archive, `{"repo":"a/b","issues":[{"number":1,"state":"OPEN"}]}`, "issue record 1 (#1) has no createdAt."},
		"BadState":         {archive, strings.Replace(`{"repo":"a/b","issues":[`+good+`]}`, "OPEN", "AJAR", 1), `the state "AJAR" is not OPEN or CLOSED`},
		"Trailing":         {archive, `{"repo":"a/b","issues":[]} {}`, "More data follows at byte"},
		"ListOtherFormat":  {github.ReadList, `{"repo":"a/b"}`, `The list of issues does not begin with "["`},
		"ListEmpty":        {github.ReadList, `[]`, "The file holds no issues."},
		"ListNoURL":        {github.ReadList, strings.Replace("["+good+"]", "url", "id", 1), "issue record 1 has no url of an issue. Export with: gh issue list"},
		"ListTwoRepos":     {github.ReadList, "[" + good + "," + strings.Replace(good, "a/b", "a/c", 1) + "]", "issue record 2 is of a/c, the ones before of a/b."},
		"ListMissingField": {github.ReadList, strings.Replace("["+good+"]", "number", "num", 1), `issue record 1 has no number. Export with the field "number".`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := c.read(strings.NewReader(c.in))
			require.ErrorContains(t, err, c.want)
			require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err))
			require.Nil(t, d)
		})
	}
}

func FuzzReadArchive(f *testing.F) {
	seed(f, "small.archive.json")
	f.Fuzz(func(t *testing.T, data string) { fuzz(t, data, archive) })
}

func FuzzReadList(f *testing.F) {
	seed(f, "small.list.json")
	f.Fuzz(func(t *testing.T, data string) { fuzz(t, data, github.ReadList) })
}

func seed(f *testing.F, file string) {
	data, err := os.ReadFile("testdata/" + file)
	require.NoError(f, err)
	f.Add(string(data))
	f.Add(string(data[:len(data)/2]))
	f.Add(`{"repo":"a/b","issues":[{"number":1,"state":"CLOSED","createdAt":"2026-01-05T09:00:00Z"}],"pulls":[null]}`)
	f.Add(`[{"number":-1,"url":"https://github.com/a/b/issues/1","author":7}]`)
	f.Add(`[[[[`)
}

// fuzz asserts that a reader answers with a dataset or with an error that a
// person can act on, and that what passes the check is clean.
func fuzz(t *testing.T, data string, read func(io.Reader) (*dataset.Dataset, error)) {
	d, err := read(strings.NewReader(data))
	if err == nil {
		d.Project.Key = "FUZZ"
		err = d.Check()
	}
	if err != nil {
		require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err), err)
		return
	}
	for _, i := range d.Issues {
		require.Equal(t, tracker.CleanLine(i.Now().Title), i.Now().Title)
		require.NotEmpty(t, i.ExternalID)
	}
}

// list reads one gh record with these fields changed; an empty value removes one.
func list(t *testing.T, change map[string]string) (*dataset.Dataset, error) {
	t.Helper()
	fields := map[string]string{"number": "1", "title": `"x"`, "state": `"CLOSED"`, "createdAt": `"2026-01-05T09:00:00Z"`,
		"updatedAt": `"2026-01-07T09:00:00+02:00"`, "closedAt": `"2026-01-06T09:00:00Z"`, "url": `"https://github.com/a/b/issues/1"`}
	maps.Copy(fields, change)
	var parts []string
	for name, value := range fields {
		if value != "" {
			parts = append(parts, `"`+name+`":`+value)
		}
	}
	return github.ReadList(strings.NewReader("[{" + strings.Join(parts, ",") + "}]"))
}

func TestReadList_ClosedWhen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change map[string]string
		want   string
	}{
		"ClosedAt": {nil, "2026-01-06T09:00:00Z"},
		"Updated":  {map[string]string{"closedAt": "null"}, "2026-01-07T07:00:00Z"},
		"Created":  {map[string]string{"closedAt": "", "updatedAt": ""}, "2026-01-05T09:00:00Z"},
	} {
		d, err := list(t, c.change)
		checked(t, d, err)
		require.Equal(t, c.want, d.Issues[0].Revisions[1].At.Format(time.RFC3339), name)
	}
}

func TestReadList_URLs(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"https://github.com/a/b/issues/1":      "github:a/b",
		"https://github.com/A/B.c/pull/1":      "github:a/b.c",
		"https://git.test:8443/a/b/issues/1/":  "github:git.test:8443/a/b",
		"https://github.com/a/issues/1":        "",
		"https://github.com//b/issues/1":       "",
		"/a/b/issues/1":                        "",
		"https://github.com/%zz/b/issues/1":    "",
		"https://github.com/a/b/issues/1/more": "",
	} {
		d, err := list(t, map[string]string{"url": `"` + url + `"`})
		if want == "" {
			require.ErrorContains(t, err, "has no url of an issue", url)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, want, d.Source, url)
	}
}

func TestReadList_TextIsCleaned(t *testing.T) {
	t.Parallel()
	d, err := list(t, map[string]string{"title": `"Pay\u200bment\u202e\n now"`, "body": `"a\r\nb\u0007\udb40\udc41"`, "milestone": `{"title":"Q1\n"}`,
		"labels": `[{"name":"Bug"},{"name":"bug"},{"name":"` + strings.Repeat("l", 80) + `"}]`})
	checked(t, d, err)
	now := d.Issues[0].Now()
	require.Equal(t, "Payment now", now.Title)
	require.Equal(t, "a\nb", now.Body)
	require.Len(t, now.Labels, 3)
	require.Contains(t, now.Labels, "milestone: Q1")
	require.Equal(t, "A label of more than 60 characters was cut. (issue record 1 (#1))", d.Notes[0].String())
}
