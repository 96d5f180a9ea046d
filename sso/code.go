package sso

import (
	"errors"
	"fmt"
)

// Code names one way in which a connection or a sign-in fails. The list is
// closed: docs/sso/troubleshooting.md is made from it.
type Code string

// What can be wrong with a connection, before anybody signs in.
const (
	AddressInvalid     Code = "address_invalid"
	AddressBlocked     Code = "address_blocked"
	AddressUnreachable Code = "address_unreachable"
	AnswerTooLarge     Code = "answer_too_large"
	DiscoveryInvalid   Code = "discovery_invalid"
	IssuerMismatch     Code = "issuer_mismatch"
	KeysUnusable       Code = "keys_unusable"
	RequestRefused     Code = "request_refused"
	MetadataInvalid    Code = "metadata_invalid"
	CertificateExpired Code = "certificate_expired"
	CertificateExpires Code = "certificate_expires"
	ClockOff           Code = "clock_off"
	SecretUnreadable   Code = "secret_unreadable"
)

// What can go wrong between the browser and us.
const (
	CookieMissing    Code = "cookie_missing"
	AttemptInvalid   Code = "attempt_invalid"
	AttemptExpired   Code = "attempt_expired"
	AttemptUsed      Code = "attempt_used"
	ProviderMismatch Code = "provider_mismatch"
	ProviderDisabled Code = "provider_disabled"
)

// What an identity provider may answer that is no sign-in.
const (
	SignInDenied       Code = "sign_in_denied"
	ProviderError      Code = "provider_error"
	ClientRejected     Code = "client_rejected"
	CodeRejected       Code = "code_rejected"
	TokenInvalid       Code = "token_invalid"
	IssuerWrong        Code = "issuer_wrong"
	AudienceWrong      Code = "audience_wrong"
	NonceWrong         Code = "nonce_wrong"
	TimeWrong          Code = "time_wrong"
	TenantNotAllowed   Code = "tenant_not_allowed"
	HostedDomainWrong  Code = "hosted_domain_wrong"
	ResponseUnreadable Code = "response_unreadable"
	ResponseUnsigned   Code = "response_unsigned"
	SignatureInvalid   Code = "signature_invalid"
	SignatureWeak      Code = "signature_weak"
	Encrypted          Code = "assertion_encrypted"
	RecipientWrong     Code = "recipient_wrong"
	Unsolicited        Code = "response_unsolicited"
	Replayed           Code = "response_replayed"
	SubjectMissing     Code = "subject_missing"
)

// What the rules of a connection may have against an identity.
const (
	EmailMissing     Code = "email_missing"
	EmailInvalid     Code = "email_invalid"
	EmailUnverified  Code = "email_not_verified"
	DomainNotAllowed Code = "domain_not_allowed"
	GroupsMissing    Code = "groups_missing"
	NotProvisioned   Code = "not_provisioned"
	EmailTaken       Code = "email_taken"
	MemberDisabled   Code = "member_disabled"
	RoleAbove        Code = "role_above_connection"
)

// Explanation says of a code what happened and what to do about it.
type Explanation struct {
	Code   Code
	What   string // one sentence
	Remedy string // what to do, and whose task it is
}

