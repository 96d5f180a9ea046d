package jira_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
	"github.com/colaflow/colaflow/tracker/dataset/jira"
)

func read(t testing.TB, file string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	require.NoError(t, err)
	return string(data)
}

func readChecked(t *testing.T, in string) *dataset.Dataset {
	t.Helper()
	d, err := jira.ReadCSV(strings.NewReader(in))
	require.NoError(t, err)
	d.Project.Key = "SHOP"
	require.NoError(t, d.Check())
	return d
}

func at(day, hour, minute int) time.Time {
	return time.Date(2026, 1, day, hour, minute, 0, 0, time.UTC)
}

func notes(d *dataset.Dataset) string {
	var lines []string
	for _, n := range d.Notes {
		lines = append(lines, n.String())
	}
	return strings.Join(lines, "\n")
}

func TestReadCSV_Cloud(t *testing.T) {
	t.Parallel()
	d := readChecked(t, read(t, "cloud.csv"))
	require.Equal(t, "jira", d.Source)
	require.Equal(t, "Shop", d.Project.Name)
	require.Equal(t, []string{"Task", "Bug", "Subtask", "Epic", "Story"}, d.Project.IssueTypes)
	require.Equal(t, []string{"To Do", "In Progress", "QA", "Done", "Cancelled"}, d.Project.Workflow.Names())
	require.Equal(t, []dataset.Person{{Handle: "mira.holm", Name: "Mira Holm"}, {Handle: "tomo.arai", Name: "Tomo Arai"},
		{Handle: "tomo.arai-2", Name: "Tomo Arai"}, {Handle: "712020:cc", Name: "712020:cc"}}, d.People)
	require.Len(t, d.Issues, 4)
	epic, story, bug, dark := d.Issues[0], d.Issues[1], d.Issues[2], d.Issues[3]

	require.Equal(t, "Pay in three steps.\n\n* address\n* payment", epic.Now().Body)
	require.Equal(t, []string{"To Do", "In Progress"}, []string{epic.Revisions[0].Status.Name, epic.Now().Status.Name})
	require.Equal(t, at(12, 10, 30), epic.Revisions[1].At)

	now := story.Now()
	require.Equal(t, "Pay by card, or not", now.Title)
	require.Equal(t, []string{"SHOP-1", "Sprint 2", "tomo.arai", "Story"}, []string{now.Parent, now.Sprint, now.Assignee, now.Type})
	require.Equal(t, []string{"Payments", "mobile"}, now.Labels)
	require.Equal(t, 3.0, *now.Points)
	require.Equal(t, tracker.Urgent, now.Priority)
	require.Equal(t, at(31, 0, 0), *now.DueDate)
	require.Equal(t, []time.Time{at(6, 9, 0), at(16, 16, 10)}, []time.Time{story.Revisions[0].At, story.Revisions[1].At})
	require.Equal(t, tracker.Done, now.Status.Category)
	require.Equal(t, []dataset.Comment{
		{ExternalID: "tomo.arai@2026-01-15T08:00:00Z", Author: "tomo.arai", Body: "Half done; the rest tomorrow.", At: at(15, 8, 0)},
		{ExternalID: "712020:cc@2026-01-16T16:15:00Z", Author: "712020:cc", Body: "Tested,\nworks.", At: at(16, 16, 15)},
	}, story.Comments)

	require.Equal(t, []string{"QA", "tomo.arai-2", ""}, []string{bug.Now().Status.Name, bug.Now().Assignee, bug.Now().Parent})
	require.Equal(t, "no time here", bug.Comments[0].Body)
	require.Equal(t, tracker.Cancelled, dark.Now().Status.Category)
	require.Equal(t, []string{"Subtask", "SHOP-2"}, []string{dark.Now().Type, dark.Now().Parent})
	require.Equal(t, tracker.Low, dark.Now().Priority)
	require.Equal(t, []dataset.Link{{From: "SHOP-3", Relation: tracker.Blocks, To: "SHOP-2", At: at(7, 9, 0)}}, d.Links)
	require.Equal(t, 5, dark.Number)
	for _, want := range []string{
		"Columns that were not imported: Project key, Last Viewed, Votes, Outward issue link (Cloners), Custom field (Team).",
		`Priority "Weird" is not known and became medium. (line 8 (SHOP-3))`,
		`Issues resolved as "Won't Do" became cancelled. (line 9 (SHOP-5))`,
		"A comment without time and author got those of the issue's last update and nobody. (line 8 (SHOP-3))",
		"A parent that is not in the file was left out. (line 8 (SHOP-3))",
		"they were imported as planned. (Sprint 2)",
	} {
		require.Contains(t, notes(d), want)
	}
}

