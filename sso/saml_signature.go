package sso

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/russellhaering/goxmldsig/etreeutils"
)

const (
	nsProtocol  = "urn:oasis:names:tc:SAML:2.0:protocol"
	nsAssertion = "urn:oasis:names:tc:SAML:2.0:assertion"
	nsSignature = dsig.Namespace
)

// Algorithms that a signature may use. SHA-1 is not safe any more; other
// transforms could show the verifier less than what we read.
var (
	signatureMethods = []string{dsig.RSASHA256SignatureMethod, dsig.RSASHA384SignatureMethod, dsig.RSASHA512SignatureMethod,
		dsig.ECDSASHA256SignatureMethod, dsig.ECDSASHA384SignatureMethod, dsig.ECDSASHA512SignatureMethod}
	digestMethods = []string{"http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmldsig-more#sha384", "http://www.w3.org/2001/04/xmlenc#sha512"}
	transforms    = []string{string(dsig.EnvelopedSignatureAltorithmId), string(dsig.CanonicalXML10ExclusiveAlgorithmId)}
)

// signedAssertion returns the response's assertion as it was signed: read again
// from the very bytes that the signature covers, so that nothing else can slip
// in. The response has one assertion and signatures where they belong, or is
// refused. It also returns the response, which may be unsigned: use it to refuse.
func signedAssertion(raw []byte, certificates []*x509.Certificate, now time.Time) (assertion, response *etree.Element, signed bool, err error) {
	response, err = parseXML(raw, withoutComments)
	if err != nil {
		return nil, nil, false, problem(ResponseUnreadable, err, "%v", err)
	}
	if err := checkShape(response); err != nil {
		return nil, nil, false, err
	}
	if err := checkStatus(response); err != nil {
		return nil, nil, false, err
	}
	assertion = only(response, nsAssertion, "Assertion")
	if assertion == nil {
		return nil, nil, false, problem(ResponseUnreadable, nil, "there is not exactly one assertion")
	}
	inner, outer := only(assertion, nsSignature, "Signature"), only(response, nsSignature, "Signature")
	if inner == nil && outer == nil {
		return nil, nil, false, problem(ResponseUnsigned, nil, "")
	}
	if len(certificates) == 0 {
		return nil, nil, false, problem(CertificateExpired, nil, "")
	}
	if outer != nil {
		verified, err := verify(response, outer, certificates, now)
		if err != nil {
			return nil, nil, false, err
		}
		if assertion = only(verified, nsAssertion, "Assertion"); assertion == nil {
			return nil, nil, false, problem(SignatureInvalid, nil, "what is signed has no assertion")
		}
		response, inner = verified, only(assertion, nsSignature, "Signature")
	}
	if inner != nil {
		if assertion, err = verify(assertion, inner, certificates, now); err != nil {
			return nil, nil, false, err
		}
	}
	return assertion, response, outer != nil, nil
}

// checkShape refuses a response in which there is more than one of anything that
// could be taken for another: this is what signature wrapping lives on.
func checkShape(response *etree.Element) error {
	if !named(response, nsProtocol, "Response") {
		return problem(ResponseUnreadable, nil, "it begins with %s, not with Response", response.Tag)
	}
	ids, assertions, encrypted := map[string]bool{}, 0, false
	err := walk(response, func(el *etree.Element) error {
		for _, a := range el.Attr {
			if !strings.EqualFold(a.Key, "id") {
				continue
			}
			if ids[a.Value] || a.Value == "" {
				return errors.New("an ID is empty or used twice")
			}
			ids[a.Value] = true
		}
		parent := el.Parent()
		switch {
		case el.Tag == "EncryptedAssertion" || el.Tag == "EncryptedID" || el.Tag == "EncryptedAttribute":
			encrypted = true
		case el.Tag == "Response" && el != response:
			return errors.New("there is a response in the response")
		case el.Tag == "Assertion":
			if assertions++; assertions > 1 || parent != response || el.NamespaceURI() != nsAssertion {
				return errors.New("there is an assertion where none belongs")
			}
		case el.Tag == "Signature":
			if el.NamespaceURI() != nsSignature || parent != response && !(named(parent, nsAssertion, "Assertion") && parent.Parent() == response) {
				return errors.New("there is a signature where none belongs")
			}
			if len(children(parent, nsSignature, "Signature")) > 1 {
				return errors.New("an element is signed twice")
			}
		case el.Tag == "Object" || el.Tag == "Manifest":
			return errors.New("a signature carries other content")
		}
		return nil
	})
	switch {
	case err != nil:
		return problem(ResponseUnreadable, err, "%v", err)
	case encrypted:
		return problem(Encrypted, nil, "")
	}
	return nil
}

