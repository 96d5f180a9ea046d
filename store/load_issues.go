package store

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
)

// loadedIssue is where an issue of the dataset is, or will be, in the project.
type loadedIssue struct {
	id       uuid.UUID
	number   int
	present  bool
	comments map[string]bool // external ids of those that are there
}

// findIssues reads which issues and comments of the source are there already.
func (l *loader) findIssues(ctx context.Context) error {
	if l.report.ProjectCreated {
		return nil
	}
	byID := map[uuid.UUID]*loadedIssue{}
	err := l.tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`select i.id, i.number, i.external_id from issues i
			where i.tenant_id = $1 and i.project_id = $2 and i.external_source = $3`, scope.Tenant, l.project.ID, l.data.Source).
			Query(func(rows pgx.Rows) error {
				for rows.Next() {
					i := &loadedIssue{present: true, comments: map[string]bool{}}
					var external string
					if err := rows.Scan(&i.id, &i.number, &external); err != nil {
						return err
					}
					l.issues[external], byID[i.id] = i, i
				}
				return rows.Err()
			})
		b.Queue(`select c.issue_id, c.external_id from comments c join issues i on i.tenant_id = $1 and i.id = c.issue_id
			where c.tenant_id = $1 and c.external_id is not null and i.project_id = $2 and i.external_source = $3`,
			scope.Tenant, l.project.ID, l.data.Source).
			Query(func(rows pgx.Rows) error {
				for rows.Next() {
					var issue uuid.UUID
					var external string
					if err := rows.Scan(&issue, &external); err != nil {
						return err
					}
					byID[issue].comments[external] = true
				}
				return rows.Err()
			})
		b.Queue(`select distinct l.label from issue_labels l where l.tenant_id = $1 and l.project_id = $2`, scope.Tenant, l.project.ID).
			Query(func(rows pgx.Rows) error {
				for rows.Next() {
					var label string
					if err := rows.Scan(&label); err != nil {
						return err
					}
					l.spelling[strings.ToLower(label)] = label
				}
				return rows.Err()
			})
	})
	return err
}

// numberIssues gives every new issue its id and number. The source's numbers are
// kept where no other issues are in the project; else the project's next follow.
func (l *loader) numberIssues(ctx context.Context) error {
	var total, foreign, next int
	err := l.tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`select count(*), count(*) filter (where i.external_source is distinct from $3) from issues i
			where i.tenant_id = $1 and i.project_id = $2`, scope.Tenant, l.project.ID, l.data.Source).
			QueryRow(func(row pgx.Row) error { return row.Scan(&total, &foreign) })
		b.Queue(`select p.next_number from projects p where p.tenant_id = $1 and p.id = $2`, scope.Tenant, l.project.ID).
			QueryRow(scalar(&next))
	})
	if err != nil {
		return err
	}
	keep := foreign == 0 && (total > 0 || next == 1)
	taken := map[int]bool{}
	for _, i := range l.issues {
		taken[i.number] = true
	}
	var unnumbered []*loadedIssue
	for n := range l.data.Issues {
		from := &l.data.Issues[n]
		if l.issues[from.ExternalID] != nil {
			continue
		}
		i := &loadedIssue{id: tenancy.NewID()}
		l.issues[from.ExternalID] = i
		if keep && from.Number > 0 && !taken[from.Number] {
			i.number = from.Number
			next = max(next, i.number+1)
		} else {
			unnumbered = append(unnumbered, i)
		}
	}
	for _, i := range unnumbered {
		i.number = next
		next++
	}
	l.report.NumbersKept = len(unnumbered) == 0
	return l.tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`update projects set next_number = $3 where tenant_id = $1 and id = $2`, scope.Tenant, l.project.ID, next)
	})
}

// writeIssues writes new issues with their history, and new comments of all.
func (l *loader) writeIssues(ctx context.Context) error {
	order, err := l.data.ParentsFirst()
	if err != nil {
		return err
	}
	labels := map[string]bool{}
	for n, from := range order {
		i := l.issues[from.ExternalID]
		row := tracker.Issue{ID: i.id, ProjectID: l.project.ID, Key: tracker.IssueKey{Project: l.project.Key, Number: i.number}}
		if i.present {
			l.report.Issues.Present++
		} else {
			l.report.Issues.Added++
			if row, err = l.writeIssue(ctx, from, row); err != nil {
				return err
			}
			for _, label := range row.Labels {
				labels[label] = true
			}
			if row.Category.Closed() {
				l.report.Closed++
			} else {
				l.report.Open++
			}
		}
		if err := l.writeComments(ctx, from, i, row); err != nil {
			return err
		}
		if l.opt.Progress != nil && (l.queued == 0 || n == len(order)-1) {
			l.opt.Progress(int64(n+1), int64(len(order)))
		}
	}
	if l.report.Issues.Present > 0 {
		l.report.Notes.Add("", "Issues that were there already kept their fields; only new comments were added to them.")
	}
	if l.report.Issues.Added > 0 && !l.report.NumbersKept {
		l.report.Notes.Add("", "Issues got new numbers, because others have theirs in this project; the source's ids are kept beside them.")
	}
	l.report.Labels = len(labels)
	return nil
}

// writeIssue replays an issue's revisions into its row and its events.
func (l *loader) writeIssue(ctx context.Context, from *dataset.Issue, row tracker.Issue) (tracker.Issue, error) {
	row.ReporterID, row.CreatedAt, row.UpdatedAt = l.members[from.Reporter].ID, from.CreatedAt(), from.UpdatedAt
	var history []Query
	for n, r := range from.Revisions {
		next := l.apply(from, row, r)
		events := tracker.Diff(row, next)
		if n == 0 {
			events = []tracker.Event{tracker.Created(next)}
		}
		row = next
		if r.At.After(row.UpdatedAt) {
			row.UpdatedAt = r.At
		}
		l.report.Events += len(events)
		history = append(history, InsertEvents(l.project.ID, events, l.author(r.By, r.At)))
	}
	for _, c := range from.Comments {
		if c.At.After(row.UpdatedAt) {
			row.UpdatedAt = c.At
		}
	}
	row.Version = len(from.Revisions)
	external := NewIssue{Issue: row, ExternalSource: l.data.Source, ExternalID: from.ExternalID}
	err := l.queue(ctx, 1+len(row.Labels), InsertIssues([]NewIssue{external}))
	for _, q := range history {
		if err == nil {
			err = l.queue(ctx, 1, q)
		}
	}
	return row, err
}

func (l *loader) writeComments(ctx context.Context, from *dataset.Issue, i *loadedIssue, row tracker.Issue) error {
	var last time.Time
	for _, c := range from.Comments {
		if i.comments[c.ExternalID] {
			l.report.Comments.Present++
			continue
		}
		l.report.Comments.Added++
		l.report.Events++
		last = c.At
		comment := tracker.Comment{ID: tenancy.NewID(), IssueID: i.id, Body: c.Body}
		if err := l.queue(ctx, 2, InsertComment(row, comment, c.ExternalID, l.author(c.Author, c.At))); err != nil {
			return err
		}
	}
	if !i.present || last.IsZero() {
		return nil
	}
	return l.queue(ctx, 1, touchSince([]uuid.UUID{i.id}, Author{At: last}))
}
