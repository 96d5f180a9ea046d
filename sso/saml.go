package sso

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/colaflow/colaflow/tenancy"
)

// samlProvider is a Provider that speaks SAML 2.0: Web Browser SSO, signed
// requests by HTTP-Redirect, responses by HTTP-POST.
type samlProvider struct {
	conn   Connection
	tenant tenancy.Tenant
	idp    idp
	key    crypto.Signer
	cert   *x509.Certificate
	clock  func() time.Time
	// stale says why the metadata could not be read again; the stored one is used.
	stale  error
	offset time.Duration // of the provider's clock, where it is known
}

// openSAML reads the provider's metadata, from its address if there is one. The
// stored copy serves while that is down; another entity never takes its place.
func openSAML(ctx context.Context, tenant tenancy.Tenant, conn Connection, secrets Secrets, reach Reach, clock func() time.Time) (*samlProvider, error) {
	p := &samlProvider{conn: conn, tenant: tenant, clock: clock}
	var err error
	if p.idp, err = parseMetadata([]byte(conn.SAML.Metadata)); err != nil {
		return nil, err
	}
	if p.cert, p.key, err = secrets.signer(); err != nil {
		return nil, err
	}
	if conn.SAML.MetadataURL != "" {
		p.stale = p.refresh(ctx, reach)
	}
	if err := reach.CheckAddress(p.idp.signOn); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *samlProvider) refresh(ctx context.Context, reach Reach) error {
	data, header, err := fetch(ctx, reach.client(), p.conn.SAML.MetadataURL)
	if err != nil {
		return err
	}
	p.offset = clockOffset(header, p.clock())
	fresh, err := parseMetadata(data)
	if err != nil {
		return err
	}
	if fresh.entityID != p.idp.entityID {
		return problem(IssuerMismatch, nil, "set is %q, the address now describes %q", p.idp.entityID, fresh.entityID)
	}
	p.idp = fresh
	return nil
}

// Begin implements Provider. The state of the attempt is the id of the request.
func (p *samlProvider) Begin(_ context.Context, a Attempt) (string, error) {
	request := saml.AuthnRequest{
		ID: a.State, Version: "2.0", IssueInstant: p.clock().UTC(), Destination: p.idp.signOn,
		AssertionConsumerServiceURL: p.conn.ACSURL(p.tenant), ProtocolBinding: saml.HTTPPostBinding,
		Issuer: &saml.Issuer{Format: "urn:oasis:names:tc:SAML:2.0:nameid-format:entity", Value: p.conn.EntityID(p.tenant)},
	}
	doc := etree.NewDocument()
	doc.SetRoot(request.Element())
	var packed bytes.Buffer
	w, _ := flate.NewWriter(&packed, flate.BestCompression) // the level is valid
	if _, err := doc.WriteTo(w); err != nil {
		return "", fmt.Errorf("write SAML request: %w", err)
	}
	if err := w.Close(); err != nil {
		return "", fmt.Errorf("write SAML request: %w", err)
	}
	return p.sign(base64.StdEncoding.EncodeToString(packed.Bytes()), a.State)
}

// sign signs a request as SAML Bindings 3.4.4.1 wants it: the query in this order.
func (p *samlProvider) sign(request, relay string) (string, error) {
	query := "SAMLRequest=" + url.QueryEscape(request) + "&RelayState=" + url.QueryEscape(relay) + "&SigAlg=" + url.QueryEscape(dsig.RSASHA256SignatureMethod)
	signing, err := dsig.NewSigningContext(p.key, [][]byte{p.cert.Raw})
	if err != nil {
		return "", problem(SecretUnreadable, err, "")
	}
	if err := signing.SetSignatureMethod(dsig.RSASHA256SignatureMethod); err != nil {
		return "", problem(SecretUnreadable, err, "")
	}
	signature, err := signing.SignString(query)
	if err != nil {
		return "", problem(SecretUnreadable, err, "")
	}
	separator := "?"
	if strings.Contains(p.idp.signOn, "?") {
		separator = "&"
	}
	return p.idp.signOn + separator + query + "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature)), nil
}

// samlAnswer is the form field that carries a response.
const samlAnswer = "SAMLResponse"

// Complete implements Provider: it checks the response to the attempt's request.
func (p *samlProvider) Complete(_ context.Context, a Attempt, answer url.Values) (Identity, error) {
	raw, err := decodeResponse(answer.Get(samlAnswer))
	if err != nil {
		return Identity{}, err
	}
	id, _, err := p.accept(a.State, raw)
	return id, err
}

// accepted is what must be remembered of a response, so that it works once.
type accepted struct {
	assertion string
	until     time.Time
}

// accept checks a response to one of our requests.
func (p *samlProvider) accept(request string, raw []byte) (Identity, accepted, error) {
	now := p.clock()
	assertion, response, signed, err := signedAssertion(raw, p.idp.current(now), now)
	if err != nil {
		return Identity{}, accepted{}, err
	}
	x := expected{provider: p.idp.entityID, audience: p.conn.EntityID(p.tenant), recipient: p.conn.ACSURL(p.tenant), request: request, now: now}
	if err := x.checkResponse(response, signed); err != nil {
		return Identity{}, accepted{}, err
	}
	until, err := x.checkAssertion(assertion)
	if err != nil {
		return Identity{}, accepted{}, err
	}
	id, err := p.identify(assertion)
	return id, accepted{assertion.SelectAttrValue("ID", ""), until}, err
}