func TestReadCSV_ServerDayFirst(t *testing.T) {
	t.Parallel()
	d := readChecked(t, read(t, "server.csv"))
	task, epic := d.Issues[0], d.Issues[1]
	require.Equal(t, time.Date(2026, 2, 3, 8, 30, 0, 0, time.UTC), task.CreatedAt())
	require.Equal(t, time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC), *task.Now().DueDate)
	require.Equal(t, 2.5, *task.Now().Points)
	require.Equal(t, "OPS-12", task.Now().Parent)
	require.Equal(t, tracker.Todo, epic.Now().Status.Category)
	require.Equal(t, dataset.Person{Handle: "kit", Name: "kit", Email: "kit@acme.test"}, d.People[0])
	require.Equal(t, "kit", task.Comments[0].Author)
	require.Len(t, d.People, 2)
	require.Empty(t, notes(d))
}

func TestReadCSV_Dates(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 2, 1, 15, 4, 0, 0, time.UTC)
	for _, text := range []string{"01/Feb/26 3:04 PM", "1/feb/26 3:04 pm", "01/Feb/2026 15:04", "2026-02-01 15:04", "2026-02-01 15:04:00.0", "2026-02-01T15:04:00.000+0000",
		"2026-02-01T16:04:00+01:00", "Feb 1, 2026, 3:04 PM", "1 Feb 2026 15:04", "01.02.2026 15:04", "1/2/2026 15:04", "01/02/26 3:04 PM", "01-02-2026 15:04:00"} {
		d := readChecked(t, "Issue key,Summary,Status,Created\nA-1,x,Open,\""+text+"\"\n")
		require.Equal(t, want, d.Issues[0].CreatedAt(), text)
	}
	american := readChecked(t, "Issue key,Summary,Status,Created,Updated\nA-1,x,Open,2/1/2026 15:04,2/13/2026 15:04\n")
	require.Equal(t, want, american.Issues[0].CreatedAt(), "another date of the file shows that the month comes first")
	require.Empty(t, notes(american))
	guessed := readChecked(t, "Issue key,Summary,Status,Created\nA-1,x,Open,1/2/2026\n")
	require.Contains(t, notes(guessed), "were read as day/month/year")
}

func TestReadCSV_SeveralProjects(t *testing.T) {
	t.Parallel()
	d := readChecked(t, "Issue key,Summary,Status,Created\nA-1,x,Open,2026-02-01\nB_C-1,y,Open,2026-02-01\n")
	require.Equal(t, []int{0, 0}, []int{d.Issues[0].Number, d.Issues[1].Number})
	require.Equal(t, "B_C-1", d.Issues[1].ExternalID)
	require.Contains(t, notes(d), "issues of several projects")
}

func TestReadCSV_Categories(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]tracker.Category{"Open": tracker.Todo, "Selected for Development": tracker.Todo, "Reopened": tracker.Todo, "In Review": tracker.InProgress,
		"Ready for QA": tracker.InProgress, "Released": tracker.Done, "Won't Do": tracker.Cancelled, "Rejected": tracker.Cancelled} {
		d := readChecked(t, "Issue key,Summary,Status,Created\nA-1,x,"+status+",2026-02-01\n")
		require.Equal(t, want, d.Issues[0].Now().Status.Category, status)
	}
	d := readChecked(t, "Issue key,Summary,Status,Created,Resolved\nA-1,x,Shelf,2026-02-01,2026-02-02\n")
	require.Equal(t, tracker.Done, d.Issues[0].Now().Status.Category, "resolved, whatever the status is called")
}

