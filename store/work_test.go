package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
	"github.com/colaflow/colaflow/tracker"
)

// worker reads a tenant's work from position to position.
type worker struct {
	t      *testing.T
	store  *store.Store
	tenant tenancy.TenantID
	at     store.WorkPosition
}

func (w *worker) read(tokens ...uuid.UUID) store.Work {
	w.t.Helper()
	work, err := w.store.ReadWork(w.t.Context(), w.tenant, w.at, tokens)
	require.NoError(w.t, err)
	w.at = work.Position
	return work
}

func by(tn *storetest.Tenant) store.Author {
	return store.Author{MemberID: tn.Ada.ID, ChangeID: tenancy.NewID(), At: storetest.Now}
}

func TestReadWork(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme, beta := db.Tenant(t, "acme"), db.Tenant(t, "beta")
	web := acme.Project(t, "WEB", "Website")
	issues := acme.Issues(t, web, "One", "Two")
	w := &worker{t: t, store: db.Store, tenant: acme.ID}
	require.Empty(t, w.read().Items, "the first reading only takes a position")
	require.Empty(t, w.read().Items)

	beta.Issues(t, beta.Project(t, "WEB", "Website"), "Foreign")
	require.Empty(t, w.read().Items, "of another tenant")

	after := issues[0]
	after.Title, after.Points = "Uno", new(float64)
	acme.Write(t, func(tx *store.Tx) error { return tx.Do(t.Context(), store.SaveIssue(issues[0], after, by(acme))) })
	require.Equal(t, []store.WorkItem{{ProjectID: web.ID, ProjectKey: "WEB", IssueID: issues[0].ID}}, w.read().Items, "two fields, one item")
	require.Empty(t, w.read().Items)

	s := tracker.Sprint{ID: tenancy.NewID(), ProjectID: web.ID, Name: "Sprint 1", State: tracker.SprintPlanned, CreatedAt: storetest.Now}
	for name, write := range map[string]store.Query{"new sprint": store.InsertSprint(s), "project": store.SaveProject(web, web)} {
		acme.Write(t, func(tx *store.Tx) error { return tx.Do(t.Context(), write) })
		require.Equal(t, []store.WorkItem{{ProjectID: web.ID, ProjectKey: "WEB"}}, w.read().Items, name)
	}
	s.Goal = "Ship"
	acme.Write(t, func(tx *store.Tx) error { return tx.Do(t.Context(), store.SaveSprint(s, s)) })
	require.Len(t, w.read().Items, 1)

	failed := errors.New("rolled back")
	err := db.Write(t.Context(), acme.Scope(), func() store.AuditRow { return store.AuditRow{} }, func(tx *store.Tx) error {
		if err := tx.Do(t.Context(), store.SaveIssue(after, issues[0], by(acme))); err != nil {
			return err
		}
		return failed
	})
	require.ErrorIs(t, err, failed)
	require.Empty(t, w.read().Items)

	many := make([]string, 2001)
	for n := range many {
		many[n] = fmt.Sprint("Issue ", n)
	}
	acme.Issues(t, web, many...)
	work := w.read()
	require.True(t, work.More)
	require.Empty(t, work.Items)
	require.False(t, w.read().More)
}

func TestReadWork_WhichTokensWork(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	w := &worker{t: t, store: db.Store, tenant: acme.ID}
	w.read()
	good, plain := acme.Token(t, "good", `{"issues":["read"]}`)
	bad, _ := acme.Token(t, "bad", `{"issues":["read"]}`)
	p := principal(t, db, plain)
	require.Equal(t, p.Epoch, w.read(good.ID, bad.ID).Epochs[good.ID])
	require.NoError(t, db.RevokeToken(t.Context(), acme.Scope(), "test", bad.ID))
	epochs := w.read(good.ID, bad.ID, tenancy.NewID()).Epochs
	require.Equal(t, map[uuid.UUID]int64{good.ID: p.Epoch}, epochs)

	expire := func(s *store.TokenSettings, now time.Time) error { s.ExpiresAt = &now; return nil }
	_, err := db.UpdateToken(t.Context(), acme.Scope(), "test", good.ID, expire)
	require.NoError(t, err)
	require.Empty(t, w.read(good.ID).Epochs)
	_, err = db.SuspendTenant(t.Context(), "acme", "test")
	require.NoError(t, err)
	_, err = db.ReadWork(t.Context(), acme.ID, w.at, nil)
	require.Equal(t, tenancy.TenantIsSuspended, tenancy.CodeOf(err))
}

