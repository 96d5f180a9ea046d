// An OpenID provider by the npm package oidc-provider, with its own login and consent
// pages. Argument: JSON {port, client, secret, redirect, people}.
import * as oidc from 'oidc-provider'

const { port, client, secret, redirect, people } = JSON.parse(process.argv[2])
const provider = new oidc.Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: client, client_secret: secret, redirect_uris: redirect, grant_types: ['authorization_code'], response_types: ['code'] }],
  cookies: { keys: ['one run of a test'] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
  scopes: ['openid', 'email', 'profile', 'groups'],
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
})
provider.listen(port, '127.0.0.1', () => console.log('ready'))