func TestReadCSV_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	const head = "Issue key,Summary,Status,Created,Custom field (Story Points),Due date\n"
	for name, c := range map[string]struct{ in, want string }{
		"Empty":     {"", "The file is empty. Export from Jira"},
		"NoColumns": {"Summary,Issue key\n", "The file has no column Status, Created in its first line."},
		"NotCSV":    {"{\"issues\":[]}", `Line 1, column 2 is not CSV: bare " in non-quoted-field.`},
		"Fields":    {head + "A-1,x,Open,2026-01-05,,\nA-2,y\n", "Line 3, column 1 is not CSV: wrong number of fields."},
		"Quote":     {head + "A-1,\"x,Open,2026-01-05,,\n", "is not CSV: extraneous or missing \" in quoted-field."},
		"NoKey":     {head + ",x,Open,2026-01-05,,\n", `line 2, field Issue key: "" is not a project key, a hyphen and a number.`},
		"BadKey":    {head + "A1,x,Open,2026-01-05,,\n", `line 2 (A1), field Issue key: "A1" is not`},
		"NoStatus":  {head + "A-1,x,,2026-01-05,,\n", `line 2 (A-1), field Status: "" is empty.`},
		"NoTime":    {head + "A-1,x,Open,,,\n", `line 2 (A-1), field Created: "" is empty.`},
		"BadTime":   {head + "A-1,x,Open,2026-01-05,,\nA-2,y,Open,gestern,,\n", `line 3 (A-2), field Created: "gestern" is not a date that Jira writes`},
		"BadDue":    {head + "A-1,x,Open,2026-01-05,,32/13/2026\n", `line 2 (A-1), field Due date: "32/13/2026" is not a date`},
		"BadPoints": {head + "A-1,x,Open,2026-01-05,many,\n", `line 2 (A-1), field Story Points: "many" is not a number.`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := jira.ReadCSV(strings.NewReader(c.in))
			require.ErrorContains(t, err, c.want)
			require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err))
			require.Nil(t, d)
		})
	}
	d, err := jira.ReadCSV(strings.NewReader(head + "A-1,x,Open,2026-01-05,,\nA-1,y,Open,2026-01-05,,\n"))
	require.NoError(t, err)
	d.Project.Key = "AA"
	require.ErrorContains(t, d.Check(), `line 3 (A-1) has the same id "A-1" as line 2 (A-1).`)
}

func FuzzReadCSV(f *testing.F) {
	for _, file := range []string{"cloud.csv", "server.csv"} {
		f.Add(read(f, file))
	}
	f.Add("Issue key;Summary;Status;Created\nA-1;\"x\";;1/2/3\n")
	f.Add("Issue key,Summary,Status,Created,Comment,Parent,Sprint\nA-1,x,Open,2026-01-01,;;,A-1,next\n")
	f.Fuzz(func(t *testing.T, in string) {
		d, err := jira.ReadCSV(strings.NewReader(in))
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
		}
	})
}

func TestReadCSV_Tabs(t *testing.T) {
	t.Parallel()
	d := readChecked(t, "Issue key\tSummary\tStatus\tCreated\nA-1\tOne, two; three\tOpen\t2026-02-01\n")
	require.Equal(t, "One, two; three", d.Issues[0].Now().Title)
}

