package sso

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/tests/program"
)

// keyPair writes a key and its certificate to PEM files.
func keyPair(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "A provider"}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	cert, key = filepath.Join(dir, "idp.crt"), filepath.Join(dir, "idp.pem")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)}), 0o600))
	return cert, key
}

const simpleSAML = "/usr/share/simplesamlphp"

// startSimpleSAML runs SimpleSAMLphp with people of its own; it returns its address and the
// folder of what it knows of service providers.
func startSimpleSAML(t *testing.T) (address, metadata string) {
	t.Helper()
	require.DirExists(t, simpleSAML, "these tests need SimpleSAMLphp; run: scripts/providers")
	php, err := exec.LookPath("php")
	require.NoError(t, err, "these tests need PHP; run: scripts/providers")
	dir := t.TempDir()
	keyPair(t, dir)
	port := program.FreePort(t)
	address = fmt.Sprintf("http://127.0.0.1:%d", port)
	metadata = filepath.Join(dir, "metadata")
	for _, name := range []string{"metadata", "log", "data", "tmp", "sessions"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o700))
	}
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("config.php", fmt.Sprintf(`<?php $config = ['baseurlpath' => '%s/', 'certdir' => '%s/', 'loggingdir' => '%[2]s/log/', 'datadir' => '%[2]s/data/', 'tempdir' => '%[2]s/tmp',
  'secretsalt' => 'one run of a test', 'auth.adminpassword' => 'nobody signs in as admin', 'enable.saml20-idp' => true, 'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true],
  'logging.handler' => 'errorlog', 'session.cookie.secure' => false, 'session.cookie.samesite' => null, 'session.phpsession.savepath' => '%[2]s/sessions',
  'session.phpsession.cookiename' => 'SimpleSAML', 'session.phpsession.httponly' => true, 'store.type' => 'phpsession', 'timezone' => 'UTC', 'language.default' => 'en',
  'language.available' => ['en'], 'metadata.sources' => [['type' => 'flatfile', 'directory' => '%[2]s/metadata']], 'theme.use' => 'default'];`, address, dir))
	write("authsources.php", `<?php $config = ['people' => ['exampleauth:UserPass',
  'dora:pass' => ['uid' => ['dora'], 'mail' => ['dora@acme.test'], 'displayName' => ['Dora Ek'], 'memberOf' => ['staff', 'ColaFlow Admins']],
  'eve:pass' => ['uid' => ['eve'], 'mail' => ['eve@evil.test'], 'displayName' => ['Eve']]]];`)
	write("metadata/saml20-idp-hosted.php", `<?php $metadata['`+address+`'] = ['host' => '__DEFAULT__', 'privatekey' => 'idp.pem', 'certificate' => 'idp.crt', 'auth' => 'people',
  'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', 'NameIDFormat' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
  'authproc' => [3 => ['class' => 'saml:AttributeNameID', 'attribute' => 'uid', 'Format' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent']]];`)
	program.Start(t, "Development Server", []string{"SIMPLESAMLPHP_CONFIG_DIR=" + dir, "PATH=" + os.Getenv("PATH")},
		php, "-S", fmt.Sprintf("127.0.0.1:%d", port), "-t", simpleSAML+"/www", "-d", "error_reporting=0", "-d", "display_errors=0")
	return address, metadata
}

// know tells SimpleSAMLphp of us, as an admin does.
func know(t *testing.T, metadata string, c connection, more string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(metadata, "saml20-sp-remote.php"), []byte(fmt.Sprintf(`<?php $metadata['%s'] = ['AssertionConsumerService' => '%s',
  'NameIDFormat' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent', %s];`, c.Addresses.EntityID, c.Addresses.ACS, more)), 0o600))
}

