package ssotest

import (
	"bytes"
	"compress/flate"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"math/big"
	"net/url"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/require"
)

// SAML is a SAML identity provider. It has no server of its own: tests carry its
// responses.
type SAML struct {
	EntityID string
	SignOn   string
	Pair     KeyPair
}

// KeyPair signs, and its certificate says so.
type KeyPair struct {
	Key         *rsa.PrivateKey
	Certificate *x509.Certificate
}

// NewKeyPair makes a key pair that is valid in this time.
func NewKeyPair(t testing.TB, from, until time.Time) KeyPair {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test provider"}, NotBefore: from, NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return KeyPair{key, cert}
}

// NewSAML makes a provider whose certificate is valid for a year.
func NewSAML(t testing.TB) *SAML {
	t.Helper()
	now := time.Now()
	return &SAML{EntityID: "https://idp.example.com/saml", SignOn: "https://idp.example.com/sso", Pair: NewKeyPair(t, now.Add(-time.Hour), now.AddDate(1, 0, 0))}
}

// Metadata describes the provider, with its certificate and more.
func (p *SAML) Metadata(more ...KeyPair) string {
	var keys string
	for _, pair := range append([]KeyPair{p.Pair}, more...) {
		keys += `<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>` +
			base64.StdEncoding.EncodeToString(pair.Certificate.Raw) + `</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`
	}
	return `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="` + escaped(p.EntityID) + `">` +
		`<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` + keys +
		`<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="` + escaped(p.SignOn) + `"/>` +
		`</md:IDPSSODescriptor></md:EntityDescriptor>`
}

// Request is what we ask of a SAML provider.
type Request struct {
	ID, ACS, Issuer, Destination, RelayState string
}

// ReadRequest reads the address that a sign-in goes to, and checks its signature.
func ReadRequest(t testing.TB, address string, signer *x509.Certificate) Request {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	signed, signature, found := bytes.Cut([]byte(u.RawQuery), []byte("&Signature="))
	require.True(t, found)
	text, err := url.QueryUnescape(string(signature))
	require.NoError(t, err)
	raw, err := base64.StdEncoding.DecodeString(text)
	require.NoError(t, err)
	require.NoError(t, signer.CheckSignature(x509.SHA256WithRSA, signed, raw), "the request is signed as SAML Bindings say")

	packed, err := base64.StdEncoding.DecodeString(u.Query().Get("SAMLRequest"))
	require.NoError(t, err)
	data, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	require.NoError(t, err)
	var request struct {
		ID          string `xml:",attr"`
		ACS         string `xml:"AssertionConsumerServiceURL,attr"`
		Destination string `xml:",attr"`
		Issuer      string
	}
	require.NoError(t, xml.Unmarshal(data, &request))
	return Request{ID: request.ID, ACS: request.ACS, Issuer: request.Issuer, Destination: request.Destination, RelayState: u.Query().Get("RelayState")}
}

// Response says what a response holds. Answer fills it honestly.
type Response struct {
	ID, AssertionID                         string
	Issuer, Destination, Recipient          string
	InResponseTo, Audience                  string
	IssuedAt, NotBefore, NotOnOrAfter       time.Time
	NameID, NameIDFormat                    string
	Attributes                              map[string][]string
	Status                                  string
	NoSubject, NoConditions, NoAudience     bool
	NoConfirmation, NoStatement, NoResponse bool
	ExtraAudience                           string // a second restriction
	Condition                               string // an unknown condition, as XML
}

// Answer is an honest response to a request.
func (p *SAML) Answer(r Request, now time.Time) Response {
	return Response{ID: "_r" + randomHex(), AssertionID: "_a" + randomHex(), Issuer: p.EntityID, Destination: r.ACS, Recipient: r.ACS, InResponseTo: r.ID,
		Audience: r.Issuer, IssuedAt: now, NotBefore: now.Add(-time.Minute), NotOnOrAfter: now.Add(5 * time.Minute), NameID: "ada-1",
		NameIDFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", Status: "urn:oasis:names:tc:SAML:2.0:status:Success",
		Attributes: map[string][]string{"mail": {"ada@acme.test"}, "displayName": {"Ada Byron"}}}
}