// Explanations lists every code with its remedy, in the order of the life of a
// connection.
func Explanations() []Explanation {
	return []Explanation{
		{AddressInvalid, "An address of the identity provider cannot be used.", "Admin: give an https:// address without user name, password or fragment."},
		{AddressBlocked, "An address of the identity provider leads into a private network.", "Admin: give a public address. Operator: a provider in the company's own network needs serve --sso-allow-network; one on the same machine, for development, --sso-allow-loopback."},
		{AddressUnreachable, "The identity provider does not answer in time, or not over TLS.", "Admin: open the address in a browser; if it works there, the server's way out is closed. Until then, sign-in links work: colaflow member signin-link."},
		{AnswerTooLarge, "The identity provider's answer is larger than 1 MiB.", "Admin: give the address of this one application's metadata, not that of a federation."},
		{DiscoveryInvalid, "The issuer's address has no OpenID Connect configuration.", "Admin: the issuer is the address before /.well-known/openid-configuration; copy it from the provider's page."},
		{IssuerMismatch, "The provider calls itself by another issuer than the one that is set.", "Admin: set the issuer exactly as the provider writes it; a slash at the end counts."},
		{KeysUnusable, "The provider publishes no key that sign-ins could be checked with.", "Admin: switch the provider to RS256 or ES256 signatures; keys shared with the client (HS256) are refused."},
		{RequestRefused, "The provider refuses the sign-in request itself.", "Admin: register the redirect URI exactly as colaflow sso show prints it, and compare the client ID."},
		{MetadataInvalid, "The metadata is not that of a SAML 2.0 identity provider that can be used.", "Admin: download the provider's metadata again; it needs one EntityDescriptor with a signing certificate and a single sign-on address with HTTP-Redirect binding."},
		{CertificateExpired, "Every signing certificate of the identity provider has expired.", "Admin: renew the certificate at the provider, then give its new metadata."},
		{CertificateExpires, "A signing certificate of the identity provider expires within 30 days.", "Admin: add the next certificate to the metadata now; both are accepted during the change."},
		{ClockOff, "The clocks of this server and of the identity provider differ.", "Operator: synchronise the server's clock (NTP). Up to 3 minutes are tolerated."},
		{SecretUnreadable, "The stored client secret or signing key cannot be read.", "Operator: start the server with the master key that it was stored under, or set the connection again."},

		{CookieMissing, "The browser did not send the cookie that was set when the sign-in began.", "Allow cookies for this site and sign in again, in one browser and within ten minutes."},
		{AttemptInvalid, "This sign-in was not begun in this browser, or was tampered with.", "Sign in again, from the beginning."},
		{AttemptExpired, "The sign-in took longer than ten minutes.", "Sign in again."},
		{AttemptUsed, "This sign-in was finished already.", "Sign in again. Going back to an old page cannot repeat a sign-in."},
		{ProviderMismatch, "The answer comes from another identity provider than the one that was asked.", "Sign in again. If it repeats, tell your admin: an answer may have been redirected."},
		{ProviderDisabled, "This connection is not switched on.", "Admin: test it, then colaflow sso enable."},

		{SignInDenied, "The identity provider did not sign you in.", "Admin: assign the person to the application at the provider. Or they pressed cancel: sign in again."},
		{ProviderError, "The identity provider answered with an error.", "Admin: look for this time in the sign-in log of the provider."},
		{ClientRejected, "The identity provider does not accept the client ID and secret.", "Admin: set the client secret again; it may have expired at the provider."},
		{CodeRejected, "The identity provider does not accept the code that it gave out.", "Sign in again. If it repeats, the admin compares client ID, redirect URI and issuer."},
		{TokenInvalid, "The identity provider's answer is not signed as it must be.", "Admin: the ID token must be signed with a published key and RS256, PS256, ES256 or EdDSA."},
		{IssuerWrong, "The answer names another issuer than the connection.", "Admin: for OIDC set the issuer, for SAML give the metadata of the provider that people really use."},
		{AudienceWrong, "The answer is meant for another application.", "Admin: OIDC: compare the client ID. SAML: set the audience (entity ID) at the provider to the one that colaflow sso show prints."},
		{NonceWrong, "The answer belongs to another sign-in.", "Sign in again. If it repeats, tell your admin."},
		{TimeWrong, "The answer is too old or from the future.", "Sign in again. If it repeats, a clock is off: the operator synchronises the server, the admin asks the provider."},
		{TenantNotAllowed, "The account belongs to an Entra tenant that is not allowed.", "Admin: add the tenant ID to the connection, if these people shall come in."},
		{HostedDomainWrong, "The Google account is not one of the allowed Workspace domains.", "Sign in with the company's account. Admin: compare the hosted domains of the connection."},
		{ResponseUnreadable, "The SAML response cannot be read, or has a form that is refused for safety.", "Admin: one response with one assertion, no comments and no DTD is accepted; look for add-ons at the provider that rewrite it."},
		{ResponseUnsigned, "The SAML response carries no signature.", "Admin: have the provider sign the assertion or the response."},
		{SignatureInvalid, "The signature of the SAML response does not match the provider's certificates.", "Admin: give the provider's current metadata; its certificate was probably changed."},
		{SignatureWeak, "The SAML response is signed with an algorithm that is no longer safe.", "Admin: switch the provider to RSA-SHA256 signatures and SHA-256 digests."},
		{Encrypted, "The SAML assertion is encrypted, which is not supported.", "Admin: switch assertion encryption off at the provider; the connection itself is encrypted."},
		{RecipientWrong, "The SAML response was sent to another address than it says.", "Admin: set the ACS URL at the provider (also recipient and destination) to the one that colaflow sso show prints."},
		{Unsolicited, "The SAML response answers no request of ours.", "Sign in from the ColaFlow page. Admin: or allow sign-ins that begin at the provider: --allow-idp-initiated."},
		{Replayed, "This SAML response was used before.", "Sign in again."},
		{SubjectMissing, "The answer does not say who signed in.", "Admin: have the provider send a subject: sub for OIDC, a NameID for SAML."},

		{EmailMissing, "The identity provider does not tell the e-mail address.", "Admin: add the e-mail claim or attribute at the provider, or name it in the connection."},
		{EmailInvalid, "What the identity provider sends as e-mail is not an address in plain ASCII.", "Admin: correct the address at the provider, or name another claim in the connection."},
		{EmailUnverified, "The identity provider does not say that the e-mail address is verified.", "Admin: have the provider send email_verified (Entra: xms_edov); where it can only send addresses of its own, set --trust-email."},
		{DomainNotAllowed, "The e-mail address is outside the domains of this connection.", "Sign in with the company's account. Admin: add the domain, if these people shall come in."},
		{GroupsMissing, "The connection maps groups to roles, and the provider sends no groups.", "Admin: add the groups claim or attribute; people with more groups than fit (Entra: 200) need groups limited to the application."},
		{NotProvisioned, "There is no member for this account, and the connection makes none.", "Admin: invite the person, or switch on auto-provisioning."},
		{EmailTaken, "A member has this e-mail address, and the account is not theirs for sure.", "Admin: allow linking by e-mail for this connection (--link-by-email), if it is to be trusted with that. If the person has a new account at the provider: colaflow sso unlink."},
		{MemberDisabled, "The member is deactivated.", "Admin: reactivate the member, if they shall come back."},
		{RoleAbove, "The member has a higher role than whoever set up the connection.", "An owner saves the connection once more; until then they use a sign-in link."},
	}
}

