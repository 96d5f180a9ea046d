package sso

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fixtureTime is when the responses of testdata were answers, and what to.
var (
	fixtureTime = time.Date(2030, 3, 1, 12, 1, 0, 0, time.UTC)
	fixture     = expected{provider: "https://idp.example.com", audience: "https://acme.example.com/metadata", recipient: "https://acme.example.com/acs",
		request: "_request", now: fixtureTime}
)

func readFixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return data
}

func fixtureCertificates(t testing.TB, names ...string) []*x509.Certificate {
	t.Helper()
	var list []*x509.Certificate
	for _, name := range names {
		block, _ := pem.Decode(readFixture(t, name+".crt"))
		cert, err := x509.ParseCertificate(block.Bytes)
		require.NoError(t, err)
		list = append(list, cert)
	}
	return list
}

// judge checks a response as the provider does, and returns its subject.
func (x expected) judge(raw []byte, certificates []*x509.Certificate) (string, error) {
	assertion, response, signed, err := signedAssertion(raw, certificates, x.now)
	if err != nil {
		return "", err
	}
	if err := x.checkResponse(response, signed); err != nil {
		return "", err
	}
	if _, err := x.checkAssertion(assertion); err != nil {
		return "", err
	}
	return subjectOf(assertion, attributesOf(assertion), "")
}

// TestAttack085_Fixtures judges responses that xmlsec1 signed (testdata/gen.sh).
func TestAttack085_Fixtures(t *testing.T) {
	t.Parallel()
	trusted := fixtureCertificates(t, "ec", "idp")
	for name, want := range map[string]Code{"assertion": "", "response": "", "both": "", "prefixes": "", "rsa512": "", "ecdsa": "",
		"sha1": SignatureWeak, "sha1-digest": SignatureWeak, "stranger": SignatureInvalid, "comment": ResponseUnreadable} {
		subject, err := fixture.judge(readFixture(t, name+".xml"), trusted)
		require.Equal(t, want, CodeOf(err), "%s: %v", name, err)
		require.Equal(t, want == "", subject == "ada-1", name)
	}
	responses, err := filepath.Glob("testdata/*.xml")
	require.NoError(t, err)
	require.Len(t, responses, 10, "each is judged above")
	_, err = fixture.judge(readFixture(t, "assertion.xml"), fixtureCertificates(t, "stranger"))
	require.Equal(t, SignatureInvalid, CodeOf(err), "the certificate in the response counts for nothing")
	_, err = fixture.judge(readFixture(t, "assertion.xml"), nil)
	require.Equal(t, CertificateExpired, CodeOf(err))
}

// TestFixtures_Skew moves the clock over the edges of a response's life.
func TestFixtures_Skew(t *testing.T) {
	t.Parallel()
	trusted := fixtureCertificates(t, "idp")
	issued, end := time.Date(2030, 3, 1, 12, 0, 0, 0, time.UTC), time.Date(2030, 3, 1, 12, 5, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		at   time.Time
		fits bool
	}{
		"at once":       {issued, true},
		"slow by 3 min": {issued.Add(-skew), true},
		"slower":        {issued.Add(-skew - time.Second), false},
		"fast by 3 min": {end.Add(skew - time.Second), true},
		"faster":        {end.Add(skew), false},
	} {
		x := fixture
		x.now = c.at
		_, err := x.judge(readFixture(t, "both.xml"), trusted)
		require.Equal(t, c.fits, err == nil, "%s: %v", name, err)
		if err != nil {
			require.Equal(t, TimeWrong, CodeOf(err), name)
			require.Regexp(t, `differ by 3m1s|expired 3m0s`, err.Error())
		}
	}
}

// TestFixtures_EveryByte changes each byte of a signed response: nobody else ever
// comes in by it.
func TestFixtures_EveryByte(t *testing.T) {
	t.Parallel()
	genuine, trusted := readFixture(t, "assertion.xml"), fixtureCertificates(t, "idp")
	for n := range genuine {
		changed := append([]byte{}, genuine...)
		changed[n] ^= 1 << (n % 7)
		if subject, err := fixture.judge(changed, trusted); err == nil {
			require.Equal(t, "ada-1", subject, "byte %d", n)
		} else {
			require.NotEmpty(t, CodeOf(err), "byte %d: %v", n, err)
		}
	}
}

// FuzzResponse feeds anything to the reader of responses: it may refuse, with a
// code, or find the one who signed in; it may not fall over.
func FuzzResponse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.xml")
	require.NoError(f, err)
	for _, name := range files {
		f.Add(readFixture(f, filepath.Base(name)))
	}
	f.Add([]byte(`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"><a:Assertion xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"/></samlp:Response>`))
	f.Add([]byte(`<x xmlns:xmlns="http://www.w3.org/2000/xmlns/"/>`))
	trusted := fixtureCertificates(f, "ec", "idp")
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, _ = requestOf(raw)
		subject, err := fixture.judge(raw, trusted)
		switch {
		case err == nil && subject != "ada-1":
			t.Fatalf("%q came in", subject)
		case err != nil && CodeOf(err) == "":
			t.Fatalf("a refusal without a code: %v", err)
		}
	})
}

// FuzzMetadata feeds anything to the reader of metadata.
func FuzzMetadata(f *testing.F) {
	f.Add([]byte(validMetadata(f)))
	f.Add([]byte(strings.Replace(validMetadata(f), "signing", "encryption", 1)))
	f.Add([]byte(`<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="x"/>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parseMetadata(data)
		switch {
		case err != nil && CodeOf(err) == "":
			t.Fatalf("a refusal without a code: %v", err)
		case err == nil && (p.entityID == "" || p.signOn == "" || len(p.certificates) == 0):
			t.Fatal("metadata without what is needed of it")
		}
	})
}
