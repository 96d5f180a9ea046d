// Package sso lets people sign in with their company's identity provider, by
// OpenID Connect or SAML 2.0. It speaks to providers and judges what they answer;
// whom an identity belongs to is decided by rules here and carried out by store.
// It performs no database access of its own: what must be remembered goes
// through the port ReplayStore.
package sso