// XML is the response, unsigned.
func (r Response) XML() *etree.Document {
	const format = "2006-01-02T15:04:05.000Z"
	at := func(t time.Time) string { return t.UTC().Format(format) }
	inResponseTo := ""
	if r.InResponseTo != "" {
		inResponseTo = fmt.Sprintf(` InResponseTo="%s"`, escaped(r.InResponseTo))
	}
	destination := ""
	if r.Destination != "" {
		destination = fmt.Sprintf(` Destination="%s"`, escaped(r.Destination))
	}
	var subject, conditions, statement, attributes string
	if !r.NoSubject {
		confirmation := fmt.Sprintf(`<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="%s" Recipient="%s"%s/></saml:SubjectConfirmation>`,
			at(r.NotOnOrAfter), escaped(r.Recipient), inResponseTo)
		if r.NoConfirmation {
			confirmation = ""
		}
		subject = fmt.Sprintf(`<saml:Subject><saml:NameID Format="%s">%s</saml:NameID>%s</saml:Subject>`, r.NameIDFormat, escaped(r.NameID), confirmation)
	}
	if !r.NoConditions {
		for _, audience := range []string{r.Audience, r.ExtraAudience} {
			if audience != "" && !r.NoAudience {
				conditions += fmt.Sprintf(`<saml:AudienceRestriction><saml:Audience>%s</saml:Audience></saml:AudienceRestriction>`, escaped(audience))
			}
		}
		conditions = fmt.Sprintf(`<saml:Conditions NotBefore="%s" NotOnOrAfter="%s">%s%s</saml:Conditions>`, at(r.NotBefore), at(r.NotOnOrAfter), conditions, r.Condition)
	}
	if !r.NoStatement {
		statement = fmt.Sprintf(`<saml:AuthnStatement AuthnInstant="%s"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`, at(r.IssuedAt))
	}
	for name, values := range r.Attributes {
		attributes += fmt.Sprintf(`<saml:Attribute Name="%s">`, escaped(name))
		for _, v := range values {
			attributes += `<saml:AttributeValue>` + escaped(v) + `</saml:AttributeValue>`
		}
		attributes += `</saml:Attribute>`
	}
	if attributes != "" {
		attributes = `<saml:AttributeStatement>` + attributes + `</saml:AttributeStatement>`
	}
	assertion := fmt.Sprintf(`<saml:Assertion ID="%s" Version="2.0" IssueInstant="%s"><saml:Issuer>%s</saml:Issuer>%s%s%s%s</saml:Assertion>`,
		r.AssertionID, at(r.IssuedAt), escaped(r.Issuer), subject, conditions, statement, attributes)
	doc := etree.NewDocument()
	err := doc.ReadFromString(fmt.Sprintf(`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="%s" Version="2.0" IssueInstant="%s"%s%s><saml:Issuer>%s</saml:Issuer><samlp:Status><samlp:StatusCode Value="%s"/></samlp:Status>%s</samlp:Response>`,
		r.ID, at(r.IssuedAt), destination, inResponseTo, escaped(r.Issuer), r.Status, assertion))
	if err != nil {
		panic(err) // the text above is XML
	}
	return doc
}

// What is signed of a response.
const (
	SignAssertion = 1 << iota
	SignResponse
)

// Sign signs parts of a response with the provider's key.
func (p *SAML) Sign(t testing.TB, doc *etree.Document, what int) []byte {
	t.Helper()
	return SignWith(t, doc, what, p.Pair, dsig.RSASHA256SignatureMethod)
}

// SignWith signs parts of a response with any key and method.
func SignWith(t testing.TB, doc *etree.Document, what int, pair KeyPair, method string) []byte {
	t.Helper()
	sign := func(el *etree.Element) {
		context, err := dsig.NewSigningContext(pair.Key, [][]byte{pair.Certificate.Raw})
		require.NoError(t, err)
		context.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
		require.NoError(t, context.SetSignatureMethod(method))
		signature, err := context.ConstructSignature(el, true)
		require.NoError(t, err)
		el.InsertChildAt(1, signature) // after the issuer
	}
	if what&SignAssertion != 0 {
		assertion := doc.Root().SelectElement("saml:Assertion")
		alone := assertion.Copy() // as the verifier sees it: with its namespaces
		alone.CreateAttr("xmlns:saml", "urn:oasis:names:tc:SAML:2.0:assertion")
		sign(alone)
		doc.Root().InsertChildAt(assertion.Index(), alone)
		doc.Root().RemoveChild(assertion)
	}
	if what&SignResponse != 0 {
		sign(doc.Root())
	}
	data, err := doc.WriteToBytes()
	require.NoError(t, err)
	return data
}

// Posted is the form in which a browser posts a response.
func Posted(response []byte) url.Values {
	return url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString(response)}}
}

func escaped(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // writing to a buffer does not fail
	return b.String()
}
