import { expect, test } from 'vitest'
import { draftOf, rows, settingsOf, words } from './draft'

test('a list is what stands between commas and spaces', () => {
  expect(words(' acme.com,acme.io  x.org\n')).toEqual(['acme.com', 'acme.io', 'x.org'])
  expect(words('')).toEqual([])
})

test('a group may hold the sign that ends it', () => {
  expect(rows('CN=Admins,DC=acme = admin\n\n Staff=viewer ')).toEqual([
    { group: 'CN=Admins,DC=acme', role: 'admin' },
    { group: 'Staff', role: 'viewer' },
  ])
  expect(rows('nothing')).toEqual([{ group: '', role: 'nothing' }]) // which the server refuses by name
})

const stored = {
  id: '1', name: 'okta', title: 'Okta', protocol: 'oidc' as const, enabled: true, address: 'https://acme.example.com', addresses: { start: 'https://acme.example.com/s' },
  oidc: { preset: 'okta', issuer: 'https://acme.okta.com', client_id: 'c', scopes: ['groups'], claims: { subject: '', email: 'mail', name: '', groups: 'g' } },
  rules: { domains: ['acme.com'], auto_provision: false, default_role: 'viewer', roles: [{ group: 'A', role: 'admin' }], link_by_email: true, trust_email: false, idle_days: 30 },
}

test('what a form does not show stays as it is stored', () => {
  const sent = settingsOf(draftOf(stored), stored)
  expect(sent).toMatchObject({ oidc: { ...stored.oidc, entra_tenants: [], hosted_domains: [] }, rules: stored.rules, address: stored.address, title: 'Okta' })
  expect(sent).not.toHaveProperty('client_secret')
  expect(settingsOf({ ...draftOf(stored), secret: 's' }, stored)).toHaveProperty('client_secret', 's')
})

test('a new one of SAML sends no settings of OpenID Connect', () => {
  const sent = settingsOf({ ...draftOf(), name: 'adfs', protocol: 'saml', metadata: '<x/>', domains: 'acme.com' })
  expect(sent).not.toHaveProperty('oidc')
  expect(sent).toMatchObject({ saml: { metadata: '<x/>' }, rules: { domains: ['acme.com'], auto_provision: true, roles: [] } })
})
