package sso

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/sso/ssotest"
)

// validMetadata describes a provider that signs with the certificate of testdata.
func validMetadata(t testing.TB) string {
	t.Helper()
	p := ssotest.SAML{EntityID: "https://idp.example.com", SignOn: "https://idp.example.com/sso", Pair: ssotest.KeyPair{Certificate: fixtureCertificates(t, "idp")[0]}}
	return p.Metadata()
}

func TestParseMetadata(t *testing.T) {
	t.Parallel()
	good := validMetadata(t)
	p, err := parseMetadata([]byte("<?xml version=\"1.0\"?>\n<!-- made by hand -->\n" + good))
	require.NoError(t, err)
	require.Equal(t, "https://idp.example.com", p.entityID)
	require.Equal(t, "https://idp.example.com/sso", p.signOn)
	require.Len(t, p.certificates, 1)
	require.Len(t, p.current(fixtureTime), 1)
	require.Empty(t, p.current(time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)))
	require.Empty(t, p.current(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)))
	certificate := base64.StdEncoding.EncodeToString(p.certificates[0].Raw)
	weak := "MIIBhTCB76ADAgECAhRq" // no certificate at all
	for name, bad := range map[string]string{
		"empty":            "",
		"no XML":           "hello",
		"HTML":             "<html><body>Sign in</body></html>",
		"DTD":              `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + good,
		"federation":       `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">` + good + `</md:EntitiesDescriptor>`,
		"other namespace":  strings.Replace(good, "SAML:2.0:metadata", "SAML:1.0:metadata", 1),
		"no entity ID":     strings.Replace(good, `entityID="https://idp.example.com"`, "", 1),
		"service provider": strings.ReplaceAll(good, "IDPSSODescriptor", "SPSSODescriptor"),
		"POST only":        strings.Replace(good, "HTTP-Redirect", "HTTP-POST", 1),
		"no certificate":   strings.Replace(good, certificate, "", 1),
		"broken base64":    strings.Replace(good, certificate, "%%%", 1),
		"no certificate 2": strings.Replace(good, certificate, weak, 1),
		"encryption only":  strings.Replace(good, `use="signing"`, `use="encryption"`, 1),
		"large":            good + strings.Repeat(" ", maxMetadata),
		"cut":              good[:len(good)-20],
	} {
		_, err := parseMetadata([]byte(bad))
		require.Equal(t, MetadataInvalid, CodeOf(err), "%s: %v", name, err)
	}
	_, err = parseMetadata([]byte(strings.Replace(good, ` use="signing"`, "", 1)))
	require.NoError(t, err, "a key without use is for everything")
}
