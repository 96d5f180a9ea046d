package dataset_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
)

var (
	day  = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	open = tracker.StatusValue{Name: "To Do", Category: tracker.Todo}
	done = tracker.StatusValue{Name: "Done", Category: tracker.Done}
)

// setup returns a small dataset that is in order: an epic, its child, a third.
func setup() *dataset.Dataset {
	d := &dataset.Dataset{Source: "test", Project: dataset.Project{Key: "WEB", Name: "Website"}}
	ada := d.AddPerson("Ada", "Ada Byron", "ada@acme.test")
	for n, title := range []string{"Epic", "Child", "Third"} {
		state := dataset.State{Title: title, Status: open}
		if n == 1 {
			state.Parent = "1"
		}
		d.Issues = append(d.Issues, dataset.Issue{ExternalID: string(rune('1' + n)), Number: n + 1, Reporter: ada,
			Revisions: []dataset.Revision{{At: day.AddDate(0, 0, n), By: ada, State: state}}})
	}
	return d
}

func texts(d *dataset.Dataset) string {
	var all []string
	for _, n := range d.Notes {
		all = append(all, n.String())
	}
	return strings.Join(all, "\n")
}

func TestCheck_FillsDefaults(t *testing.T) {
	t.Parallel()
	d := setup()
	require.NoError(t, d.Check())
	require.Empty(t, d.Notes)
	require.Equal(t, "basic", d.Project.Template)
	require.Equal(t, "UTC", d.Project.Timezone)
	now := d.Issues[0].Now()
	require.Equal(t, "Task", now.Type)
	require.Equal(t, tracker.Medium, now.Priority)
	require.Equal(t, "issue 1", d.Issues[0].Place)
}

func TestCheck_CleansAndCuts(t *testing.T) {
	t.Parallel()
	d := setup()
	i := &d.Issues[0]
	i.Revisions[0].Title = "Pay\u200bment \x1b[31m" + strings.Repeat("x", 600)
	i.Revisions[0].Body = "one\r\ntwo" + strings.Repeat("é", tracker.MaxBody)
	i.Revisions[0].Labels = []string{"Bug", "bug", " a  b ", strings.Repeat("l", 70)}
	i.Revise(day.Add(time.Hour), "ada", func(s *dataset.State) { s.Status = done })
	i.Comments = []dataset.Comment{{Author: "ada", Body: "\u202e", At: day}, {Author: "ada", Body: "later", At: day.Add(2)}, {Author: "ada", Body: "sooner", At: day}}
	require.NoError(t, d.Check())
	now := i.Now()
	require.Equal(t, tracker.MaxTitle, utf8.RuneCountInString(now.Title))
	require.True(t, strings.HasPrefix(now.Title, "Payment [31mxx"), now.Title)
	require.LessOrEqual(t, utf8.RuneCountInString(now.Body), tracker.MaxBody)
	require.True(t, strings.HasPrefix(now.Body, "one\ntwoé"))
	require.True(t, strings.HasSuffix(now.Body, "[Cut on import: the source has 100007 characters here.]"))
	require.Equal(t, i.Revisions[0].Body, now.Body)
	require.Len(t, now.Labels, 3)
	require.Equal(t, []string{"sooner", "later"}, []string{i.Comments[0].Body, i.Comments[1].Body})
	require.Equal(t, "ada@2026-01-05T09:00:00Z", i.Comments[0].ExternalID)
	require.Contains(t, texts(d), "A title of more than 500 characters was cut. (issue 1)")
	require.Contains(t, texts(d), "A body of more than 100000 characters was cut; its end says so. (issue 1)")
	require.Contains(t, texts(d), "An empty comment was left out. (issue 1)")

	before := texts(d)
	require.NoError(t, d.Check(), "a second check changes nothing")
	require.Equal(t, before, texts(d))
	require.Equal(t, now, i.Now())
}

func TestCheck_CommentsOfOneMoment(t *testing.T) {
	t.Parallel()
	d := setup()
	d.Issues[0].Comments = []dataset.Comment{{Author: "ada", Body: "one", At: day}, {Author: "ada", Body: "two", At: day}, {Body: "three", At: day}}
	require.NoError(t, d.Check())
	c := d.Issues[0].Comments
	require.Equal(t, []string{"ada@2026-01-05T09:00:00Z", "ada@2026-01-05T09:00:00Z#2", "?@2026-01-05T09:00:00Z"},
		[]string{c[0].ExternalID, c[1].ExternalID, c[2].ExternalID})
}

func TestCheck_MendsWithNotes(t *testing.T) {
	t.Parallel()
	points, late := 5000.0, time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)
	d := setup()
	d.Issues[2].Revisions[0].Parent = "77"
	d.Issues[2].Revisions[0].Points = &points
	d.Issues[2].Revisions[0].DueDate = &late
	d.Issues[2].Revise(day.AddDate(-1, 0, 0), "", func(s *dataset.State) { s.Status = done })
	d.Links = []dataset.Link{
		{From: "1", Relation: tracker.Blocks, To: "3", By: "nobody"}, {From: "1", Relation: tracker.Blocks, To: "3"},
		{From: "3", Relation: tracker.Blocks, To: "2"}, {From: "2", Relation: tracker.Blocks, To: "1"},
		{From: "1", Relation: tracker.RelatesTo, To: "2"}, {From: "2", Relation: tracker.RelatesTo, To: "1"},
		{From: "1", Relation: tracker.Blocks, To: "99"}, {From: "1", Relation: tracker.ChildOf, To: "2"},
	}
	require.NoError(t, d.Check())
	third := d.Issues[2]
	require.Empty(t, third.Now().Parent)
	require.Nil(t, third.Now().Points)
	require.Nil(t, third.Now().DueDate)
	require.Equal(t, third.CreatedAt(), third.Revisions[1].At)
	require.Len(t, d.Links, 3)
	require.Equal(t, dataset.Link{From: "1", Relation: tracker.Blocks, To: "3", At: third.CreatedAt()}, d.Links[0])
	for _, want := range []string{"parent that is not in the file", "Points that are not", "due date", "dated before", "circle of blocks",
		"link to an issue that is not", "unknown kind"} {
		require.Contains(t, texts(d), want)
	}
}

