package sso_test

import (
	"bytes"
	"compress/flate"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/require"

	"github.com/colaflow/colaflow/sso"
	"github.com/colaflow/colaflow/sso/ssotest"
)

// asked begins a sign-in and reads what the provider is asked.
func (b *bundle) asked(t *testing.T, p sso.Party) (sso.Start, ssotest.Request) {
	t.Helper()
	start := b.begin(t, p)
	cert, err := x509.ParseCertificate(p.Secrets.Certificate)
	require.NoError(t, err)
	return start, ssotest.ReadRequest(t, start.Address, cert)
}

func TestSAML_SignIn(t *testing.T) {
	t.Parallel()
	b, idp := setup(t), ssotest.NewSAML(t)
	for name, what := range map[string]int{"assertion": ssotest.SignAssertion, "response": ssotest.SignResponse, "both": ssotest.SignAssertion | ssotest.SignResponse} {
		p := b.saml(t, idp.Metadata())
		start, request := b.asked(t, p)
		require.Equal(t, p.Connection.ACSURL(b.acme), request.ACS)
		require.Equal(t, p.Connection.EntityID(b.acme), request.Issuer)
		require.Equal(t, idp.SignOn, request.Destination)
		require.LessOrEqual(t, len(request.RelayState), 80, "SAML Bindings 3.4.3")
		answer := idp.Answer(request, time.Now())
		answer.Attributes["groups"] = []string{"staff", "everyone"}
		out, err := b.receive(t.Context(), p, ssotest.Posted(idp.Sign(t, answer.XML(), what)), start)
		require.NoError(t, err, name)
		require.Equal(t, sso.Outcome{Return: "/", Identity: sso.Identity{Provider: p.Connection.ID, Issuer: idp.EntityID, Subject: "ada-1",
			Email: "ada@acme.test", Name: "Ada Byron", Groups: []string{"staff", "everyone"}}}, out, name)
	}
}

func TestSAML_Metadata(t *testing.T) {
	t.Parallel()
	b, idp := setup(t), ssotest.NewSAML(t)
	p := b.saml(t, idp.Metadata())
	data, err := b.Metadata(p)
	require.NoError(t, err)
	var m struct {
		XMLName  xml.Name `xml:"urn:oasis:names:tc:SAML:2.0:metadata EntityDescriptor"`
		EntityID string   `xml:"entityID,attr"`
		SP       struct {
			Signs string `xml:"AuthnRequestsSigned,attr"`
			Wants string `xml:"WantAssertionsSigned,attr"`
			Keys  []struct {
				Use         string `xml:"use,attr"`
				Certificate string `xml:"KeyInfo>X509Data>X509Certificate"`
			} `xml:"KeyDescriptor"`
			ACS []struct {
				Binding  string `xml:",attr"`
				Location string `xml:",attr"`
			} `xml:"AssertionConsumerService"`
		} `xml:"SPSSODescriptor"`
	}
	require.NoError(t, xml.Unmarshal(data, &m))
	require.Equal(t, p.Connection.EntityID(b.acme), m.EntityID)
	require.Equal(t, []string{"true", "true"}, []string{m.SP.Signs, m.SP.Wants})
	require.Len(t, m.SP.Keys, 1)
	require.Equal(t, "signing", m.SP.Keys[0].Use, "no key for encryption, so that providers do not encrypt")
	require.Equal(t, base64.StdEncoding.EncodeToString(p.Secrets.Certificate), m.SP.Keys[0].Certificate)
	require.Len(t, m.SP.ACS, 1)
	require.Equal(t, p.Connection.ACSURL(b.acme), m.SP.ACS[0].Location)
	require.NotContains(t, string(data), "PRIVATE")
	require.NotContains(t, string(data), "0001-01-01")
	p.Secrets = sso.Secrets{}
	_, err = b.Metadata(p)
	require.Equal(t, sso.SecretUnreadable, sso.CodeOf(err))
}

