package store_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// newFile is an attachment with these contents.
func newFile(name string, contents []byte) tracker.Attachment {
	digest := sha256.Sum256(contents)
	return tracker.Attachment{ID: tenancy.NewID(), Name: name, Type: "text/plain", Size: len(contents), SHA256: digest[:]}
}

// attach adds a file of so many bytes to an issue.
func attach(t *testing.T, db *storetest.DB, tn *storetest.Tenant, i tracker.Issue, size int) (tracker.Attachment, error) {
	t.Helper()
	contents := bytes.Repeat([]byte("x"), size)
	a := newFile("x.txt", contents)
	return a, write(t, db, tn, store.InsertAttachment(i, a, contents, by(tn)))
}

// heldBytes is what the tenant's attachments are said to take.
func heldBytes(t *testing.T, db *storetest.DB, tn *storetest.Tenant) (n int64) {
	t.Helper()
	require.NoError(t, db.Admin(t).QueryRow(t.Context(), `select coalesce((select attachment_bytes from tenant_usage where tenant_id = $1), 0)`, tn.ID).Scan(&n))
	return n
}

// TestAttachment_Model adds, takes away, counts and deletes at random: the lists and the
// count that the plan is held to always agree with a plain list.
func TestAttachment_Model(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	web := acme.Project(t, "WEB", "Website")
	raw := db.Admin(t)
	model := map[uuid.UUID][]tracker.Attachment{}
	rapid.Check(t, func(rt *rapid.T) {
		issues := acme.Issues(t, web, "One", "Two")
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			i := rapid.SampledFrom(issues).Draw(rt, "issue")
			own := model[i.ID]
			switch rapid.IntRange(0, 5).Draw(rt, "what") {
			case 0, 1, 2:
				a, err := attach(t, db, acme, i, rapid.IntRange(1, 300).Draw(rt, "size"))
				require.NoError(rt, err)
				model[i.ID] = append(own, a)
			case 3:
				if len(own) > 0 {
					n := rapid.IntRange(0, len(own)-1).Draw(rt, "which")
					require.NoError(rt, write(t, db, acme, store.DeleteAttachment(i, own[n], by(acme))))
					model[i.ID] = slices.Delete(own, n, n+1)
				}
			case 4:
				require.NoError(rt, db.CountUsage(t.Context(), acme.ID, 0))
			case 5:
				require.NoError(rt, write(t, db, acme, store.DeleteIssue(i, by(acme))))
				delete(model, i.ID)
				issues = slices.DeleteFunc(issues, func(o tracker.Issue) bool { return o.ID == i.ID })
			}
			if len(issues) == 0 {
				break
			}
		}
		sum := int64(0)
		for issue, want := range model {
			var got []tracker.Attachment
			acme.Read(t, store.Attachments([]uuid.UUID{issue}, 100, &got))
			require.Len(rt, got, len(want))
			for n, a := range want {
				sum += int64(a.Size)
				require.Equal(rt, []any{a.ID, a.Name, a.Size, a.SHA256, "ada@acme.test", "WEB"},
					[]any{got[n].ID, got[n].Name, got[n].Size, got[n].SHA256, got[n].Author, got[n].Key.Project})
			}
		}
		var held int64
		require.NoError(rt, raw.QueryRow(t.Context(), `select coalesce((select attachment_bytes from tenant_usage where tenant_id = $1), 0)`, acme.ID).Scan(&held))
		require.Equal(rt, sum, held)
	})
	require.NoError(t, write(t, db, acme, store.DeleteProject(web, by(acme))))
	require.Zero(t, heldBytes(t, db, acme), "and a project takes its files with it")
}

