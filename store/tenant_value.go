package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/report"
)

type (
	makeRow  func(*importer, value) []any
	checkRow func(value) error
)

// text is what a JSON string says; empty for anything else.
func text(v jsontext.Value) string {
	if v.Kind() != '"' {
		return ""
	}
	plain, _ := jsontext.AppendUnquote(nil, v) // it was read as JSON
	return string(plain)
}

// argument is a JSON value as PostgreSQL reads it, in its text form. Null in a
// column of JSON is no value: we never store the JSON null.
func argument(v jsontext.Value, kind string) (any, error) {
	switch v.Kind() {
	case 'n':
		return nil, nil
	case '{', '[':
		if kind != "jsonb" {
			return nil, errors.New("holds an object or a list")
		}
	case '"':
		if kind == "jsonb" {
			break
		}
		plain := text(v)
		if strings.Contains(plain, "\x00") {
			return nil, errors.New("holds the character NUL")
		}
		return plain, nil
	}
	return string(v), nil
}

// checkMember refuses people whom nobody could name or address.
func checkMember(v value) error {
	handle, email := v.text("handle"), v.text("email")
	if handle == "" || handle != strings.ToLower(handle) {
		return errors.New("handle is empty or not in lower case")
	}
	if email != "" && (email != strings.ToLower(email) || !strings.Contains(email, "@")) {
		return errors.New("email is not an address in lower case")
	}
	return nil
}

// checkSnapshot refuses scopes of sprints that reports could not read.
func checkSnapshot(v value) error {
	items := map[uuid.UUID]report.Item{}
	if err := json.Unmarshal(v.raw("items"), &items); err != nil || items == nil {
		return errors.New("items is not the scope of a sprint")
	}
	for _, i := range items {
		if !slices.Contains(tracker.Categories(), i.Category) {
			return errors.New("items holds an issue without a known category")
		}
	}
	return nil
}

// checkProject refuses projects in which no issue could be made.
func checkProject(v value) error {
	if err := tracker.CheckProjectKey(v.text("key")); err != nil {
		return errors.New("key is not the key of a project")
	}
	if _, err := time.LoadLocation(v.text("timezone")); err != nil {
		return errors.New("timezone is not known")
	}
	var week tracker.Week
	if days := v.raw("working_days"); days.Kind() != 'n' && json.Unmarshal(days, &week) != nil {
		return errors.New("working_days is not a list of weekdays")
	}
	var types []string
	if err := json.Unmarshal(v.raw("issue_types"), &types); err != nil || len(types) == 0 {
		return errors.New("issue_types is not a list of names")
	}
	var w tracker.Workflow
	if err := json.Unmarshal(v.raw("workflow"), &w); err != nil || len(w.Statuses) == 0 {
		return errors.New("workflow has no statuses")
	}
	for _, s := range w.Statuses {
		if s.Name == "" || !slices.Contains(tracker.Categories(), s.Category) {
			return errors.New("workflow has a status without a name or a known category")
		}
	}
	return nil
}

// wholeness is what foreign keys do not say: each finds rows that must not be, as
// the tokens of a project would see what is of another.
var wholeness = map[string]string{
	"issue_labels.jsonl holds labels of another project than that of their issue": `select from issue_labels x join issues i on i.tenant_id = $1
		and i.id = x.issue_id where x.tenant_id = $1 and x.project_id <> i.project_id`,
	"comments.jsonl holds comments of another project than that of their issue": `select from comments x join issues i on i.tenant_id = $1
		and i.id = x.issue_id where x.tenant_id = $1 and x.project_id <> i.project_id`,
	"comments.jsonl holds answers to comments of another issue": `select from comments x join comments c on c.tenant_id = $1
		and c.id = x.reply_to where x.tenant_id = $1 and x.issue_id <> c.issue_id`,
	"worklogs.jsonl holds work on another project than that of its issue": `select from worklogs x join issues i on i.tenant_id = $1
		and i.id = x.issue_id where x.tenant_id = $1 and x.project_id <> i.project_id`,
	"attachments.jsonl holds files of another project than that of their issue": `select from attachments x join issues i on i.tenant_id = $1
		and i.id = x.issue_id where x.tenant_id = $1 and x.project_id <> i.project_id`,
	"attachments.jsonl holds files whose contents are not what their checksums say": `select from attachments x
		where x.tenant_id = $1 and x.sha256 <> sha256(x.content)`,
	"issue_events.jsonl holds events of another project than that of their issue": `select from issue_events x join issues i on i.tenant_id = $1
		and i.id = x.issue_id where x.tenant_id = $1 and x.project_id <> i.project_id`,
	"issue_links.jsonl holds links of other projects than those of their issues": `select from issue_links x
		join issues a on a.tenant_id = $1 and a.id = x.from_id join issues b on b.tenant_id = $1 and b.id = x.to_id
		where x.tenant_id = $1 and (x.project_id <> a.project_id or x.to_project_id <> b.project_id)`,
	"issues.jsonl holds issues in a sprint of another project": `select from issues x join sprints s on s.tenant_id = $1 and s.id = x.sprint_id
		where x.tenant_id = $1 and x.project_id <> s.project_id`,
	"issues.jsonl holds issues under a parent of another project": `select from issues x join issues p on p.tenant_id = $1 and p.id = x.parent_id
		where x.tenant_id = $1 and x.project_id <> p.project_id`,
	"projects.jsonl holds projects whose next number is taken": `select from issues x join projects p on p.tenant_id = $1 and p.id = x.project_id
		where x.tenant_id = $1 and (x.number < 1 or x.number >= p.next_number)`,
	"sprint_snapshots.jsonl holds scopes of sprints of another project": `select from sprint_snapshots x join sprints s on s.tenant_id = $1
		and s.id = x.sprint_id where x.tenant_id = $1 and x.project_id <> s.project_id`,
	"tenant_settings.jsonl does not hold one row": `select where (select count(*) from tenant_settings where tenant_id = $1) <> 1`,
}

// checkWhole refuses rows that contradict each other.
func (im *importer) checkWhole(ctx context.Context) error {
	broken := map[string]*bool{}
	err := im.tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue("discard plans")
		for what, sql := range wholeness {
			broken[what] = new(bool)
			b.Queue(`select exists (`+sql+`)`, scope.Tenant).QueryRow(scalar(broken[what]))
		}
	})
	if err != nil {
		return fmt.Errorf("check the import: %w", err)
	}
	for what, found := range broken {
		if *found {
			return tenancy.Errorf(tenancy.InvalidValue, "The export contradicts itself: %s.", what).
				WithNext("Nothing was imported: the file was changed after its export.")
		}
	}
	return nil
}
