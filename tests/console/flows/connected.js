import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'

const callback = 'http://127.0.0.1:9/callback'

/** An agent that somebody robs: its refresh token comes twice, and its person hears of it. */
export async function flow(stage) {
  const { links } = stage
  const slug = new URL(links.acme).searchParams.get('tenant')
  const page = await stage.signIn(await stage.profile(), links.acme)
  const server = await (await fetch(`${stage.url}/.well-known/oauth-authorization-server`)).json()
  const registered = await fetch(server.registration_endpoint, { method: 'POST', body: JSON.stringify({ client_name: 'Night shift', redirect_uris: [callback] }) })
  const { client_id } = await registered.json()
  const token = async (fields) => {
    const answer = await fetch(server.token_endpoint, { method: 'POST', body: new URLSearchParams({ client_id, ...fields }) })
    return { status: answer.status, ...(await answer.json()) }
  }

  const verifier = randomBytes(32).toString('base64url')
  const asked = new URL(server.authorization_endpoint)
  asked.search = new URLSearchParams({
    response_type: 'code', client_id, redirect_uri: callback, tenant: slug,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256',
  })
  let back
  const consent = await page.context().newPage()
  await consent.route(`${callback}*`, (route) => {
    back = new URL(route.request().url())
    return route.fulfill({ body: 'Done.' })
  })
  await consent.goto(asked.href)
  await consent.getByRole('button', { name: 'Continue' }).click()
  await consent.getByRole('button', { name: 'Allow' }).click()
  await consent.getByText('Done.').waitFor()
  const first = await token({ grant_type: 'authorization_code', code: back.searchParams.get('code'), redirect_uri: callback, code_verifier: verifier })
  assert.equal(first.status, 200, JSON.stringify(first))

  const renew = (of) => token({ grant_type: 'refresh_token', refresh_token: of.refresh_token })
  const second = await renew(first)
  assert.equal((await renew(second)).status, 200)
  assert.equal((await renew(first)).error, 'invalid_grant')

  await page.reload()
  const alarm = page.getByRole('link', { name: /“Night shift” was shut out: a secret of it was used twice/ })
  await alarm.click()
  await page.getByText('somebody else may have had it, so both were shut out').waitFor()
  await page.getByRole('link', { name: 'Tokens' }).first().click()
  await page.getByLabel('State').selectOption('revoked')
  await page.getByText('secret used twice').waitFor()
  await page.getByRole('link', { name: 'Home' }).click()
  await page.getByRole('heading', { name: /Hello/ }).waitFor()
  assert.equal(await alarm.count(), 0, 'whoever has looked is not told again')

  const ben = await stage.signIn(await stage.profile(), links.ben)
  await ben.getByRole('heading', { name: /Hello/ }).waitFor()
  assert.equal(await ben.getByText('was shut out').count(), 0, 'it is nobody else’s')
}