// TestQuota_Attachments: of many who want the last place one gets it, and what is taken
// away makes room.
func TestQuota_Attachments(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme, beta := db.Tenant(t, "acme"), db.Tenant(t, "beta")
	db.SetPlan(t, "acme", "free")
	issue := acme.Issues(t, acme.Project(t, "WEB", "Website"), "One")[0]
	first, err := attach(t, db, acme, issue, 1000)
	require.NoError(t, err)
	limit := tenancy.PlanOf("free").AttachmentMB
	admin(t, db, `update tenant_usage set attachment_bytes = $1`, (limit+1)<<20-600<<10) // one more of 600 KB makes it too much

	var won, lost int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			_, err := attach(t, db, acme, issue, 599<<10)
			mu.Lock()
			defer mu.Unlock()
			var limit *tenancy.Error
			switch {
			case err == nil:
				won++
			case errors.As(err, &limit) && limit.Code == tenancy.PlanLimit:
				lost++
			}
		})
	}
	wg.Wait()
	require.Equal(t, []int{1, 5}, []int{won, lost})
	_, err = attach(t, db, acme, issue, 2<<10)
	requirePlanLimit(t, err, "Plan free allows 200 MB of attachments, and this would make 201. Take away files that nobody needs")
	_, err = attach(t, db, beta, beta.Issues(t, beta.Project(t, "WEB", "Website"), "One")[0], 2<<10)
	require.NoError(t, err, "another tenant has a limit of its own")

	before := heldBytes(t, db, acme)
	require.NoError(t, write(t, db, acme, store.DeleteAttachment(issue, first, by(acme))))
	require.Equal(t, before-1000, heldBytes(t, db, acme))
	require.NoError(t, db.CountUsage(t.Context(), acme.ID, 0))
	require.EqualValues(t, 599<<10, heldBytes(t, db, acme), "counting tells the truth again")
	_, err = attach(t, db, acme, issue, 2<<10)
	require.NoError(t, err)
	size, err := db.TenantSize(t.Context(), acme.ID)
	require.NoError(t, err)
	require.Zero(t, size.AttachmentMB, "not yet one")
}

