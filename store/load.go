package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
	"github.com/colaflow/colaflow/tracker/dataset"
)

// LoadOptions say how to load a dataset. Progress, if set, is told after each
// batch how many of the issues are written.
type LoadOptions struct {
	DryRun   bool
	Progress func(done, total int64)
}

// LoadDataset writes a dataset in one transaction, all of it or nothing, with
// its audit row. What is there already stays as it is: issues are known by their
// source and id, comments by their id, people by e-mail or handle. A dry run
// reports the same and changes nothing.
func (s *Store) LoadDataset(ctx context.Context, scope Scope, d *dataset.Dataset, opt LoadOptions) (dataset.Report, error) {
	if err := d.Check(); err != nil {
		return dataset.Report{}, err
	}
	var report dataset.Report
	entry := func() AuditRow {
		row := adminRow(scope.Tenant, scope.job, "import", d.Project.Key)
		row.Changes = asJSON(report)
		return row
	}
	err := s.Write(ctx, scope, entry, func(tx *Tx) error {
		l := newLoader(tx, d, opt, s.clock().UTC())
		if opt.DryRun {
			tx.DryRun()
		}
		err := l.load(ctx)
		report = l.report
		return err
	})
	if err != nil {
		return dataset.Report{}, err
	}
	return report, nil
}

// loader writes one dataset. Everything it learns from the database it keeps in
// maps from the dataset's names to rows.
type loader struct {
	tx       *Tx
	data     *dataset.Dataset
	opt      LoadOptions
	now      time.Time
	report   dataset.Report
	project  tracker.Project
	members  map[string]tenancy.Member // by handle of the dataset
	sprints  map[string]uuid.UUID      // by name
	issues   map[string]*loadedIssue   // by external id
	spelling map[string]string         // of labels, by lower case
	pending  []Query
	queued   int
	batches  int
}

func newLoader(tx *Tx, d *dataset.Dataset, opt LoadOptions, now time.Time) *loader {
	return &loader{tx: tx, data: d, opt: opt, now: now, members: map[string]tenancy.Member{}, sprints: map[string]uuid.UUID{},
		issues: make(map[string]*loadedIssue, len(d.Issues)), spelling: map[string]string{},
		report: dataset.Report{Project: d.Project.Key, DryRun: opt.DryRun, Notes: append(dataset.Notes{}, d.Notes...)}}
}

func (l *loader) load(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		l.checkRoom, l.lockProject, l.loadPeople, l.makeProject, l.loadSprints, l.findIssues, l.numberIssues, l.writeIssues, l.writeLinks, l.flush, l.keepHistory,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// loadBatch is about how many statements go out in one round trip.
const loadBatch = 500

// queue adds a query of about n statements to the batch, and sends it when full.
func (l *loader) queue(ctx context.Context, n int, q Query) error {
	l.pending = append(l.pending, q)
	if l.queued += n; l.queued < loadBatch {
		return nil
	}
	return l.flush(ctx)
}

// flush sends the batch. While the tables grow inside one transaction nobody can
// analyze them, and a foreign key check planned for an empty table scans a full
// one: so plans are made anew each time the number of batches has doubled.
func (l *loader) flush(ctx context.Context) error {
	if l.batches++; l.batches&(l.batches-1) == 0 {
		l.pending = append(l.pending, func(b *pgx.Batch, _ Scope) { b.Queue("discard plans") })
	}
	err := l.tx.Do(ctx, l.pending...)
	l.pending, l.queued = l.pending[:0], 0
	return err
}

// checkRoom refuses a dataset that is too much for the tenant's plan.
func (l *loader) checkRoom(ctx context.Context) error {
	bytes := 0
	for n := range l.data.Issues {
		now := l.data.Issues[n].Now()
		bytes += len(now.Title) + len(now.Body)
		for _, c := range l.data.Issues[n].Comments {
			bytes += len(c.Body)
		}
	}
	return l.tx.Do(ctx, withinPlan(tenancy.QuotaText, int64(bytes>>20)))
}

// lockProject keeps other imports into the project waiting until this one ends.
func (l *loader) lockProject(ctx context.Context) error {
	if err := l.tx.Do(ctx, LockProject(l.data.Project.Key, &l.project)); err != nil {
		return err
	}
	return l.project.CheckWritable()
}

// makeProject creates the project if it was not there to lock.
func (l *loader) makeProject(ctx context.Context) error {
	if l.project.ID != uuid.Nil {
		return nil
	}
	from := l.data.Project
	template, err := tracker.FindTemplate(from.Template)
	if err != nil {
		return err
	}
	if from.Workflow != nil {
		template.Workflow = *from.Workflow
	}
	if from.IssueTypes != nil {
		template.IssueTypes = from.IssueTypes
	}
	if from.CreatedAt.IsZero() {
		from.CreatedAt = l.now
		for n := range l.data.Issues {
			if at := l.data.Issues[n].CreatedAt(); at.Before(from.CreatedAt) {
				from.CreatedAt = at
			}
		}
	}
	l.project = tracker.Project{ID: tenancy.NewID(), Key: from.Key, Name: from.Name, Description: from.Description,
		State: tracker.ProjectActive, LeadID: l.members[from.Lead].ID, Template: template.Name, Timezone: from.Timezone,
		Workflow: template.Workflow, IssueTypes: template.IssueTypes, CreatedAt: from.CreatedAt}
	l.report.ProjectCreated = true
	return l.tx.Do(ctx, InsertProject(l.project))
}

// loadSprints finds sprints by name and adds those that are missing. A project
// has one active sprint at most, so another one is loaded as planned.
func (l *loader) loadSprints(ctx context.Context) error {
	if len(l.data.Sprints) == 0 {
		return nil
	}
	active := false
	err := l.tx.Do(ctx, func(b *pgx.Batch, scope Scope) {
		b.Queue(`select s.id, s.name, s.state from sprints s where s.tenant_id = $1 and s.project_id = $2`, scope.Tenant, l.project.ID).
			Query(func(rows pgx.Rows) error {
				for rows.Next() {
					var id uuid.UUID
					var name, state string
					if err := rows.Scan(&id, &name, &state); err != nil {
						return err
					}
					l.sprints[name] = id
					active = active || state == string(tracker.SprintActive)
				}
				return rows.Err()
			})
	})
	if err != nil {
		return err
	}
	for _, s := range l.data.Sprints {
		if _, present := l.sprints[s.Name]; present {
			l.report.Sprints.Present++
			continue
		}
		if s.State == tracker.SprintActive && active {
			s.State = tracker.SprintPlanned
			l.report.Notes.Add(s.Name, "The project has an active sprint, so another one was imported as planned.")
		}
		active = active || s.State == tracker.SprintActive
		l.sprints[s.Name] = tenancy.NewID()
		l.report.Sprints.Added++
		row := tracker.Sprint{ID: l.sprints[s.Name], ProjectID: l.project.ID, Name: s.Name, Goal: s.Goal, State: s.State,
			StartsOn: s.StartsOn, EndsOn: s.EndsOn, StartedAt: s.StartedAt, CompletedAt: s.CompletedAt, CreatedAt: l.now}
		if s.StartedAt != nil && s.StartedAt.Before(l.now) {
			row.CreatedAt = *s.StartedAt
		}
		if err := l.queue(ctx, 1, InsertSprint(row)); err != nil {
			return err
		}
	}
	return nil
}