// verify returns an element as its signature covers it. Certificates inside the
// response are ignored: only the provider's metadata says which are good.
func verify(el, signature *etree.Element, certificates []*x509.Certificate, now time.Time) (*etree.Element, error) {
	if err := checkSignature(el, signature); err != nil {
		return nil, err
	}
	scope, err := etreeutils.NSBuildParentContext(el)
	if err != nil {
		return nil, problem(ResponseUnreadable, err, "%v", err)
	}
	detached, err := etreeutils.NSDetatch(scope, el)
	if err != nil {
		return nil, problem(ResponseUnreadable, err, "%v", err)
	}
	own := only(detached, nsSignature, "Signature")
	if info := only(own, nsSignature, "KeyInfo"); info != nil {
		own.RemoveChild(info)
	}
	wrapECDSA(own)
	var refused error
	for _, certificate := range certificates {
		check := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{certificate}})
		check.IdAttribute, check.Clock = "ID", dsig.NewFakeClockAt(now)
		verified, err := check.Validate(detached)
		if err == nil && named(verified, el.NamespaceURI(), el.Tag) && verified.SelectAttrValue("ID", "") == el.SelectAttrValue("ID", "") {
			return verified, nil
		}
		refused = err
	}
	return nil, problem(SignatureInvalid, refused, "of the %s", strings.ToLower(el.Tag))
}

// wrapECDSA writes an ECDSA signature as ASN.1, which is what goxmldsig reads. XML
// signatures hold its two numbers side by side (RFC 4050).
func wrapECDSA(signature *etree.Element) {
	method := only(only(signature, nsSignature, "SignedInfo"), nsSignature, "SignatureMethod").SelectAttrValue("Algorithm", "")
	value := only(signature, nsSignature, "SignatureValue")
	raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(content(value)), ""))
	if err != nil || !strings.Contains(method, "#ecdsa-") || !slices.Contains([]int{64, 96, 132}, len(raw)) {
		return // not two numbers of P-256, P-384 or P-521
	}
	r, s := new(big.Int).SetBytes(raw[:len(raw)/2]), new(big.Int).SetBytes(raw[len(raw)/2:])
	if der, err := asn1.Marshal(struct{ R, S *big.Int }{r, s}); err == nil {
		value.SetText(base64.StdEncoding.EncodeToString(der))
	}
}

// checkSignature holds a signature to the one form that SAML knows (SAML Core 5.4):
// one reference, to the element that it is in, through known transforms.
func checkSignature(el, signature *etree.Element) error {
	odd := func(what string) error {
		return problem(ResponseUnreadable, nil, "the signature of the %s %s", strings.ToLower(el.Tag), what)
	}
	info := only(signature, nsSignature, "SignedInfo")
	if info == nil || only(signature, nsSignature, "SignatureValue") == nil {
		return odd("has not one SignedInfo and one SignatureValue")
	}
	reference, method := only(info, nsSignature, "Reference"), only(info, nsSignature, "SignatureMethod")
	if reference == nil || method == nil {
		return odd("has not one reference and one method")
	}
	digest, list := only(reference, nsSignature, "DigestMethod"), only(reference, nsSignature, "Transforms")
	if digest == nil || list == nil || only(reference, nsSignature, "DigestValue") == nil {
		return odd("has a reference without digest or transforms")
	}
	id := el.SelectAttrValue("ID", "")
	if id == "" || reference.SelectAttrValue("URI", "") != "#"+id {
		return odd("is for another element")
	}
	enveloped := false
	for _, t := range list.ChildElements() {
		algorithm := t.SelectAttrValue("Algorithm", "")
		if !slices.Contains(transforms, algorithm) {
			return odd("uses transform " + algorithm)
		}
		enveloped = enveloped || algorithm == transforms[0]
	}
	canonical := only(info, nsSignature, "CanonicalizationMethod")
	if !enveloped || canonical == nil || canonical.SelectAttrValue("Algorithm", "") != transforms[1] {
		return odd("is not enveloped, or not canonical as it must be")
	}
	for _, used := range []struct {
		element *etree.Element
		safe    []string
	}{{method, signatureMethods}, {digest, digestMethods}} {
		if algorithm := used.element.SelectAttrValue("Algorithm", ""); !slices.Contains(used.safe, algorithm) {
			return problem(SignatureWeak, nil, "%s", algorithm)
		}
	}
	return nil
}

// checkStatus refuses a response that says that nobody was signed in.
func checkStatus(response *etree.Element) error {
	status := only(response, nsProtocol, "Status")
	if status == nil {
		return problem(ResponseUnreadable, nil, "it has no status")
	}
	code := only(status, nsProtocol, "StatusCode")
	if code == nil {
		return problem(ResponseUnreadable, nil, "it has no status code")
	}
	value, detail := code.SelectAttrValue("Value", ""), ""
	if value == statusSuccess {
		return nil
	}
	if sub := only(code, nsProtocol, "StatusCode"); sub != nil {
		detail = sub.SelectAttrValue("Value", "")
	}
	for _, denied := range []string{"AuthnFailed", "RequestDenied", "NoPassive", "UnknownPrincipal"} {
		if strings.HasSuffix(detail, ":"+denied) {
			return problem(SignInDenied, nil, "%s %s", detail, content(only(status, nsProtocol, "StatusMessage")))
		}
	}
	return problem(ProviderError, nil, "%s %s %s", value, detail, content(only(status, nsProtocol, "StatusMessage")))
}

const statusSuccess = "urn:oasis:names:tc:SAML:2.0:status:Success"