// TestAttack085_Wrapping: every kind of signature wrapping, of signed assertions and
// signed responses, is refused.
func TestAttack085_Wrapping(t *testing.T) {
	t.Parallel()
	b, idp := setup(t), ssotest.NewSAML(t)
	p := b.saml(t, idp.Metadata())
	tried := 0
	for _, what := range []int{ssotest.SignAssertion, ssotest.SignResponse, ssotest.SignAssertion | ssotest.SignResponse} {
		for kind := 1; kind <= ssotest.Wraps; kind++ {
			start, request := b.asked(t, p)
			genuine := idp.Sign(t, idp.Answer(request, time.Now()).XML(), what)
			wrapped, ok := ssotest.Wrap(t, kind, genuine, ssotest.Forge("victim"))
			if !ok {
				continue
			}
			tried++
			require.Contains(t, string(wrapped), "victim")
			out, err := b.receive(t.Context(), p, ssotest.Posted(wrapped), start)
			require.Contains(t, []sso.Code{sso.ResponseUnreadable, sso.SignatureInvalid}, sso.CodeOf(err), "XSW%d: %v", kind, err)
			require.Empty(t, out)
			_, err = b.receive(t.Context(), p, ssotest.Posted(genuine), start)
			require.NoError(t, err, "XSW%d: the genuine one works, so the refusal was for its form", kind)
		}
	}
	require.Equal(t, 6+2+8, tried)
}