func TestCheck_Refuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*dataset.Dataset)
		want  string
	}{
		"Key":          {func(d *dataset.Dataset) { d.Project.Key = "web" }, `Project key "web"`},
		"Template":     {func(d *dataset.Dataset) { d.Project.Template = "waterfall" }, `Template "waterfall"`},
		"Timezone":     {func(d *dataset.Dataset) { d.Project.Timezone = "Mars/Base" }, `Time zone "Mars/Base"`},
		"NoID":         {func(d *dataset.Dataset) { d.Issues[1].ExternalID = "" }, "issue 2 has no id"},
		"SameID":       {func(d *dataset.Dataset) { d.Issues[1].ExternalID = "1" }, `issue 1 has the same id "1" as issue 1`},
		"SameNumber":   {func(d *dataset.Dataset) { d.Issues[1].Number = 3 }, "issue 3 has the same number 3 as issue 2"},
		"HugeNumber":   {func(d *dataset.Dataset) { d.Issues[1].Number = 1_000_000_000 }, "it must be from 1 to 999999999"},
		"NoState":      {func(d *dataset.Dataset) { d.Issues[1].Revisions = nil }, "issue 2 has no state"},
		"NoTime":       {func(d *dataset.Dataset) { d.Issues[1].Revisions[0].At = time.Time{} }, "issue 2 has no time of creation"},
		"BadUpdate":    {func(d *dataset.Dataset) { d.Issues[1].UpdatedAt = day.AddDate(9000, 0, 0) }, "issue 2 has a time of update"},
		"EmptyTitle":   {func(d *dataset.Dataset) { d.Issues[1].Revisions[0].Title = " \u200b" }, "issue 2 has an empty title"},
		"NoStatus":     {func(d *dataset.Dataset) { d.Issues[1].Revisions[0].Status.Category = "x" }, "issue 2 has no status"},
		"Priority":     {func(d *dataset.Dataset) { d.Issues[1].Revisions[0].Priority = 9 }, "issue 2 has the unknown priority 9"},
		"Reporter":     {func(d *dataset.Dataset) { d.Issues[1].Reporter = "eve" }, `issue 2 names "eve"`},
		"Actor":        {func(d *dataset.Dataset) { d.Issues[1].Revisions[0].By = "eve" }, `issue 2 names "eve"`},
		"Assignee":     {func(d *dataset.Dataset) { d.Issues[1].Revisions[0].Assignee = "eve" }, `issue 2 names "eve"`},
		"Commenter":    {func(d *dataset.Dataset) { d.Issues[1].Comments = []dataset.Comment{{Author: "eve"}} }, `comment of "eve"`},
		"CommentTime":  {func(d *dataset.Dataset) { d.Issues[1].Comments = []dataset.Comment{{Body: "x"}} }, "comment without a time"},
		"Sprint":       {func(d *dataset.Dataset) { d.Issues[1].Revisions[0].Sprint = "S1" }, `in the sprint "S1", which is not there`},
		"ParentCircle": {func(d *dataset.Dataset) { d.Issues[0].Revisions[0].Parent = "2" }, "is its own ancestor"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := setup()
			c.spoil(d)
			err := d.Check()
			require.ErrorContains(t, err, c.want)
			require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err))
		})
	}
	d := setup()
	d.Source = ""
	require.ErrorContains(t, d.Check(), "names no source")
}

func TestParentsFirst(t *testing.T) {
	t.Parallel()
	d := setup()
	d.Issues[0].Revisions[0].Parent = "3"
	order, err := d.ParentsFirst()
	require.NoError(t, err)
	require.Equal(t, []string{"Third", "Epic", "Child"}, []string{order[0].Now().Title, order[1].Now().Title, order[2].Now().Title})
}

func TestAddPerson(t *testing.T) {
	t.Parallel()
	var d dataset.Dataset
	require.Empty(t, d.AddPerson(" \u200b ", "Nobody", ""))
	require.Equal(t, "ada.byron", d.AddPerson("Ada Byron", "", ""))
	require.Equal(t, "ada.byron", d.AddPerson("ada  byron", "Ada Byron", "ada@acme.test"))
	require.Equal(t, []dataset.Person{{Handle: "ada.byron", Name: "Ada Byron", Email: "ada@acme.test"}}, d.People)
}

func TestNotes_StayShort(t *testing.T) {
	t.Parallel()
	var n dataset.Notes
	for k := range 1000 {
		n.Add("row", "Something happened.")
		n.Add("row", strings.Repeat("x", k))
	}
	require.Len(t, n, 100)
	require.Equal(t, "Something happened. (row, row, row and 997 more)", n[0].String())
	require.Equal(t, "There was more to note than fits here. (row, row, row and 899 more)", n[99].String())
}

func TestReport_WriteTo(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	r := dataset.Report{Project: "WEB", ProjectCreated: true, DryRun: true, Issues: dataset.Count{Added: 3, Present: 1}, Open: 2, Closed: 1, Labels: 4}
	r.Notes.Add("row 7", "Something was left out.")
	_, err := r.WriteTo(&b)
	require.NoError(t, err)
	require.Equal(t, "Would import into new project WEB:\n       3 issues (2 open, 1 closed, 4 labels), 1 were there already\n"+
		"Note: Something was left out. (row 7)\n", b.String())
}