// explain returns the explanation of a code. A test holds that each has one.
func explain(code Code) Explanation {
	for _, e := range Explanations() {
		if e.Code == code {
			return e
		}
	}
	return Explanation{Code: code, What: "The sign-in failed.", Remedy: "Sign in again."}
}

// Problem is a failure with a code. What and Remedy may be shown to anybody;
// Detail is for whoever administers the connection, and never holds a secret.
type Problem struct {
	Explanation
	Detail string
	cause  error
}

// problem returns a Problem; its cause stays in the log.
func problem(code Code, cause error, format string, args ...any) *Problem {
	return &Problem{Explanation: explain(code), Detail: printable(fmt.Sprintf(format, args...), maxDetail), cause: cause}
}

// Error returns the code, what happened and the detail.
func (p *Problem) Error() string {
	text := string(p.Code) + ": " + p.What
	if p.Detail != "" {
		text += " (" + p.Detail + ")"
	}
	return text
}

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.cause }

// ProblemIn returns the Problem in err's chain, or nil: then something of our own
// failed, such as the database.
func ProblemIn(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return nil
}

// CodeOf returns the code of the Problem in err's chain, or "".
func CodeOf(err error) Code {
	if p := ProblemIn(err); p != nil {
		return p.Code
	}
	return ""
}
