package tenancy_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/store/storetest"
	"github.com/colaflow/colaflow/tenancy"
)

var everyKind = []tenancy.Kind{tenancy.KindSession, tenancy.KindSignInLink, tenancy.KindPageLink, tenancy.KindPageCookie}

// forge is a JWT that a test signs by itself, part by part.
type forge struct {
	header, claims map[string]any
	secret         []byte
}

func (f forge) String() string {
	part := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return base64.RawURLEncoding.EncodeToString(data)
	}
	signed := part(f.header) + "." + part(f.claims)
	mac := hmac.New(sha256.New, f.secret)
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// genuine is what the Application itself would sign.
func genuine(kind tenancy.Kind, tn tenancy.Tenant, key uuid.UUID, secret []byte, now time.Time) forge {
	return forge{
		header: map[string]any{"alg": "HS256", "typ": string(kind), "kid": tn.ID.String() + "." + key.String()},
		claims: map[string]any{"iss": "https://colaflow.test", "sub": "user-1", "aud": []string{string(kind)}, "jti": uuid.NewString(),
			"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(), "tenant_id": tn.ID, "tenant_slug": tn.Slug},
		secret: secret,
	}
}

// TestAttack076_EveryKindAndTrick draws a kind of token and something that is wrong
// with it: whose it is, its key, audience, algorithm, time or key id. The forger
// knows the right keys wherever the trick leaves him that.
func TestAttack076_EveryKindAndTrick(t *testing.T) {
	t.Parallel()
	c := newClock()
	db := storetest.Open(t, storetest.Options{MaxConns: 8, Clock: c.now})
	acme, globex := db.Tenant(t, "acme"), db.Tenant(t, "globex")
	app, other := use(t, node(t, db, c), acme.Tenant), use(t, node(t, db, c), globex.Tenant)
	keys := map[tenancy.TenantID]uuid.UUID{}
	for _, a := range []*tenancy.Application{app, other} {
		_, err := a.Sign(t.Context(), tenancy.KindSession, "u", time.Hour, tenancy.Claims{})
		require.NoError(t, err)
		stored, err := db.SigningKeys(t.Context(), a.Tenant().ID)
		require.NoError(t, err)
		keys[a.Tenant().ID] = stored[0].ID
	}
	mine, theirs := signingSecret(t, db, acme.ID), signingSecret(t, db, globex.ID)
	require.NotEqual(t, mine, theirs)
	for _, kind := range everyKind {
		claims, err := app.Verify(t.Context(), kind, genuine(kind, acme.Tenant, keys[acme.ID], mine, c.now()).String())
		require.NoError(t, err, "the forger is able: only the trick is at fault below")
		require.Equal(t, "user-1", claims.Subject)
	}
	tricks := map[string]func(*rapid.T, tenancy.Kind, *forge){
		"another tenant's token": func(_ *rapid.T, kind tenancy.Kind, f *forge) {
			*f = genuine(kind, globex.Tenant, keys[globex.ID], theirs, c.now())
		},
		"another tenant's key": func(_ *rapid.T, _ tenancy.Kind, f *forge) { f.secret = theirs },
		"another tenant's key by its id": func(_ *rapid.T, _ tenancy.Kind, f *forge) {
			f.secret, f.header["kid"] = theirs, globex.ID.String()+"."+keys[globex.ID].String()
		},
		"another tenant's key under our tenant": func(_ *rapid.T, _ tenancy.Kind, f *forge) {
			f.secret, f.header["kid"] = theirs, acme.ID.String()+"."+keys[globex.ID].String()
		},
		"our key under another tenant": func(_ *rapid.T, _ tenancy.Kind, f *forge) {
			f.header["kid"] = globex.ID.String() + "." + keys[acme.ID].String()
		},
		"our key for another tenant": func(_ *rapid.T, _ tenancy.Kind, f *forge) { f.claims["tenant_id"] = globex.ID },
		"another tenant's slug":      func(_ *rapid.T, _ tenancy.Kind, f *forge) { f.claims["tenant_slug"] = "globex" },
		"any key": func(t *rapid.T, _ tenancy.Kind, f *forge) {
			f.secret = rapid.SliceOfN(rapid.Byte(), 0, 64).Draw(t, "key")
		},
		"unknown key id": func(_ *rapid.T, _ tenancy.Kind, f *forge) {
			f.header["kid"] = acme.ID.String() + "." + uuid.NewString()
		},
		"key id of any text": func(t *rapid.T, _ tenancy.Kind, f *forge) {
			f.header["kid"] = rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", ".", "../../dev/null", "' or 1=1 --",
				keys[acme.ID].String(), acme.ID.String(), acme.ID.String() + ".", "{" + acme.ID.String() + "}." + keys[acme.ID].String()})).Draw(t, "kid")
		},
		"key id that is no text": func(_ *rapid.T, _ tenancy.Kind, f *forge) { f.header["kid"] = []string{f.header["kid"].(string)} },
		"more in the header": func(t *rapid.T, _ tenancy.Kind, f *forge) {
			f.header[rapid.SampledFrom([]string{"jku", "x5u", "jwk", "x5c", "crit", "b64", "zip"}).Draw(t, "name")] = "https://evil.test"
		},
		"algorithm": func(t *rapid.T, _ tenancy.Kind, f *forge) {
			f.header["alg"] = rapid.SampledFrom([]any{"none", "None", "", "hs256", "HS384", "HS512", "RS256", "ES256", "PS256", "EdDSA", nil, 256}).Draw(t, "alg")
		},
		"type of another kind": func(t *rapid.T, kind tenancy.Kind, f *forge) { f.header["typ"] = another(t, kind) },
		"type of others": func(t *rapid.T, _ tenancy.Kind, f *forge) {
			f.header["typ"] = rapid.SampledFrom([]any{"JWT", "at+jwt", "", nil}).Draw(t, "typ")
		},
		"audience of another kind": func(t *rapid.T, kind tenancy.Kind, f *forge) { f.claims["aud"] = another(t, kind) },
		"no audience":              func(_ *rapid.T, _ tenancy.Kind, f *forge) { delete(f.claims, "aud") },
		"issuer": func(t *rapid.T, _ tenancy.Kind, f *forge) {
			f.claims["iss"] = rapid.SampledFrom([]any{"", "https://colaflow.test/", "http://colaflow.test", "https://evil.test", nil}).Draw(t, "iss")
		},
		"expired": func(t *rapid.T, _ tenancy.Kind, f *forge) {
			f.claims["exp"] = c.now().Unix() - rapid.Int64Range(31, 1e9).Draw(t, "seconds")
		},
		"no expiry": func(_ *rapid.T, _ tenancy.Kind, f *forge) { delete(f.claims, "exp") },
		"expiry of no time": func(t *rapid.T, _ tenancy.Kind, f *forge) {
			f.claims["exp"] = rapid.SampledFrom([]any{"never", true, -1, []int{}}).Draw(t, "exp")
		},
		"not yet": func(t *rapid.T, _ tenancy.Kind, f *forge) {
			f.claims["nbf"] = c.now().Unix() + rapid.Int64Range(31, 1e9).Draw(t, "seconds")
		},
		"issued later": func(t *rapid.T, _ tenancy.Kind, f *forge) {
			f.claims["iat"] = c.now().Unix() + rapid.Int64Range(31, 1e9).Draw(t, "seconds")
		},
		"nobody's":           func(_ *rapid.T, _ tenancy.Kind, f *forge) { delete(f.claims, "sub") },
		"without an id":      func(_ *rapid.T, _ tenancy.Kind, f *forge) { delete(f.claims, "jti") },
		"without its tenant": func(_ *rapid.T, _ tenancy.Kind, f *forge) { delete(f.claims, "tenant_id") },
	}
	names := make([]string, 0, len(tricks))
	for name := range tricks {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, kind := range everyKind {
		for _, name := range names {
			rapid.Check(t, func(rt *rapid.T) {
				f := genuine(kind, acme.Tenant, keys[acme.ID], mine, c.now())
				tricks[name](rt, kind, &f)
				requireRefused(rt, app, kind, f.String(), name)
			})
		}
	}
}

