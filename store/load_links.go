package store

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
)

// writeLinks adds the links of new issues. Between issues that were both there
// before, what people did with their links since then stands.
func (l *loader) writeLinks(ctx context.Context) error {
	for _, link := range l.data.Links {
		if l.issues[link.From].present && l.issues[link.To].present {
			l.report.Links.Present++
			continue
		}
		l.report.Links.Added++
		l.report.Events += 2
		if err := l.queue(ctx, 4, l.link(link)); err != nil {
			return err
		}
	}
	return nil
}

// link stores one link, with its event on both issues.
func (l *loader) link(link dataset.Link) Query {
	from, to := l.end(link.From), l.end(link.To)
	if link.Relation == tracker.RelatesTo && from.ID.String() > to.ID.String() { // stored once, whichever way it was said
		from, to = to, from
	}
	by := l.author(link.By, link.At)
	events := []tracker.Event{
		{IssueID: from.ID, Kind: tracker.EventLinked, Field: string(link.Relation), After: to.Key.String()},
		{IssueID: to.ID, Kind: tracker.EventLinked, Field: string(link.Relation.Inverse()), After: from.Key.String()},
	}
	return func(b *pgx.Batch, scope Scope) {
		InsertLink(from, link.Relation, to, by, new(bool))(b, scope)
		InsertEvents(l.project.ID, events, by)(b, scope)
		touchSince([]uuid.UUID{from.ID, to.ID}, by)(b, scope)
	}
}

func (l *loader) end(external string) tracker.Issue {
	i := l.issues[external]
	return tracker.Issue{ID: i.id, ProjectID: l.project.ID, Key: tracker.IssueKey{Project: l.project.Key, Number: i.number}}
}

// touchSince is Touch that never moves an issue's update back in time.
func touchSince(issues []uuid.UUID, by Author) Query {
	return func(b *pgx.Batch, scope Scope) {
		b.Queue(`update issues set updated_at = $3 where tenant_id = $1 and id = any($2) and updated_at < $3`, scope.Tenant, issues, by.At)
	}
}
