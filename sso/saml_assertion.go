package sso

import (
	"slices"
	"time"

	"github.com/beevik/etree"
)

// expected is what a response must say to be an answer to us.
type expected struct {
	provider  string // entity ID of the provider
	audience  string // our entity ID
	recipient string // our ACS URL
	request   string // id of our request
	now       time.Time
}

// checkResponse holds the envelope. What it says may be unsigned, so it can only
// refuse; signed envelopes must say where they go to.
func (x expected) checkResponse(response *etree.Element, signed bool) error {
	if response.SelectAttrValue("Version", "") != "2.0" {
		return problem(ResponseUnreadable, nil, "it is not SAML 2.0")
	}
	if destination := response.SelectAttrValue("Destination", ""); destination != x.recipient && (signed || destination != "") {
		return problem(RecipientWrong, nil, "its destination is %q", destination)
	}
	if issuer := only(response, nsAssertion, "Issuer"); issuer != nil && content(issuer) != x.provider {
		return problem(IssuerWrong, nil, "it is from %q", content(issuer))
	}
	if response.SelectAttrValue("InResponseTo", "") != x.request {
		return problem(Unsolicited, nil, "it answers another request")
	}
	return x.checkIssued(response)
}

// checkIssued accepts what was made during this sign-in.
func (x expected) checkIssued(el *etree.Element) error {
	at, ok := instant(el, "IssueInstant")
	switch {
	case !ok:
		return problem(ResponseUnreadable, nil, "its IssueInstant is missing or no time")
	case at.After(x.now.Add(skew)):
		return problem(TimeWrong, nil, "it is from the future: the clocks differ by %v", at.Sub(x.now).Round(time.Second))
	case at.Before(x.now.Add(-AttemptLife - skew)):
		return problem(TimeWrong, nil, "it was made %v ago", x.now.Sub(at).Round(time.Second))
	}
	return nil
}

// checkAssertion holds a signed assertion to SAML Profiles 4.1.4.3, and tells until
// when it could be used again.
func (x expected) checkAssertion(a *etree.Element) (until time.Time, err error) {
	if a.SelectAttrValue("Version", "") != "2.0" || a.SelectAttrValue("ID", "") == "" {
		return until, problem(ResponseUnreadable, nil, "the assertion has no ID or is not SAML 2.0")
	}
	if issuer := content(only(a, nsAssertion, "Issuer")); issuer != x.provider {
		return until, problem(IssuerWrong, nil, "the assertion is from %q", issuer)
	}
	if err := x.checkIssued(a); err != nil {
		return until, err
	}
	if err := x.checkConfirmations(only(a, nsAssertion, "Subject")); err != nil {
		return until, err
	}
	if err := x.checkSession(a); err != nil {
		return until, err
	}
	return x.checkConditions(only(a, nsAssertion, "Conditions"))
}

// checkConfirmations needs one bearer confirmation that is for us and for now.
func (x expected) checkConfirmations(subject *etree.Element) error {
	if subject == nil {
		return problem(SubjectMissing, nil, "the assertion has no subject")
	}
	err := error(problem(ResponseUnreadable, nil, "the assertion has no bearer confirmation"))
	for _, c := range children(subject, nsAssertion, "SubjectConfirmation") {
		if c.SelectAttrValue("Method", "") != "urn:oasis:names:tc:SAML:2.0:cm:bearer" {
			continue
		}
		if err = x.checkBearer(only(c, nsAssertion, "SubjectConfirmationData")); err == nil {
			return nil
		}
	}
	return err
}

func (x expected) checkBearer(data *etree.Element) error {
	if data == nil {
		return problem(ResponseUnreadable, nil, "a bearer confirmation has no data")
	}
	if recipient := data.SelectAttrValue("Recipient", ""); recipient != x.recipient {
		return problem(RecipientWrong, nil, "its recipient is %q", recipient)
	}
	if data.SelectAttrValue("InResponseTo", "") != x.request {
		return problem(Unsolicited, nil, "the assertion answers another request")
	}
	if _, ok := instant(data, "NotOnOrAfter"); !ok {
		return problem(ResponseUnreadable, nil, "a bearer confirmation has no end")
	}
	return x.checkWindow(data)
}