// TestAttack085_Forms refuses what is wrong with the form or the signature of a
// response.
func TestAttack085_Forms(t *testing.T) {
	t.Parallel()
	b, idp := setup(t), ssotest.NewSAML(t)
	stranger, otherTenant := ssotest.NewSAML(t), ssotest.NewSAML(t)
	expired := ssotest.NewKeyPair(t, time.Now().AddDate(-2, 0, 0), time.Now().AddDate(-1, 0, 0))
	p := b.saml(t, idp.Metadata(expired))
	_ = b.saml(t, otherTenant.Metadata())
	edit := func(signed []byte, change func(doc *etree.Document)) []byte {
		doc := etree.NewDocument()
		require.NoError(t, doc.ReadFromBytes(signed))
		change(doc)
		data, err := doc.WriteToBytes()
		require.NoError(t, err)
		return data
	}
	replace := func(signed []byte, from, to string) []byte {
		require.Contains(t, string(signed), from)
		return []byte(strings.Replace(string(signed), from, to, 1))
	}
	sign := func(r ssotest.Response) []byte { return idp.Sign(t, r.XML(), ssotest.SignAssertion) }
	signature := func(doc *etree.Document) *etree.Element { return doc.FindElement("//Assertion/Signature") }
	reference := func(doc *etree.Document) *etree.Element {
		return doc.FindElement("//Assertion/Signature/SignedInfo/Reference")
	}
	for name, c := range map[string]struct {
		make func(ssotest.Response) []byte
		want sso.Code
	}{
		"unsigned":                {func(r ssotest.Response) []byte { return idp.Sign(t, r.XML(), 0) }, sso.ResponseUnsigned},
		"signed by a stranger":    {func(r ssotest.Response) []byte { return stranger.Sign(t, r.XML(), ssotest.SignAssertion) }, sso.SignatureInvalid},
		"by another tenant's key": {func(r ssotest.Response) []byte { return otherTenant.Sign(t, r.XML(), ssotest.SignResponse) }, sso.SignatureInvalid},
		"stranger's and genuine": {func(r ssotest.Response) []byte {
			doc := etree.NewDocument()
			require.NoError(t, doc.ReadFromBytes(idp.Sign(t, r.XML(), ssotest.SignAssertion)))
			return stranger.Sign(t, doc, ssotest.SignResponse)
		}, sso.SignatureInvalid},
		"SHA-1": {func(r ssotest.Response) []byte {
			return ssotest.SignWith(t, r.XML(), ssotest.SignAssertion, idp.Pair, dsig.RSASHA1SignatureMethod)
		}, sso.SignatureWeak},
		"expired certificate": {func(r ssotest.Response) []byte {
			return ssotest.SignWith(t, r.XML(), ssotest.SignAssertion, expired, dsig.RSASHA256SignatureMethod)
		}, sso.SignatureInvalid},
		"two assertions": {func(r ssotest.Response) []byte { // CVE-2022-41912
			return edit(sign(r), func(doc *etree.Document) {
				second := doc.FindElement("//Assertion").Copy()
				second.RemoveChild(second.FindElement("./Signature"))
				second.CreateAttr("ID", "_second")
				second.FindElement("./Subject/NameID").SetText("victim")
				doc.Root().AddChild(second)
			})
		}, sso.ResponseUnreadable},
		"two references": {func(r ssotest.Response) []byte { // CVE-2026-33487
			return edit(sign(r), func(doc *etree.Document) {
				first := reference(doc)
				second := first.Copy()
				second.CreateAttr("URI", "#_elsewhere")
				first.Parent().AddChild(second)
			})
		}, sso.ResponseUnreadable},
		"reference to everything": {func(r ssotest.Response) []byte {
			return edit(sign(r), func(doc *etree.Document) { reference(doc).CreateAttr("URI", "") })
		}, sso.ResponseUnreadable},
		"reference elsewhere": {func(r ssotest.Response) []byte {
			return edit(sign(r), func(doc *etree.Document) { reference(doc).CreateAttr("URI", "#"+doc.Root().SelectAttrValue("ID", "")) })
		}, sso.ResponseUnreadable},
		"XSLT": {func(r ssotest.Response) []byte {
			return edit(sign(r), func(doc *etree.Document) {
				reference(doc).FindElement("./Transforms/Transform").CreateAttr("Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116")
			})
		}, sso.ResponseUnreadable},
		"two SignedInfo": {func(r ssotest.Response) []byte {
			return edit(sign(r), func(doc *etree.Document) { signature(doc).AddChild(signature(doc).FindElement("./SignedInfo").Copy()) })
		}, sso.ResponseUnreadable},
		"two signatures": {func(r ssotest.Response) []byte {
			return edit(sign(r), func(doc *etree.Document) { signature(doc).Parent().AddChild(signature(doc).Copy()) })
		}, sso.ResponseUnreadable},
		"the same ID twice": {func(r ssotest.Response) []byte {
			return edit(sign(r), func(doc *etree.Document) { doc.Root().CreateAttr("ID", r.AssertionID) })
		}, sso.ResponseUnreadable},
		"empty signature": {func(r ssotest.Response) []byte {
			return edit(sign(r), func(doc *etree.Document) { signature(doc).FindElement("./SignatureValue").SetText("") })
		}, sso.SignatureInvalid},
		"HMAC by the certificate": {func(r ssotest.Response) []byte {
			return replace(sign(r), dsig.RSASHA256SignatureMethod, "http://www.w3.org/2000/09/xmldsig#hmac-sha1")
		}, sso.SignatureWeak},
		"MD5 digest": {func(r ssotest.Response) []byte {
			return replace(sign(r), "http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmldsig-more#md5")
		}, sso.SignatureWeak},
		"changed subject": {func(r ssotest.Response) []byte { return replace(sign(r), ">ada-1<", ">victim<") }, sso.SignatureInvalid},
		"changed address": {func(r ssotest.Response) []byte { return replace(sign(r), "ada@acme.test", "bob@acme.test") }, sso.SignatureInvalid},
		"comment in NameID": {func(r ssotest.Response) []byte {
			r.NameID = "victim.evil"
			return replace(sign(r), ">victim.evil<", ">victim<!---->.evil<")
		}, sso.ResponseUnreadable},
		"comment anywhere": {func(r ssotest.Response) []byte { return append(sign(r), []byte("<!-- x -->")...) }, sso.ResponseUnreadable},
		"processing instruction": {func(r ssotest.Response) []byte {
			return replace(sign(r), ">ada-1<", "><?x y?>ada-1<")
		}, sso.ResponseUnreadable},
		"DTD": {func(r ssotest.Response) []byte {
			return append([]byte(`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>`), sign(r)...)
		}, sso.ResponseUnreadable},
		"entity": {func(r ssotest.Response) []byte {
			return append([]byte(`<!DOCTYPE x [<!ENTITY e "victim">]>`), replace(sign(r), ">ada-1<", ">&e;<")...)
		}, sso.ResponseUnreadable},
		"undeclared entity": {func(r ssotest.Response) []byte { return replace(sign(r), ">ada-1<", ">&e;<") }, sso.ResponseUnreadable},
		"billion laughs": {func(ssotest.Response) []byte {
			return []byte(`<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol">&b;</samlp:Response>`)
		}, sso.ResponseUnreadable},
		"two roots": {func(r ssotest.Response) []byte { return append(sign(r), sign(r)...) }, sso.ResponseUnreadable},
		"deep": {func(r ssotest.Response) []byte {
			return replace(sign(r), ">ada-1<", ">"+strings.Repeat("<x>", 1000)+strings.Repeat("</x>", 1000)+"<")
		}, sso.ResponseUnreadable},
		"deflate bomb": {func(ssotest.Response) []byte {
			var packed bytes.Buffer
			w, err := flate.NewWriter(&packed, flate.BestCompression)
			require.NoError(t, err)
			_, err = w.Write(make([]byte, 64<<20))
			require.NoError(t, err)
			require.NoError(t, w.Close())
			return packed.Bytes()
		}, sso.ResponseUnreadable},
		"large":  {func(r ssotest.Response) []byte { r.NameID = strings.Repeat("x", 300<<10); return sign(r) }, sso.ResponseUnreadable},
		"empty":  {func(ssotest.Response) []byte { return nil }, sso.ResponseUnreadable},
		"no XML": {func(ssotest.Response) []byte { return []byte("{}") }, sso.ResponseUnreadable},
		"assertion": {func(r ssotest.Response) []byte {
			return edit(sign(r), func(doc *etree.Document) { doc.SetRoot(doc.FindElement("//Assertion").Copy()) })
		}, sso.Unsolicited},
		"encrypted": {func(r ssotest.Response) []byte {
			return edit(sign(r), func(doc *etree.Document) {
				doc.Root().RemoveChild(doc.FindElement("//Assertion"))
				doc.Root().CreateElement("saml:EncryptedAssertion")
			})
		}, sso.Encrypted},
		"no assertion": {func(r ssotest.Response) []byte {
			return edit(sign(r), func(doc *etree.Document) { doc.Root().RemoveChild(doc.FindElement("//Assertion")) })
		}, sso.ResponseUnreadable},
		"other namespace": {func(r ssotest.Response) []byte {
			return replace(sign(r), "urn:oasis:names:tc:SAML:2.0:protocol", "urn:oasis:names:tc:SAML:1.0:protocol")
		}, sso.ResponseUnreadable},
		"namespace of the signature": {func(r ssotest.Response) []byte {
			return replace(sign(r), `xmlns:ds="http://www.w3.org/2000/09/xmldsig#"`, `xmlns:ds="urn:x"`)
		}, sso.ResponseUnreadable},
	} {
		start, request := b.asked(t, p)
		out, err := b.receive(t.Context(), p, ssotest.Posted(c.make(idp.Answer(request, time.Now()))), start)
		require.Equal(t, c.want, sso.CodeOf(err), "%s: %v", name, err)
		require.Empty(t, out, name)
	}
	start, request := b.asked(t, p)
	_, err := b.receive(t.Context(), p, ssotest.Posted(sign(idp.Answer(request, time.Now()))), start)
	require.NoError(t, err, "an honest one passes beside an expired certificate")
	_, err = b.Receive(t.Context(), p, url.Values{"SAMLResponse": {"%%%"}})
	require.Equal(t, sso.ResponseUnreadable, sso.CodeOf(err))

	old := b.saml(t, (&ssotest.SAML{EntityID: idp.EntityID, SignOn: idp.SignOn, Pair: expired}).Metadata())
	start, request = b.asked(t, old)
	_, err = b.receive(t.Context(), old, ssotest.Posted(ssotest.SignWith(t, idp.Answer(request, time.Now()).XML(), ssotest.SignAssertion, expired, dsig.RSASHA256SignatureMethod)), start)
	require.Equal(t, sso.CertificateExpired, sso.CodeOf(err), "no certificate is left")
}