// TestSimpleSAMLphp: people come in by SimpleSAMLphp, with its own page.
func TestSimpleSAMLphp(t *testing.T) {
	t.Parallel()
	b := setup(t, "acme")
	idp, metadata := startSimpleSAML(t)
	c := b.set(t, "acme", "set-saml", "work", "--metadata-url", idp+"/saml2/idp/metadata.php", "--email-claim", "mail", "--name-claim", "displayName",
		"--groups-claim", "memberOf", "--group-role", "ColaFlow Admins=admin", "--trust-email")
	know(t, metadata, c, "'saml20.sign.assertion' => true")
	t.Log(b.run(t, "sso", "test", "work", "--tenant", "acme"))
	b.run(t, "sso", "enable", "work", "--tenant", "acme")
	in := func(who string) ended {
		return b.signIn(t, "acme", c.Addresses.Start+"&next=/issues", map[string]string{"username": who, "password": "pass"})
	}
	first := in("dora")
	require.NotNil(t, first.Me, first.Text)
	require.Equal(t, "dora@acme.test", first.Me.Email)
	require.Equal(t, "Dora Ek", first.Me.Name)
	require.Equal(t, "admin", first.Me.Role)
	require.Equal(t, b.url+"/issues?tenant=acme", first.URL)
	require.Equal(t, first.Me.ID, in("dora").Me.ID, "the second sign-in makes nobody")
	refused := in("eve")
	require.Nil(t, refused.Me)
	require.Contains(t, refused.Text, "domain_not_allowed")

	// An encrypted or unsigned answer is refused, and says what to change there.
	know(t, metadata, c, "'saml20.sign.assertion' => false, 'saml20.sign.response' => false")
	refused = in("dora")
	require.Nil(t, refused.Me)
	require.Contains(t, refused.Text, "response_unsigned")
	know(t, metadata, c, "'signature.algorithm' => 'http://www.w3.org/2000/09/xmldsig#rsa-sha1'")
	refused = in("dora")
	require.Nil(t, refused.Me)
	require.Contains(t, refused.Text, "signature_weak")
	b.run(t, "member", "deactivate", "dora@acme.test", "--tenant", "acme")
	know(t, metadata, c, "'saml20.sign.response' => true")
	refused = in("dora")
	require.Nil(t, refused.Me)
	require.Contains(t, refused.Text, "member_disabled")
}

// TestSamlp: people come in by the npm package samlp, with either part signed, and not
// with what is no longer safe.
func TestSamlp(t *testing.T) {
	t.Parallel()
	b := setup(t, "acme")
	dir := t.TempDir()
	cert, key := keyPair(t, dir)
	acs := filepath.Join(dir, "acs")
	begin := func(more map[string]any) connection {
		port := program.FreePort(t)
		argument := map[string]any{"port": port, "cert": cert, "key": key, "acs": acs,
			"user": map[string]any{"id": "cy-1", "displayName": "Cy Young", "emails": []map[string]string{{"value": "cy@acme.test"}}, "name": map[string]string{}}}
		for name, value := range more {
			argument[name] = value
		}
		node(t, "samlp.mjs", argument)
		name := fmt.Sprint("samlp-", port)
		file := filepath.Join(dir, name)
		res, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/metadata", port))
		require.NoError(t, err)
		data, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.NoError(t, os.WriteFile(file, data, 0o600))
		c := b.set(t, "acme", "set-saml", name, "--metadata-file", file, "--trust-email",
			"--email-claim", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", "--name-claim", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name")
		b.run(t, "sso", "enable", name, "--tenant", "acme")
		require.NoError(t, os.WriteFile(acs, []byte(c.Addresses.ACS), 0o600))
		return c
	}
	c := begin(nil)
	first := b.signIn(t, "acme", c.Addresses.Start, nil)
	require.NotNil(t, first.Me, first.Text)
	require.Equal(t, "cy@acme.test", first.Me.Email)
	b.run(t, "sso", "remove", c.Name, "--tenant", "acme")
	weak := b.signIn(t, "acme", begin(map[string]any{"signatureAlgorithm": "rsa-sha1", "digestAlgorithm": "sha1"}).Addresses.Start, nil)
	require.Nil(t, weak.Me)
	require.Contains(t, weak.Text, "signature_weak")
}