func another(t *rapid.T, kind tenancy.Kind) string {
	others := slices.DeleteFunc(slices.Clone(everyKind), func(k tenancy.Kind) bool { return k == kind })
	return string(rapid.SampledFrom(others).Draw(t, "kind"))
}

// requireRefused wants the one answer, from Verify and from Spend.
func requireRefused(t *rapid.T, app *tenancy.Application, kind tenancy.Kind, raw, why string) {
	const want = "unauthenticated: The session or link is not valid or has expired. Sign in again."
	for _, check := range []func(context.Context, tenancy.Kind, string) (tenancy.Claims, error){app.Verify, app.Spend} {
		claims, err := check(context.Background(), kind, raw)
		if errText(err) != want || claims.Subject != "" || claims.TenantSlug != "" {
			t.Fatalf("%s as %s: %v, %+v: %s", why, kind, err, claims, raw)
		}
	}
}

// TestAttack076_Mutations changes a genuine token anywhere: nothing else passes for it.
func TestAttack076_Mutations(t *testing.T) {
	t.Parallel()
	c := newClock()
	db := storetest.Open(t, storetest.Options{MaxConns: 4, Clock: c.now})
	app := use(t, node(t, db, c), db.Tenant(t, "acme").Tenant)
	good, err := app.Sign(t.Context(), tenancy.KindSession, "u", time.Hour, tenancy.Claims{Email: "ada@acme.test"})
	require.NoError(t, err)
	for at := range good {
		_, err := app.Verify(t.Context(), tenancy.KindSession, good[:at]+"\n"+good[at:])
		require.Error(t, err, "base64 passes over line ends")
	}
	rapid.Check(t, func(rt *rapid.T) {
		raw := []byte(good)
		at := rapid.IntRange(0, len(raw)-1).Draw(rt, "at")
		switch rapid.IntRange(0, 2).Draw(rt, "how") {
		case 0:
			raw[at] = rapid.Byte().Filter(func(b byte) bool { return b != good[at] }).Draw(rt, "byte")
		case 1:
			raw = slices.Delete(raw, at, at+1)
		default:
			raw = slices.Insert(raw, at, rapid.Byte().Draw(rt, "byte"))
		}
		requireRefused(rt, app, tenancy.KindSession, string(raw), "mutation")
	})
}