// TestAttack086_Conditions refuses honest signatures over answers that are not for
// us, not for now, or not for this request.
func TestAttack086_Conditions(t *testing.T) {
	t.Parallel()
	b, idp := setup(t), ssotest.NewSAML(t)
	p := b.saml(t, idp.Metadata())
	for name, c := range map[string]struct {
		change func(*ssotest.Response)
		want   sso.Code
	}{
		"audience":            {func(r *ssotest.Response) { r.Audience = "https://other.example.com" }, sso.AudienceWrong},
		"audience by prefix":  {func(r *ssotest.Response) { r.Audience += "x" }, sso.AudienceWrong},
		"no audience":         {func(r *ssotest.Response) { r.NoAudience = true }, sso.AudienceWrong},
		"second audience":     {func(r *ssotest.Response) { r.ExtraAudience = "https://other.example.com" }, sso.AudienceWrong},
		"no conditions":       {func(r *ssotest.Response) { r.NoConditions = true }, sso.ResponseUnreadable},
		"unknown condition":   {func(r *ssotest.Response) { r.Condition = `<x:Only xmlns:x="urn:x"/>` }, sso.ResponseUnreadable},
		"recipient":           {func(r *ssotest.Response) { r.Recipient = "https://evil.test/acs" }, sso.RecipientWrong},
		"no recipient":        {func(r *ssotest.Response) { r.Recipient = "" }, sso.RecipientWrong},
		"destination":         {func(r *ssotest.Response) { r.Destination = "https://evil.test/acs" }, sso.RecipientWrong},
		"issuer":              {func(r *ssotest.Response) { r.Issuer = "https://evil.test" }, sso.IssuerWrong},
		"no request":          {func(r *ssotest.Response) { r.InResponseTo = "" }, sso.Unsolicited},
		"another request":     {func(r *ssotest.Response) { r.InResponseTo = "_" + strings.Repeat("A", 47) }, sso.Unsolicited},
		"short request":       {func(r *ssotest.Response) { r.InResponseTo = "_" }, sso.Unsolicited},
		"from the future":     {func(r *ssotest.Response) { r.IssuedAt = r.IssuedAt.Add(10 * time.Minute) }, sso.TimeWrong},
		"stale":               {func(r *ssotest.Response) { r.IssuedAt = r.IssuedAt.Add(-time.Hour) }, sso.TimeWrong},
		"not yet":             {func(r *ssotest.Response) { r.NotBefore = r.NotBefore.Add(10 * time.Minute) }, sso.TimeWrong},
		"not any more":        {func(r *ssotest.Response) { r.NotOnOrAfter = r.NotOnOrAfter.Add(-10 * time.Minute) }, sso.TimeWrong},
		"no subject":          {func(r *ssotest.Response) { r.NoSubject = true }, sso.SubjectMissing},
		"empty subject":       {func(r *ssotest.Response) { r.NameID = "" }, sso.SubjectMissing},
		"transient subject":   {func(r *ssotest.Response) { r.NameIDFormat = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient" }, sso.SubjectMissing},
		"no confirmation":     {func(r *ssotest.Response) { r.NoConfirmation = true }, sso.ResponseUnreadable},
		"nobody signed in":    {func(r *ssotest.Response) { r.NoStatement = true }, sso.ResponseUnreadable},
		"two addresses":       {func(r *ssotest.Response) { r.Attributes["mail"] = []string{"a@acme.test", "b@acme.test"} }, sso.EmailInvalid},
		"status of a refusal": {func(r *ssotest.Response) { r.Status = "urn:oasis:names:tc:SAML:2.0:status:Responder" }, sso.ProviderError},
		"no ID of assertion":  {func(r *ssotest.Response) { r.AssertionID = "" }, sso.ResponseUnreadable},
	} {
		for _, what := range []int{ssotest.SignAssertion, ssotest.SignResponse} {
			start, request := b.asked(t, p)
			answer := idp.Answer(request, time.Now())
			c.change(&answer)
			out, err := b.receive(t.Context(), p, ssotest.Posted(idp.Sign(t, answer.XML(), what)), start)
			require.Equal(t, c.want, sso.CodeOf(err), "%s: %v", name, err)
			require.Equal(t, c.want == "", out.Identity.Subject != "", name)
		}
	}
	// A request of another connection, of another tenant, and one that is too old.
	elsewhere := b.saml(t, idp.Metadata())
	start, request := b.asked(t, elsewhere)
	answer := idp.Answer(request, time.Now())
	answer.Destination, answer.Recipient, answer.Audience = p.Connection.ACSURL(b.acme), p.Connection.ACSURL(b.acme), p.Connection.EntityID(b.acme)
	_, err := b.receive(t.Context(), p, ssotest.Posted(idp.Sign(t, answer.XML(), ssotest.SignAssertion)), start)
	require.Equal(t, sso.Unsolicited, sso.CodeOf(err))
	start, request = b.asked(t, p)
	b.clock.move(sso.AttemptLife)
	_, err = b.receive(t.Context(), p, ssotest.Posted(idp.Sign(t, idp.Answer(request, b.clock.now()).XML(), ssotest.SignAssertion)), start)
	require.Equal(t, sso.AttemptExpired, sso.CodeOf(err))
}

// TestAttack086_Replay: a response works once, whichever node it comes to.
func TestAttack086_Replay(t *testing.T) {
	t.Parallel()
	b, idp := setup(t), ssotest.NewSAML(t)
	p := b.saml(t, idp.Metadata())
	_, request := b.asked(t, p)
	form := ssotest.Posted(idp.Sign(t, idp.Answer(request, time.Now()).XML(), ssotest.SignAssertion))
	node := b.node()
	var won atomic.Int32
	var group sync.WaitGroup
	for n := range 12 {
		group.Go(func() {
			service := b.Service
			if n%2 == 0 {
				service = node
			}
			if _, err := service.Receive(t.Context(), p, form); err == nil {
				won.Add(1)
			} else {
				require.Equal(t, sso.Replayed, sso.CodeOf(err))
			}
		})
	}
	group.Wait()
	require.EqualValues(t, 1, won.Load())

	// The same request with a new assertion, and the same assertion for a new request.
	_, err := b.Receive(t.Context(), p, ssotest.Posted(idp.Sign(t, idp.Answer(request, time.Now()).XML(), ssotest.SignAssertion)))
	require.Equal(t, sso.Replayed, sso.CodeOf(err))
	_, first := b.asked(t, p)
	_, second := b.asked(t, p)
	answer := idp.Answer(first, time.Now())
	_, err = b.Receive(t.Context(), p, ssotest.Posted(idp.Sign(t, answer.XML(), ssotest.SignAssertion)))
	require.NoError(t, err)
	answer.InResponseTo = second.ID
	_, err = b.Receive(t.Context(), p, ssotest.Posted(idp.Sign(t, answer.XML(), ssotest.SignAssertion)))
	require.Equal(t, sso.Replayed, sso.CodeOf(err))
	_, err = b.Receive(t.Context(), p, ssotest.Posted(idp.Sign(t, idp.Answer(second, time.Now()).XML(), ssotest.SignAssertion)))
	require.NoError(t, err, "a refused response has used up nothing")
}

// TestAttack079_SAMLBrowser: the result is for the browser that began, once.
func TestAttack079_SAMLBrowser(t *testing.T) {
	t.Parallel()
	b, idp := setup(t), ssotest.NewSAML(t)
	p := b.saml(t, idp.Metadata())
	posted := func() (sso.Start, string) {
		start, request := b.asked(t, p)
		got, err := b.Receive(t.Context(), p, ssotest.Posted(idp.Sign(t, idp.Answer(request, time.Now()).XML(), ssotest.SignAssertion)))
		require.NoError(t, err)
		return start, got.Handle
	}
	start, handle := posted()
	_, err := b.Fetch(t.Context(), p, handle, jar(b.begin(t, p)))
	require.Equal(t, sso.CookieMissing, sso.CodeOf(err), "another browser")
	_, err = b.Fetch(t.Context(), p, handle, jar(start))
	require.Equal(t, sso.AttemptUsed, sso.CodeOf(err), "and it is gone")
	start, handle = posted()
	_, err = b.Fetch(t.Context(), p, handle, func(string) string { return start.Sealed[1:] })
	require.Equal(t, sso.AttemptInvalid, sso.CodeOf(err))
	start, handle = posted()
	_, err = b.Fetch(t.Context(), other(p), handle, jar(start))
	require.Equal(t, sso.ProviderMismatch, sso.CodeOf(err))
	beta := p
	beta.Tenant = b.db.Tenant(t, "beta").Tenant
	start, handle = posted()
	_, err = b.Fetch(t.Context(), beta, handle, jar(start))
	require.Equal(t, sso.AttemptUsed, sso.CodeOf(err), "there is no such handle in another tenant")
	out, err := b.Fetch(t.Context(), p, handle, jar(start))
	require.NoError(t, err)
	require.Equal(t, "ada-1", out.Identity.Subject)
	for _, garbage := range []string{"", "x", strings.Repeat("x", 1000)} {
		_, err = b.Fetch(t.Context(), p, garbage, jar(start))
		require.Contains(t, []sso.Code{sso.AttemptUsed, sso.AttemptInvalid}, sso.CodeOf(err))
	}
}

// TestAttack086_IDPInitiated: what nobody asked for is refused, or at most begins a
// sign-in of our own. RelayState leads nowhere (case 87).
func TestAttack086_IDPInitiated(t *testing.T) {
	t.Parallel()
	b, idp := setup(t), ssotest.NewSAML(t)
	off := b.saml(t, idp.Metadata())
	on := b.saml(t, idp.Metadata(), func(c *sso.Connection) { c.SAML.IDPInitiated = true })
	unasked := func(p sso.Party, relay string) url.Values {
		answer := idp.Answer(ssotest.Request{ACS: p.Connection.ACSURL(b.acme), Issuer: p.Connection.EntityID(b.acme)}, time.Now())
		form := ssotest.Posted(idp.Sign(t, answer.XML(), ssotest.SignAssertion))
		form.Set("RelayState", relay)
		return form
	}
	for _, relay := range []string{"", "//evil.test", "javascript:alert(1)", "https://evil.test/"} {
		_, err := b.Receive(t.Context(), off, unasked(off, relay))
		require.Equal(t, sso.Unsolicited, sso.CodeOf(err))
		got, err := b.Receive(t.Context(), on, unasked(on, relay))
		require.NoError(t, err)
		require.Equal(t, sso.Received{Begin: true}, got, "no assertion is accepted")
	}
	// A provider that answers a request without saying so would go in a circle.
	_, request := b.asked(t, on)
	require.NotEmpty(t, request.RelayState)
	_, err := b.Receive(t.Context(), on, unasked(on, request.RelayState))
	require.Equal(t, sso.Unsolicited, sso.CodeOf(err))
}

// TestSAML_Rollover accepts two certificates while they are changed, from metadata
// that is read again; another entity never takes the connection over.
func TestSAML_Rollover(t *testing.T) {
	t.Parallel()
	b, idp := setup(t), ssotest.NewSAML(t)
	next := ssotest.NewKeyPair(t, time.Now().Add(-time.Hour), time.Now().AddDate(1, 0, 0))
	p := b.saml(t, idp.Metadata(next))
	for _, pair := range []ssotest.KeyPair{idp.Pair, next} {
		start, request := b.asked(t, p)
		_, err := b.receive(t.Context(), p, ssotest.Posted(ssotest.SignWith(t, idp.Answer(request, time.Now()).XML(), ssotest.SignAssertion, pair, dsig.RSASHA256SignatureMethod)), start)
		require.NoError(t, err)
	}
	var served atomic.Value
	served.Store(idp.Metadata())
	var down atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = w.Write([]byte(served.Load().(string)))
	}))
	t.Cleanup(server.Close)
	p = b.saml(t, idp.Metadata(), func(c *sso.Connection) { c.SAML.MetadataURL = server.URL })
	by := func(pair ssotest.KeyPair) sso.Code {
		start, request := b.asked(t, p)
		_, err := b.receive(t.Context(), p, ssotest.Posted(ssotest.SignWith(t, idp.Answer(request, b.clock.now()).XML(), ssotest.SignAssertion, pair, dsig.RSASHA256SignatureMethod)), start)
		return sso.CodeOf(err)
	}
	require.Empty(t, by(idp.Pair))
	require.Equal(t, sso.SignatureInvalid, by(next))
	served.Store((&ssotest.SAML{EntityID: idp.EntityID, SignOn: idp.SignOn, Pair: next}).Metadata())
	b.clock.move(6 * time.Minute)
	require.Empty(t, by(next), "read again after some minutes")
	require.Equal(t, sso.SignatureInvalid, by(idp.Pair))

	evil := ssotest.NewSAML(t)
	evil.EntityID = "https://evil.test"
	served.Store(evil.Metadata())
	b.clock.move(6 * time.Minute)
	require.Empty(t, by(idp.Pair), "the stored copy is used")
	findings := b.Check(t.Context(), p)
	require.Equal(t, sso.Warning, findings[0].Level)
	require.Equal(t, sso.IssuerMismatch, findings[0].Code)
	down.Store(true)
	b.clock.move(6 * time.Minute)
	require.Empty(t, by(idp.Pair), "while the address is down")
	findings = b.Check(t.Context(), p)
	require.Equal(t, sso.AddressUnreachable, findings[0].Code)
	require.Contains(t, findings[0].Text, "stored copy")
}

