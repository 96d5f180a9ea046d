package store_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tokens"
)

// works reports whether a principal can still reach data.
func works(t *testing.T, db *storetest.DB, p tenancy.Principal) bool {
	t.Helper()
	err := db.Read(t.Context(), store.ForPrincipal(p), func(tx *store.Tx) error { return tx.Do(t.Context()) })
	if err != nil {
		require.Equal(t, tenancy.Unauthenticated, tenancy.CodeOf(err))
	}
	return err == nil
}

// lookup authenticates a plain token, or says why not.
func lookup(t *testing.T, db *storetest.DB, plain string) (tenancy.Principal, error) {
	t.Helper()
	slug, hash, ok := tokens.Parse(plain)
	require.True(t, ok)
	return db.LookupToken(t.Context(), slug, hash)
}

// lastChanges is what the newest audit row of a method says about before and after.
func lastChanges(t *testing.T, db *storetest.DB, method string) (changes string) {
	t.Helper()
	require.NoError(t, db.Admin(t).QueryRow(t.Context(), `select coalesce(changes::text, '') from audit_log where method = $1
		order by id desc limit 1`, method).Scan(&changes), method)
	return changes
}

func TestUpdateToken(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	acme.Project(t, "WEB", "Website")
	token, plain := acme.Token(t, "ci", `{"issues":["read","update"]}`)
	before := principal(t, db, plain)
	until := storetest.Now.AddDate(10, 0, 0)
	changed, err := db.UpdateToken(t.Context(), acme.Scope(), "test", token.ID, func(s *store.TokenSettings, now time.Time) error {
		require.WithinDuration(t, time.Now(), now, time.Minute, "the database's clock")
		s.Name, s.ExpiresAt = " deploy ", &until
		s.Grants = tenancy.Grants{Allow: tenancy.NewPermissionSet(tenancy.IssuesRead), Limited: true, Projects: []string{"WEB"}}
		s.Networks, _ = tenancy.ParseNetworks([]string{"10.0.0.0/8", "2001:db8::/32"})
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, "deploy", changed.Name)
	require.False(t, works(t, db, before), "what was remembered is refused at once")
	after := principal(t, db, plain)
	require.Equal(t, []string{"issues:read"}, after.Permissions.Strings())
	require.Equal(t, []string{"10.0.0.0/8", "2001:db8::/32"}, after.Networks.Strings())
	require.True(t, until.Equal(after.ExpiresAt))
	var shown store.Token
	acme.Read(t, store.TokenByID(token.ID, &shown))
	require.Equal(t, changed, shown)
	require.Equal(t, plain[len(plain)-4:], shown.Hint)

	var changes []struct{ Field string }
	require.NoError(t, json.Unmarshal([]byte(lastChanges(t, db, "token.update")), &changes))
	require.Len(t, changes, 4)
	for _, bad := range []func(*store.TokenSettings){
		func(s *store.TokenSettings) { s.Name = "  " },
		func(s *store.TokenSettings) { s.Grants.Projects = []string{"NONE"} },
	} {
		_, err := db.UpdateToken(t.Context(), acme.Scope(), "test", token.ID, func(s *store.TokenSettings, _ time.Time) error { bad(s); return nil })
		require.Error(t, err)
	}
	require.True(t, works(t, db, after), "a refused change changes nothing")
	_, err = db.UpdateToken(t.Context(), acme.Scope(), "test", tenancy.NewID(), func(*store.TokenSettings, time.Time) error { return nil })
	require.Equal(t, tenancy.NotFound, tenancy.CodeOf(err))
}

// TestUpdateToken_ProjectGone deletes a project that a token is limited to: the token
// can still be changed, and what takes the project's place is not in its reach.
func TestUpdateToken_ProjectGone(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	tmp := acme.Project(t, "TMP", "Temporary")
	acme.Project(t, "WEB", "Website")
	acme.Project(t, "API", "Interface")
	token, plain := acme.Token(t, "reader", `{"issues":["read"],"only_projects":["TMP","WEB"]}`)
	acme.Write(t, func(tx *store.Tx) error { return tx.Do(t.Context(), store.DeleteProject(tmp, by(acme))) })

	update := func(edit func(*store.TokenSettings)) []string {
		_, err := db.UpdateToken(t.Context(), acme.Scope(), "test", token.ID, func(s *store.TokenSettings, _ time.Time) error { edit(s); return nil })
		require.NoError(t, err)
		var keys []string
		err = db.Read(t.Context(), store.ForPrincipal(principal(t, db, plain)), func(tx *store.Tx) error {
			return tx.Do(t.Context(), store.ProjectKeys("", 10, &keys))
		})
		require.NoError(t, err)
		return keys
	}
	rename := func(s *store.TokenSettings) { s.Name += "!" }
	require.Equal(t, []string{"WEB"}, update(rename))

	again := tmp
	again.ID = tenancy.NewID()
	insert := func() error {
		entry := func() store.AuditRow {
			return store.AuditRow{TenantID: acme.ID, Kind: "job", Actor: "test", Method: "fixture", Decision: store.Allowed}
		}
		return db.Write(t.Context(), acme.Scope(), entry, func(tx *store.Tx) error { return tx.Do(t.Context(), store.InsertProject(again)) })
	}
	admin(t, db, `update deletions set deleted_at = now() - interval '1 year'`)
	require.NoError(t, db.Cleanup(t.Context()))
	err := insert()
	require.Equal(t, tenancy.Conflict, tenancy.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, "Project key TMP belonged to a project that was deleted")

	admin(t, db, `delete from deletions`) // as if the key had been given out again before that was refused
	require.NoError(t, insert())
	require.Equal(t, []string{"WEB"}, update(rename), "a key that stays in the list keeps its project")
	require.Equal(t, []string{"API", "WEB"}, update(func(s *store.TokenSettings) { s.Grants.Projects = []string{"API", "TMP", "WEB"} }))
	require.Equal(t, []string{"WEB"}, update(func(s *store.TokenSettings) { s.Grants.Projects = []string{"WEB"} }))
	require.Equal(t, []string{"TMP", "WEB"}, update(func(s *store.TokenSettings) { s.Grants.Projects = []string{"TMP", "WEB"} }), "given anew")
}

func TestUpdateToken_Expire(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	token, plain := acme.Token(t, "ci", `{"issues":["read"]}`)
	p := principal(t, db, plain)
	set := func(in time.Duration) store.Token {
		changed, err := db.UpdateToken(t.Context(), acme.Scope(), "test", token.ID, func(s *store.TokenSettings, now time.Time) error {
			at := now.Add(in)
			s.ExpiresAt = &at
			return nil
		})
		require.NoError(t, err)
		return changed
	}
	require.Equal(t, store.TokenExpired, set(0).State)
	require.False(t, works(t, db, p))
	_, err := lookup(t, db, plain)
	require.Error(t, err)
	revived := set(6 * 24 * time.Hour)
	require.Equal(t, store.TokenActive, revived.State)
	require.True(t, revived.ExpiresSoon)
	require.True(t, principal(t, db, plain).ExpiresSoon())
	require.False(t, set(8*24*time.Hour).ExpiresSoon)
	require.False(t, principal(t, db, plain).ExpiresSoon())

	require.NoError(t, db.RevokeToken(t.Context(), acme.Scope(), "test", token.ID))
	_, err = db.UpdateToken(t.Context(), acme.Scope(), "test", token.ID, func(*store.TokenSettings, time.Time) error { return nil })
	require.Equal(t, tenancy.Conflict, tenancy.CodeOf(err), "a revoked token stays revoked")
}

func TestRotateToken(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	token, first := acme.Token(t, "ci", `{"issues":["read"]}`)
	rotate := func(overlap time.Duration) (store.Token, string) {
		changed, plain, err := db.RotateToken(t.Context(), acme.Scope(), "test", token.ID, overlap)
		require.NoError(t, err)
		require.Equal(t, token.ID, changed.ID)
		require.Equal(t, plain[len(plain)-4:], changed.Hint)
		return changed, plain
	}
	old := principal(t, db, first)
	changed, second := rotate(time.Hour)
	require.NotNil(t, changed.PreviousUntil)
	require.False(t, works(t, db, old), "what was remembered is looked up again")
	overlapping := principal(t, db, first)
	require.True(t, overlapping.Replaced)
	require.InDelta(t, time.Hour, overlapping.ExpiresIn, float64(time.Minute))
	require.True(t, works(t, db, overlapping))
	require.False(t, principal(t, db, second).Replaced)

	changed, third := rotate(2 * time.Hour) // the first secret gives way to the second
	require.False(t, works(t, db, overlapping))
	_, err := lookup(t, db, first)
	require.Error(t, err)
	overlapping = principal(t, db, second)
	admin(t, db, `update tokens set previous_until = clock_timestamp() where id = $1`, token.ID)
	require.False(t, works(t, db, overlapping), "the overlap ends by the database's clock, whatever is remembered")
	_, err = lookup(t, db, second)
	require.Error(t, err)

	current := principal(t, db, third)
	changed, fourth := rotate(0)
	require.Nil(t, changed.PreviousUntil)
	require.False(t, works(t, db, current))
	_, err = lookup(t, db, third)
	require.Error(t, err)
	require.True(t, works(t, db, principal(t, db, fourth)))
	for _, overlap := range []time.Duration{-1, 31 * 24 * time.Hour} {
		_, _, err = db.RotateToken(t.Context(), acme.Scope(), "test", token.ID, overlap)
		require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err))
	}
	require.NoError(t, db.RevokeToken(t.Context(), acme.Scope(), "test", token.ID))
	_, _, err = db.RotateToken(t.Context(), acme.Scope(), "test", token.ID, 0)
	require.Equal(t, tenancy.Conflict, tenancy.CodeOf(err))
	for _, plain := range []string{first, second, third, fourth} {
		require.NotContains(t, db.Dump(t), plain[len(plain)-32:])
	}
}