// TestAttack014_LeewayOfNodes has nodes whose clocks differ: a token is good on each
// until its end, give or take the half minute that clocks may be off.
func TestAttack014_LeewayOfNodes(t *testing.T) {
	t.Parallel()
	signer := newClock()
	db := storetest.Open(t, storetest.Options{MaxConns: 4, Clock: signer.now})
	acme := db.Tenant(t, "acme")
	app := use(t, node(t, db, signer), acme.Tenant)
	raw, err := app.Sign(t.Context(), tenancy.KindSession, "u", 10*time.Minute, tenancy.Claims{})
	require.NoError(t, err)
	for _, test := range []struct {
		after time.Duration
		good  bool
	}{{-5 * time.Minute, false}, {-31 * time.Second, false}, {-29 * time.Second, true}, {0, true}, {10 * time.Minute, true},
		{10*time.Minute + 29*time.Second, true}, {10*time.Minute + 31*time.Second, false}, {15 * time.Minute, false}} {
		off := newClock()
		off.advance(test.after)
		_, err := use(t, node(t, db, off), acme.Tenant).Verify(t.Context(), tenancy.KindSession, raw)
		require.Equal(t, test.good, err == nil, "%s after it was signed: %v", test.after, err)
	}
}

// TestSpend_TwoNodes spends each ticket 50 times in parallel on two nodes, each with
// a store of its own: exactly one of them wins, also after both were started again.
func TestSpend_TwoNodes(t *testing.T) {
	t.Parallel()
	c := newClock()
	db := storetest.Open(t, storetest.Options{MaxConns: 8, Clock: c.now, Wait: time.Minute})
	acme := db.Tenant(t, "acme")
	second := &storetest.DB{Store: db.Reopen(t, storetest.Options{MaxConns: 8, Clock: c.now, Wait: time.Minute}), Key: db.Key}
	nodes := []*tenancy.Application{use(t, node(t, db, c), acme.Tenant), use(t, node(t, second, c), acme.Tenant)}
	for _, kind := range []tenancy.Kind{tenancy.KindSignInLink, tenancy.KindPageLink} {
		for round := range 5 {
			link, err := nodes[round%2].Sign(t.Context(), kind, "u", time.Hour, tenancy.Claims{})
			require.NoError(t, err)
			var won, refused atomic.Int64
			var wg sync.WaitGroup
			for n := range 50 {
				wg.Go(func() {
					switch _, err := nodes[n%2].Spend(t.Context(), kind, link); tenancy.CodeOf(err) {
					case "":
						won.Add(1)
					case tenancy.Unauthenticated:
						refused.Add(1)
					default:
						t.Errorf("neither won nor refused: %v", err)
					}
				})
			}
			wg.Wait()
			require.Equal(t, []int64{1, 49}, []int64{won.Load(), refused.Load()}, fmt.Sprint(kind, round))
			_, err = use(t, node(t, second, c), acme.Tenant).Spend(t.Context(), kind, link)
			require.Equal(t, tenancy.Unauthenticated, tenancy.CodeOf(err), "a fresh process knows it, too")
		}
	}
}

// FuzzTenantOfJWT: only what could be a key of ours names a tenant.
func FuzzTenantOfJWT(f *testing.F) {
	key := tenancy.NewID().String()
	for _, header := range []string{`{"kid":"` + key + `.` + key + `"}`, `{"kid":["x"]}`, `{"kid":"` + key + `"}`, `{`, `null`, `{"kid":"{` + key + `}.x"}`} {
		f.Add(base64.RawURLEncoding.EncodeToString([]byte(header)) + ".e30.c2ln")
	}
	f.Fuzz(func(t *testing.T, raw string) {
		tenant, err := tenancy.TenantOfJWT(raw)
		if err != nil {
			require.Equal(t, tenancy.Unauthenticated, tenancy.CodeOf(err))
			return
		}
		head, err := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[0])
		require.NoError(t, err)
		var header map[string]any
		require.NoError(t, json.Unmarshal(head, &header))
		require.Equal(t, tenant.String(), strings.ToLower(header["kid"].(string))[:36])
	})
}
