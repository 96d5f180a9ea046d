package ssotest

import (
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"
)

// Wraps is how many kinds of signature wrapping there are: XSW1 to XSW8 of
// Somorovsky et al., "On Breaking SAML" (2012).
const Wraps = 8

// Wrap puts a forged assertion into a genuine signed response, so that a naive
// reader takes the forged one while the signature of the genuine one holds. Forge
// changes the copy. Kinds 1 and 2 need a signed response, the others a signed
// assertion; ok is false where the response has no such signature.
func Wrap(t testing.TB, kind int, genuine []byte, forge func(assertion *etree.Element)) (wrapped []byte, ok bool) {
	t.Helper()
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(genuine))
	response := doc.Root()
	assertion := find(response, "Assertion")
	require.NotNil(t, assertion, "the response has no assertion in the clear")
	signed := assertion
	if kind <= 2 {
		signed = response
	}
	signature := find(signed, "Signature")
	if signature == nil {
		return nil, false
	}
	forged := signed.Copy()
	forged.RemoveChild(find(forged, "Signature"))
	forged.CreateAttr("ID", "_forged")
	if kind <= 2 {
		forge(find(forged, "Assertion"))
	} else {
		forge(forged)
	}
	switch kind {
	case 1: // the genuine response goes into the signature of the forged one
		genuine := response.Copy()
		genuine.RemoveChild(find(genuine, "Signature"))
		moved := signature.Copy()
		moved.AddChild(genuine)
		forged.InsertChildAt(1, moved)
		doc.SetRoot(forged)
	case 2: // the genuine response stands before the signature, which is detached
		genuine := response.Copy()
		genuine.RemoveChild(find(genuine, "Signature"))
		forged.InsertChildAt(1, genuine)
		forged.InsertChildAt(2, signature.Copy())
		doc.SetRoot(forged)
	case 3: // the forged assertion stands before the genuine one
		response.InsertChildAt(assertion.Index(), forged)
	case 4: // the genuine assertion goes into the forged one
		response.InsertChildAt(assertion.Index(), forged)
		response.RemoveChild(assertion)
		forged.AddChild(assertion)
	case 5: // the forged assertion takes the signature, the genuine one stands at the end
		response.InsertChildAt(assertion.Index(), forged)
		response.RemoveChild(assertion)
		assertion.RemoveChild(signature)
		forged.InsertChildAt(1, signature)
		response.AddChild(assertion)
	case 6: // the genuine assertion goes into the signature of the forged one
		response.InsertChildAt(assertion.Index(), forged)
		response.RemoveChild(assertion)
		assertion.RemoveChild(signature)
		signature.AddChild(assertion)
		forged.InsertChildAt(1, signature)
	case 7: // the forged assertion hides in extensions
		extensions := etree.NewElement("samlp:Extensions")
		extensions.CreateAttr("xmlns:samlp", "urn:oasis:names:tc:SAML:2.0:protocol")
		extensions.AddChild(forged)
		response.InsertChildAt(1, extensions)
	case 8: // the genuine assertion hides in an object of the forged one's signature
		response.InsertChildAt(assertion.Index(), forged)
		response.RemoveChild(assertion)
		assertion.RemoveChild(signature)
		object := etree.NewElement("ds:Object")
		object.CreateAttr("xmlns:ds", "http://www.w3.org/2000/09/xmldsig#")
		object.AddChild(assertion)
		signature.AddChild(object)
		forged.InsertChildAt(1, signature)
	default:
		t.Fatalf("there is no XSW%d", kind)
	}
	wrapped, err := doc.WriteToBytes()
	require.NoError(t, err)
	return wrapped, true
}

// Forge makes an assertion say that somebody else signed in.
func Forge(subject string) func(*etree.Element) {
	return func(assertion *etree.Element) {
		find(find(assertion, "Subject"), "NameID").SetText(subject)
		assertion.CreateAttr("ID", "_forged_assertion")
	}
}

// find returns the child element with this local name.
func find(el *etree.Element, tag string) *etree.Element {
	for _, c := range el.ChildElements() {
		if c.Tag == tag {
			return c
		}
	}
	return nil
}