func TestRevokePlain(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	token, first := acme.Token(t, "ci", `{"issues":["read"]}`)
	_, second, err := db.RotateToken(t.Context(), acme.Scope(), "test", token.ID, time.Hour)
	require.NoError(t, err)
	unknown, _ := tokens.Mint("acme")
	nobody, _ := tokens.Mint("nosuchtenant")
	for _, plain := range []string{unknown, nobody, "rubbish", ""} {
		_, _, err := db.RevokePlain(t.Context(), "test", plain)
		require.Equal(t, tenancy.NotFound, tenancy.CodeOf(err))
		if plain != "" {
			require.NotContains(t, err.Error(), plain)
		}
	}
	tenant, revoked, err := db.RevokePlain(t.Context(), "test", first) // the leaked one may be the older
	require.NoError(t, err)
	require.Equal(t, "acme", tenant.Slug)
	require.Equal(t, token.ID, revoked.ID)
	require.Equal(t, store.TokenRevoked, revoked.State)
	for _, plain := range []string{first, second} {
		_, err := lookup(t, db, plain)
		require.Error(t, err)
	}
	require.Contains(t, lastChanges(t, db, "token.revoke"), `"revoked"`)
}

// TestAttack023_RestoredBackup brings back what was revoked after the backup, as
// a restore does. The operator's command then ends all that is older.
func TestAttack023_RestoredBackup(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.Options{MaxConns: 4, Clock: time.Now})
	acme, beta := db.Tenant(t, "acme"), db.Tenant(t, "beta")
	token, leaked := acme.Token(t, "leaked", `{"issues":["*"]}`)
	rotated, before := acme.Token(t, "rotated", `{"issues":["*"]}`)
	other := beta.FullToken(t)
	require.NoError(t, db.RevokeToken(t.Context(), acme.Scope(), "test", token.ID))
	admin(t, db, `update tokens set revoked_at = null, epoch = 1 where id = $1`, token.ID) // the restore
	back := principal(t, db, leaked)
	point := time.Now()
	_, fresh := acme.Token(t, "fresh", `{"issues":["*"]}`)
	_, after, err := db.RotateToken(t.Context(), acme.Scope(), "test", rotated.ID, time.Hour)
	require.NoError(t, err)
	old := principal(t, db, before)

	n, err := db.RevokeIssuedBefore(t.Context(), acme.Scope(), "test", point)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.False(t, works(t, db, back))
	require.False(t, works(t, db, old), "the secret before the restore")
	for _, plain := range []string{leaked, before} {
		_, err := lookup(t, db, plain)
		require.Error(t, err)
	}
	for _, plain := range []string{fresh, after, other} {
		require.True(t, works(t, db, principal(t, db, plain)))
	}
	require.Contains(t, lastChanges(t, db, "token.revoke_all"), token.ID.String())
}

func TestServiceToken_SurvivesItsMaker(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t)
	acme := db.Tenant(t, "acme")
	_, err := db.SetMemberRole(t.Context(), acme.Scope(), "test", acme.Ben.ID, tenancy.RoleOwner)
	require.NoError(t, err)
	full := tenancy.Grants{Allow: tenancy.AllPermissions}
	made, plain, err := db.CreateToken(t.Context(), acting(t, db, acme.Ada), "acme", acme.Ada.Email,
		store.NewToken{Name: "service", Role: tenancy.RoleMember, Grants: full})
	require.NoError(t, err)
	require.Equal(t, acme.Ada.Email, made.CreatedBy)
	p := principal(t, db, plain)
	require.Equal(t, uuid.Nil, p.MemberID)
	require.Equal(t, tenancy.RoleMember.Permissions(), p.Permissions)
	_, err = db.DeactivateMember(t.Context(), acme.Scope(), "test", acme.Ada.ID)
	require.NoError(t, err)
	require.True(t, works(t, db, p))
}