func TestReadCSV_Links(t *testing.T) {
	t.Parallel()
	d := readChecked(t, "Issue key,Summary,Status,Created,Inward issue link (Duplicate),Outward issue link (Relates),Outward issue link (Relates),Inward issue link (Blocks)\n"+
		"A-1,x,Open,2026-02-01,A-2,a-2,A-3,\n"+
		"A-2,y,Open,2026-02-02,,A-1,,A-3\n"+
		"A-3,z,Open,2026-02-03,,,,A-2\n")
	second, third := time.Date(2026, 2, 2, 0, 0, 0, 0, time.UTC), time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC)
	require.Equal(t, []dataset.Link{
		{From: "A-2", Relation: tracker.Duplicates, To: "A-1", At: second},
		{From: "A-1", Relation: tracker.RelatesTo, To: "A-2", At: second},
		{From: "A-1", Relation: tracker.RelatesTo, To: "A-3", At: third},
		{From: "A-3", Relation: tracker.Blocks, To: "A-2", At: third},
	}, d.Links, "both ends name a link, which is kept once; the one that closes a circle is dropped")
	require.Contains(t, notes(d), "circle of blocks")
}

func TestReadCSV_History(t *testing.T) {
	t.Parallel()
	const head = "Issue key,Summary,Status,Status Category,Created,Updated,Resolved,Status Category Changed\n"
	for name, c := range map[string]struct {
		row   string
		moves []string
	}{
		"Todo":              {"A-1,x,Open,To Do,2026-01-05,2026-01-09,,2026-01-06", []string{"05 Open"}},
		"InProgress":        {"A-1,x,Doing,In Progress,2026-01-05,2026-01-09,,2026-01-06", []string{"05 To Do", "06 Doing"}},
		"InProgressNoTime":  {"A-1,x,Doing,In Progress,2026-01-05,2026-01-09,,", []string{"05 Doing"}},
		"Done":              {"A-1,x,Shipped,Done,2026-01-05,2026-01-09,2026-01-08,2026-01-07", []string{"05 To Do", "08 Shipped"}},
		"DoneNoResolved":    {"A-1,x,Shipped,Done,2026-01-05,2026-01-09,,2026-01-07", []string{"05 To Do", "07 Shipped"}},
		"DoneUpdatedOnly":   {"A-1,x,Shipped,Done,2026-01-05,2026-01-09,,", []string{"05 To Do", "09 Shipped"}},
		"ResolvedTooEarly":  {"A-1,x,Shipped,Done,2026-01-05,2026-01-09,2026-01-02,", []string{"05 To Do", "05 Shipped"}},
		"CategoryIsCancels": {"A-1,x,Rejected,Done,2026-01-05,2026-01-09,2026-01-08,", []string{"05 To Do", "08 Rejected"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := readChecked(t, head+c.row+"\n")
			var moves []string
			for _, r := range d.Issues[0].Revisions {
				moves = append(moves, r.At.Format("02 ")+r.Status.Name)
			}
			require.Equal(t, c.moves, moves)
		})
	}
}

func TestReadCSV_ReservedSprintAndEpicLink(t *testing.T) {
	t.Parallel()
	d := readChecked(t, "Issue key,Summary,Status,Created,Sprint,Sprint,Custom field (Epic Link)\n"+
		"A-1,Epic,Open,2026-02-01,,,\nA-2,x,Open,2026-02-01,One,Backlog,a-1\n")
	require.Equal(t, "Backlog sprint", d.Issues[1].Now().Sprint)
	require.Equal(t, "Backlog sprint", d.Sprints[0].Name)
	require.Equal(t, "A-1", d.Issues[1].Now().Parent)
}

func TestReadCSV_PeopleOfSeveralAddresses(t *testing.T) {
	t.Parallel()
	d := readChecked(t, "Issue key,Summary,Status,Created,Assignee,Reporter,Comment\n"+
		"A-1,x,Open,2026-02-01,kit@acme.test,kit@globex.test,\"2026-02-02 10:00;kit@globex.test;Hi; there.\"\n")
	require.Equal(t, []dataset.Person{{Handle: "kit", Name: "kit", Email: "kit@acme.test"}, {Handle: "kit-2", Name: "kit", Email: "kit@globex.test"}}, d.People)
	require.Equal(t, []string{"kit", "kit-2", "kit-2"}, []string{d.Issues[0].Now().Assignee, d.Issues[0].Reporter, d.Issues[0].Comments[0].Author})
	require.Equal(t, "Hi; there.", d.Issues[0].Comments[0].Body)
}