// identify makes an identity of an assertion that holds.
func (p *samlProvider) identify(assertion *etree.Element) (Identity, error) {
	names, attributes := p.conn.SAML.Attributes, attributesOf(assertion)
	subject, err := subjectOf(assertion, attributes, names.Subject)
	if err != nil {
		return Identity{}, err
	}
	find := func(set string, usual []string) []string {
		if set != "" {
			return attributes[set]
		}
		for _, name := range usual {
			if values := attributes[name]; len(values) > 0 {
				return values
			}
		}
		return nil
	}
	email := find(names.Email, usualEmail)
	if nameID := content(only(only(assertion, nsAssertion, "Subject"), nsAssertion, "NameID")); names.Email == "" && len(email) == 0 && strings.Contains(nameID, "@") {
		email = []string{nameID}
	}
	if len(email) > 1 {
		return Identity{}, problem(EmailInvalid, nil, "there are %d addresses", len(email))
	}
	id := Identity{Provider: p.conn.ID, Issuer: p.idp.entityID, Subject: subject, Email: strings.Join(email, ""), Groups: find(names.Groups, usualGroups)}
	if name := find(names.Name, usualName); len(name) > 0 {
		id.Name = name[0]
	}
	return id.tidy()
}

// What providers call an attribute, where the connection does not say.
var (
	usualEmail = []string{"email", "mail", "emailAddress", "urn:oid:0.9.2342.19200300.100.1.3",
		"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"}
	usualName = []string{"displayName", "name", "urn:oid:2.16.840.1.113730.3.1.241", "cn", "urn:oid:2.5.4.3",
		"http://schemas.microsoft.com/identity/claims/displayname", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"}
	usualGroups = []string{"groups", "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups"}
)

const maxResponse = 256 << 10

func decodeResponse(encoded string) ([]byte, error) {
	if encoded == "" || len(encoded) > maxResponse {
		return nil, problem(ResponseUnreadable, nil, "it is empty or larger than %d KiB", maxResponse>>10)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(encoded), ""))
	if err != nil {
		return nil, problem(ResponseUnreadable, err, "it is not base64")
	}
	return raw, nil
}

// requestOf reads which request a response claims to answer, before anything in
// it is checked. It is good for finding out what to check it against.
func requestOf(raw []byte) (string, error) {
	response, err := parseXML(raw, withoutComments)
	if err != nil {
		return "", problem(ResponseUnreadable, err, "%v", err)
	}
	return response.SelectAttrValue("InResponseTo", ""), nil
}

// spMetadata describes us to a provider.
func spMetadata(tenant tenancy.Tenant, conn Connection, cert *x509.Certificate) ([]byte, error) {
	yes := true
	entity := saml.EntityDescriptor{EntityID: conn.EntityID(tenant), ValidUntil: cert.NotAfter, SPSSODescriptors: []saml.SPSSODescriptor{{
		SSODescriptor: saml.SSODescriptor{RoleDescriptor: saml.RoleDescriptor{
			ProtocolSupportEnumeration: nsProtocol,
			KeyDescriptors: []saml.KeyDescriptor{{Use: "signing", KeyInfo: saml.KeyInfo{X509Data: saml.X509Data{
				X509Certificates: []saml.X509Certificate{{Data: base64.StdEncoding.EncodeToString(cert.Raw)}}}}}},
		}},
		AuthnRequestsSigned: &yes, WantAssertionsSigned: &yes,
		AssertionConsumerServices: []saml.IndexedEndpoint{{Binding: saml.HTTPPostBinding, Location: conn.ACSURL(tenant), Index: 1, IsDefault: &yes}},
	}}}
	data, err := xml.MarshalIndent(entity, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write SAML metadata: %w", err)
	}
	return append([]byte(xml.Header), data...), nil
}

const (
	keyBits = 2048
	keyLife = 10 * 365 * 24 * time.Hour
)

// NewSigningKey makes the key pair that a SAML connection signs its requests with.
func NewSigningKey(name string, now time.Time) (Secrets, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return Secrets{}, fmt.Errorf("make signing key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return Secrets{}, fmt.Errorf("make signing key: %w", err)
	}
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "ColaFlow " + name}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(keyLife)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return Secrets{}, fmt.Errorf("make certificate: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Secrets{}, fmt.Errorf("write signing key: %w", err)
	}
	return Secrets{Key: der, Certificate: cert}, nil
}

// signer reads the key pair.
func (s Secrets) signer() (*x509.Certificate, crypto.Signer, error) {
	cert, err := x509.ParseCertificate(s.Certificate)
	if err != nil {
		return nil, nil, problem(SecretUnreadable, err, "")
	}
	key, err := x509.ParsePKCS8PrivateKey(s.Key)
	if err != nil {
		return nil, nil, problem(SecretUnreadable, err, "")
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, nil, problem(SecretUnreadable, nil, "")
	}
	return cert, signer, nil
}