// checkWindow holds NotBefore and NotOnOrAfter, where they are given.
func (x expected) checkWindow(el *etree.Element) error {
	for _, name := range []string{"NotBefore", "NotOnOrAfter"} {
		if _, ok := instant(el, name); !ok && el.SelectAttr(name) != nil {
			return problem(ResponseUnreadable, nil, "%s is no time", name)
		}
	}
	if from, ok := instant(el, "NotBefore"); ok && from.After(x.now.Add(skew)) {
		return problem(TimeWrong, nil, "it is valid in %v: a clock is off", from.Sub(x.now).Round(time.Second))
	}
	if end, ok := instant(el, "NotOnOrAfter"); ok && !x.now.Before(end.Add(skew)) {
		return problem(TimeWrong, nil, "it expired %v ago", x.now.Sub(end).Round(time.Second))
	}
	return nil
}

// checkConditions holds the window and the audience. A condition that we do not
// know makes the assertion invalid (SAML Core 2.5.1.1).
func (x expected) checkConditions(conditions *etree.Element) (until time.Time, err error) {
	if conditions == nil {
		return until, problem(ResponseUnreadable, nil, "the assertion has no conditions")
	}
	if err := x.checkWindow(conditions); err != nil {
		return until, err
	}
	restricted := false
	for _, c := range conditions.ChildElements() {
		switch {
		case named(c, nsAssertion, "AudienceRestriction"):
			restricted = true
			var audiences []string
			for _, a := range children(c, nsAssertion, "Audience") {
				audiences = append(audiences, content(a))
			}
			if !slices.Contains(audiences, x.audience) {
				return until, problem(AudienceWrong, nil, "the assertion is for %q, we are %q", audiences, x.audience)
			}
		case named(c, nsAssertion, "OneTimeUse"), named(c, nsAssertion, "ProxyRestriction"):
		default:
			return until, problem(ResponseUnreadable, nil, "the assertion has a condition that we do not know: %s", c.Tag)
		}
	}
	if !restricted {
		return until, problem(AudienceWrong, nil, "the assertion names no audience")
	}
	// Beyond this an assertion is refused for its age alone.
	until = x.now.Add(AttemptLife + 2*skew)
	if end, ok := instant(conditions, "NotOnOrAfter"); ok && end.Add(skew).After(until) {
		until = end.Add(skew)
	}
	return until, nil
}

// checkSession needs a statement that somebody was signed in, and still is.
func (x expected) checkSession(a *etree.Element) error {
	statements := children(a, nsAssertion, "AuthnStatement")
	if len(statements) == 0 {
		return problem(ResponseUnreadable, nil, "the assertion does not say that anybody signed in")
	}
	for _, s := range statements {
		if s.SelectAttr("SessionNotOnOrAfter") == nil {
			continue
		}
		if end, ok := instant(s, "SessionNotOnOrAfter"); !ok || !x.now.Before(end.Add(skew)) {
			return problem(TimeWrong, nil, "the session at the provider has ended")
		}
	}
	return nil
}

// instant reads an attribute that is a time.
func instant(el *etree.Element, name string) (time.Time, bool) {
	text := el.SelectAttrValue(name, "")
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} { // without a zone: UTC
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

const transient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"

// subjectOf is who the assertion is about: the NameID, or the attribute that is
// set in its place. One that changes at every sign-in is nobody.
func subjectOf(a *etree.Element, attributes map[string][]string, attribute string) (string, error) {
	if attribute != "" {
		if values := attributes[attribute]; len(values) == 1 && values[0] != "" {
			return values[0], nil
		}
		return "", problem(SubjectMissing, nil, "attribute %q has not exactly one value", attribute)
	}
	id := only(only(a, nsAssertion, "Subject"), nsAssertion, "NameID")
	switch {
	case content(id) == "":
		return "", problem(SubjectMissing, nil, "the assertion has no NameID")
	case id.SelectAttrValue("Format", "") == transient:
		return "", problem(SubjectMissing, nil, "the NameID is transient, another one at every sign-in: use persistent, or name an attribute as subject")
	}
	return content(id), nil
}

// attributesOf lists the values of each attribute, by its name and its friendly
// name. A friendly name never hides a name.
func attributesOf(a *etree.Element) map[string][]string {
	values, friendly := map[string][]string{}, map[string][]string{}
	for _, statement := range children(a, nsAssertion, "AttributeStatement") {
		for _, attribute := range children(statement, nsAssertion, "Attribute") {
			name, other := attribute.SelectAttrValue("Name", ""), attribute.SelectAttrValue("FriendlyName", "")
			for _, v := range children(attribute, nsAssertion, "AttributeValue") {
				values[name] = append(values[name], content(v))
				friendly[other] = append(friendly[other], content(v))
			}
		}
	}
	delete(friendly, "")
	for name, list := range friendly {
		if _, taken := values[name]; !taken {
			values[name] = list
		}
	}
	return values
}