// TestCountUsage_WhileFilesAreAdded: a count never loses what is added meanwhile.
func TestCountUsage_WhileFilesAreAdded(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	issues := acme.Issues(t, acme.Project(t, "WEB", "Website"), "One", "Two", "Three")
	_, err := attach(t, db, acme, issues[0], 10)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for _, i := range issues {
		wg.Go(func() {
			for range 20 {
				if _, err := attach(t, db, acme, i, 10); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for range 20 {
			if err := db.CountUsage(t.Context(), acme.ID, 0); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	require.EqualValues(t, 610, heldBytes(t, db, acme))
}

// TestAttachment_AddedMeanwhile: what somebody adds while it is counted, and while its project is
// deleted, is neither forgotten nor left over, also where nothing was held before.
func TestAttachment_AddedMeanwhile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		held int64
		work func(t *testing.T, db *storetest.DB, tn *storetest.Tenant, p tracker.Project) error
	}{
		"counted": {10, func(t *testing.T, db *storetest.DB, tn *storetest.Tenant, _ tracker.Project) error {
			return db.CountUsage(t.Context(), tn.ID, 0)
		}},
		"deleted": {0, func(t *testing.T, db *storetest.DB, tn *storetest.Tenant, p tracker.Project) error {
			return write(t, db, tn, store.DeleteProject(p, by(tn)))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := storetest.Open(t)
			acme := db.Tenant(t, "acme")
			web := acme.Project(t, "WEB", "Website")
			acme.Issues(t, web, "One")
			watch := db.Admin(t)
			tx, err := db.Admin(t).Begin(t.Context())
			require.NoError(t, err)
			for _, add := range []string{`select from issues where tenant_id = $1 for update`,
				`insert into attachments (tenant_id, id, project_id, issue_id, name, type, size, sha256, content, created_at)
					select tenant_id, id, project_id, id, 'a.txt', 'text/plain', 10, sha256('0123456789'), '0123456789', created_at from issues where tenant_id = $1`,
				`insert into tenant_usage (tenant_id, text_bytes, attachment_bytes, counted_at) values ($1, 0, 10, '-infinity')`} {
				_, err := tx.Exec(t.Context(), add, acme.ID)
				require.NoError(t, err)
			}
			var done sync.WaitGroup
			done.Go(func() {
				if err := c.work(t, db, acme, web); err != nil {
					t.Error(err)
				}
			})
			require.Eventually(t, func() bool {
				var waits bool
				err := watch.QueryRow(t.Context(), `select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')`).Scan(&waits)
				return err == nil && waits
			}, time.Minute, 5*time.Millisecond, "nobody waits for the file")
			require.NoError(t, tx.Commit(t.Context()))
			done.Wait()
			require.Equal(t, c.held, heldBytes(t, db, acme))
		})
	}
}

// TestAttachment_ByID finds what is the tenant's own, and its contents byte by byte.
func TestAttachment_ByID(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme, beta := db.Tenant(t, "acme"), db.Tenant(t, "beta")
	issue := acme.Issues(t, acme.Project(t, "WEB", "Website"), "One")[0]
	contents := make([]byte, 256)
	for n := range contents {
		contents[n] = byte(n)
	}
	a := newFile("all.bin", contents)
	require.NoError(t, write(t, db, acme, store.InsertAttachment(issue, a, contents, by(acme))))
	var found tracker.Attachment
	var got []byte
	acme.Read(t, store.AttachmentByID(a.ID, &found), store.AttachmentContents(a.ID, &got))
	require.Equal(t, []any{a.ID, "WEB-1", a.SHA256}, []any{found.ID, found.Key.String(), found.SHA256})
	require.Equal(t, contents, got)
	beta.Read(t, store.AttachmentByID(a.ID, &found), store.AttachmentContents(a.ID, &got))
	require.Equal(t, uuid.Nil, found.ID)
	require.Nil(t, got)
}

// TestAttachments_Newest: of more files than are listed, the last that were attached are.
func TestAttachments_Newest(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	issue := acme.Issues(t, acme.Project(t, "WEB", "Website"), "One")[0]
	var made []uuid.UUID
	for range 3 {
		a, err := attach(t, db, acme, issue, 1)
		require.NoError(t, err)
		made = append(made, a.ID)
	}
	var got []tracker.Attachment
	acme.Read(t, store.Attachments([]uuid.UUID{issue.ID}, 2, &got))
	require.Len(t, got, 2)
	require.Equal(t, made[1:], []uuid.UUID{got[0].ID, got[1].ID})
}

// TestMove_Files moves files that are larger together than one statement may be.
func TestMove_Files(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	issue := acme.Issues(t, acme.Project(t, "WEB", "Website"), "One")[0]
	random := rand.NewChaCha8([32]byte{1})
	for range 8 {
		contents := make([]byte, tracker.MaxAttachment)
		_, _ = random.Read(contents)
		require.NoError(t, write(t, db, acme, store.InsertAttachment(issue, newFile("random.bin", contents), contents, by(acme))))
	}
	file := exported(t, db, "acme")
	require.Less(t, len(file), 8*tracker.MaxAttachment*13/10, "hexadecimal is packed again")
	done := imported(t, db, file, "copy")
	requireSame(t, file, exported(t, db, "copy"))
	requireSameRows(t, db.Admin(t), acme.ID, db.Admin(t), done.Tenant.ID)
	copied := db.Find(t, "copy")
	require.EqualValues(t, 8*tracker.MaxAttachment, heldBytes(t, db, copied))

	admin(t, db, `update attachments set content = repeat('x', 716800)::bytea, sha256 = sha256(repeat('x', 716800)::bytea)`)
	admin(t, db, `insert into attachments select tenant_id, gen_random_uuid(), project_id, issue_id, author_id, token_id, name, type, size, sha256, content, created_at
		from attachments, generate_series(1, 36) where tenant_id = $1`, acme.ID)
	_, err := tryImport(t, db, exported(t, db, "acme"), store.ImportOptions{Slug: "small", Plan: "free"})
	requirePlanLimit(t, err, "200 MB of attachments, and this would make 202. Give the new tenant a larger plan")
}