func TestSAML_Check(t *testing.T) {
	t.Parallel()
	b, idp := setup(t), ssotest.NewSAML(t)
	level := func(metadata string, change ...func(*sso.Connection)) (sso.Code, bool) {
		list := b.Check(t.Context(), b.saml(t, metadata, change...))
		for _, f := range list {
			if f.Level != sso.Fine {
				return f.Code, sso.Problems(list) == nil
			}
		}
		return "", sso.Problems(list) == nil
	}
	code, works := level(idp.Metadata())
	require.Empty(t, code)
	require.True(t, works)
	soon := &ssotest.SAML{EntityID: "e", SignOn: idp.SignOn, Pair: ssotest.NewKeyPair(t, time.Now().Add(-time.Hour), time.Now().AddDate(0, 0, 29))}
	code, works = level(soon.Metadata())
	require.Equal(t, sso.CertificateExpires, code)
	require.True(t, works)
	soon.Pair = ssotest.NewKeyPair(t, time.Now().AddDate(-1, 0, 0), time.Now().Add(-time.Hour))
	code, works = level(soon.Metadata())
	require.Equal(t, sso.CertificateExpired, code)
	require.False(t, works)
	code, _ = level(idp.Metadata(), func(c *sso.Connection) { c.Rules = sso.Rules{} })
	require.Equal(t, sso.DomainNotAllowed, code)
}