// TestReadWork_NothingLostNothingTwice writes from several connections, whose commits
// overlap and are not in the order of their ids or times, beside a reader.
func TestReadWork_NothingLostNothingTwice(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.Options{MaxConns: 8, TenantConns: 8})
	acme := db.Tenant(t, "acme")
	web := acme.Project(t, "WEB", "Website")
	w := &worker{t: t, store: db.Store, tenant: acme.ID}
	w.read()

	// One transaction begins before all others and commits after them.
	begun, finish, finished := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	late := newIssue(acme, web, "Late")
	entry := func() store.AuditRow {
		return store.AuditRow{TenantID: acme.ID, Kind: "job", Actor: "test", Method: "fixture", Decision: store.Allowed}
	}
	go func() {
		finished <- db.Write(context.Background(), acme.Scope(), entry, func(tx *store.Tx) error {
			late.Key.Number = 1_000_000
			err := tx.Do(context.Background(), store.InsertIssues([]store.NewIssue{{Issue: late}}),
				store.InsertEvents(web.ID, []tracker.Event{tracker.Created(late)}, by(acme)))
			close(begun)
			<-finish
			return err
		})
	}()
	<-begun
	const writers, each = 4, 25
	var wg sync.WaitGroup
	for n := range writers {
		wg.Go(func() {
			for i := range each {
				issue := []tracker.Issue{newIssue(acme, web, fmt.Sprintf("%d of %d", i, n))}
				_ = db.Write(context.Background(), acme.Scope(), entry, func(tx *store.Tx) error {
					return tx.CreateIssues(context.Background(), web, issue, by(acme))
				})
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	seen := map[uuid.UUID]int{}
	read := func() {
		for _, item := range w.read().Items {
			seen[item.IssueID]++
		}
	}
	for running := true; running; {
		read()
		select {
		case <-done:
			running = false
		default:
		}
	}
	read()
	require.Len(t, seen, writers*each)
	close(finish)
	require.NoError(t, <-finished)
	read()
	require.Len(t, seen, writers*each+1)
	for id, times := range seen {
		require.Equal(t, 1, times, id)
	}
}

func newIssue(tn *storetest.Tenant, p tracker.Project, title string) tracker.Issue {
	start := p.Workflow.Initial()
	return tracker.Issue{ID: tenancy.NewID(), ProjectID: p.ID, Title: title, Type: "Task", Status: start.Name, Category: start.Category,
		Priority: tracker.Medium, ReporterID: tn.Ada.ID, Version: 1, CreatedAt: storetest.Now, UpdatedAt: storetest.Now}
}

// TestFollowWork hears on one node what another writes, by tenant.
func TestFollowWork(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme, beta := db.Tenant(t, "acme"), db.Tenant(t, "beta")
	web := acme.Project(t, "WEB", "Website")
	other := db.Reopen(t, storetest.Options{})
	heard, healthy := make(chan tenancy.TenantID, 100), make(chan bool, 100)
	other.FollowWork(func(tenant tenancy.TenantID) { heard <- tenant })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		other.Follow(ctx, func(tokens.Change) {}, func() {}, func(ok bool) { healthy <- ok })
	}()
	defer func() { cancel(); <-ended }()
	require.True(t, <-healthy)

	hears := func(tenant tenancy.TenantID) {
		t.Helper()
		require.Eventually(t, func() bool {
			select {
			case got := <-heard:
				return got == tenant
			default:
				return false
			}
		}, 20*time.Second, time.Millisecond)
	}
	acme.Issues(t, web, "One")
	hears(acme.ID)
	beta.Project(t, "API", "Interface")
	hears(beta.ID)

	quiet := db.Tenant(t, "quiet")
	quiet.Write(t, func(tx *store.Tx) error { // changes nothing that anybody watches
		return tx.Do(t.Context(), store.InsertMembers([]tenancy.Member{{ID: tenancy.NewID(), Handle: "eve", Name: "Eve", Role: tenancy.RoleViewer,
			State: tenancy.MemberImported, CreatedAt: storetest.Now}}))
	})
	quiet.Write(t, func(tx *store.Tx) error {
		tx.DryRun()
		dry := web
		dry.LeadID = uuid.Nil
		return tx.Do(t.Context(), store.InsertProject(dry))
	})
	loud := db.Tenant(t, "loud")
	loud.Project(t, "WEB", "Website")
	for got := range heard {
		require.NotEqual(t, quiet.ID, got)
		if got == loud.ID {
			break
		}
	}
}

// TestFollowWork_SaidWhenClosing: what was committed just before a node stops is told.
func TestFollowWork_SaidWhenClosing(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	listener := db.App(t)
	_, err := listener.Exec(t.Context(), "listen colaflow_work")
	require.NoError(t, err)
	s, err := store.Open(t.Context(), store.Config{DSN: db.AppDSN, Key: db.Key})
	require.NoError(t, err)
	entry := func() store.AuditRow {
		return store.AuditRow{TenantID: acme.ID, Kind: "job", Actor: "test", Method: "fixture", Decision: store.Allowed}
	}
	template, err := tracker.FindTemplate("scrum")
	require.NoError(t, err)
	p := tracker.Project{ID: tenancy.NewID(), Key: "WEB", Name: "Website", State: tracker.ProjectActive, Template: template.Name, Timezone: "UTC",
		Workflow: template.Workflow, IssueTypes: template.IssueTypes, Version: 1, CreatedAt: storetest.Now, UpdatedAt: storetest.Now}
	require.NoError(t, s.Write(t.Context(), acme.Scope(), entry, func(tx *store.Tx) error { return tx.Do(t.Context(), store.InsertProject(p)) }))
	s.Close()
	n, err := listener.WaitForNotification(t.Context())
	require.NoError(t, err)
	require.Equal(t, acme.ID.String(), n.Payload)
}