// TestSAML_Attributes reads what different providers call an address.
func TestSAML_Attributes(t *testing.T) {
	t.Parallel()
	b, idp := setup(t), ssotest.NewSAML(t)
	for name, c := range map[string]struct {
		attributes map[string][]string
		nameID     string
		set        sso.Names
		email      string
		subject    string
	}{
		"mail":          {map[string][]string{"mail": {"a@acme.test"}}, "1", sso.Names{}, "a@acme.test", "1"},
		"Entra":         {map[string][]string{"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress": {"a@acme.test"}}, "1", sso.Names{}, "a@acme.test", "1"},
		"OID":           {map[string][]string{"urn:oid:0.9.2342.19200300.100.1.3": {"a@acme.test"}}, "1", sso.Names{}, "a@acme.test", "1"},
		"NameID":        {nil, "a@acme.test", sso.Names{}, "a@acme.test", "a@acme.test"},
		"set":           {map[string][]string{"mail": {"x@acme.test"}, "work": {"a@acme.test"}}, "1", sso.Names{Email: "work"}, "a@acme.test", "1"},
		"set, not sent": {map[string][]string{"mail": {"x@acme.test"}}, "x@acme.test", sso.Names{Email: "work"}, "", "x@acme.test"},
		"subject":       {map[string][]string{"uid": {"7"}, "mail": {"a@acme.test"}}, "1", sso.Names{Subject: "uid"}, "a@acme.test", "7"},
	} {
		p := b.saml(t, idp.Metadata(), func(conn *sso.Connection) { conn.SAML.Attributes = c.set })
		start, request := b.asked(t, p)
		answer := idp.Answer(request, time.Now())
		answer.Attributes, answer.NameID = c.attributes, c.nameID
		out, err := b.receive(t.Context(), p, ssotest.Posted(idp.Sign(t, answer.XML(), ssotest.SignAssertion)), start)
		require.NoError(t, err, name)
		require.Equal(t, c.email, out.Identity.Email, name)
		require.Equal(t, c.subject, out.Identity.Subject, name)
	}
}
