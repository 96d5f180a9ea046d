import assert from 'node:assert/strict'

/** Signing in, staying so, and signing out, on a subdomain and on the bare host. */
export async function flow(stage) {
  const { links } = stage
  const slug = new URL(links.acme).searchParams.get('tenant')
  const host = `${slug}.localhost`

  await noAccount(stage, slug)
  const context = await stage.profile()
  const page = await stage.signIn(context, links.acme, { host })
  assert.equal(new URL(page.url()).hostname, host)

  const cookies = await context.cookies()
  assert.deepEqual(cookies.map((c) => c.name), [`__Host-cf_${slug}`])
  const [cookie] = cookies
  assert.ok(cookie.httpOnly && cookie.secure && cookie.sameSite === 'Strict' && cookie.path === '/', 'flags of the cookie')
  const refreshed = page.waitForResponse((r) => r.url().includes('/auth/refresh') && r.ok())
  await page.goto(`http://${host}:${new URL(stage.url).port}/members`) // stays signed in
  const { access_token: access } = await (await refreshed).json()
  await page.getByText('ben@').first().waitFor()
  assert.match(access, /^ey/)
  const kept = await stored(page)
  assert.deepEqual([kept.databases, kept.caches, kept.session, kept.cookie], [[], [], {}, ''], 'nothing is kept in IndexedDB, caches, sessionStorage, or cookies that a script sees')
  assert.ok(!JSON.stringify(kept).includes(access.slice(-40)), 'the access token is stored nowhere')
  assert.ok(!JSON.stringify(await context.cookies()).includes(access.slice(-40)))

  await refused(stage, page, access)
  await otherSite(stage, context, host)
  await allTabs(stage, context, page)
  await twoTenants(stage)
}

/** Without a session one is asked for the company, then told how to sign in. */
async function noAccount(stage, slug) {
  const page = await (await stage.profile()).newPage()
  stage.refusals = /400/ // no tenant is named yet
  await page.goto(stage.url)
  await page.getByLabel('Your company').fill('No Company!')
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByText('letters, digits and hyphens').waitFor()
  await page.getByLabel('Your company').fill(slug)
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByText(`signin-link --tenant ${slug}`).waitFor()
  stage.refusals = undefined
}

/** Everything that a page could keep a secret in. */
const stored = (page) =>
  page.evaluate(async () => {
    const databases = await indexedDB.databases()
    return { local: { ...localStorage }, session: { ...sessionStorage }, cookie: document.cookie, databases, caches: await caches.keys() }
  })

/** Refused access tokens are replaced by one refresh, and nobody notices. */
async function refused(stage, page, old) {
  stage.refusals = /401/
  let refreshes = 0
  let refusals = 0
  page.on('request', (r) => r.url().includes('/auth/refresh') && refreshes++)
  await page.route(/\/api\/v1\/(tokens|tools)/, async (route) => {
    if (route.request().headers().authorization !== `Bearer ${old}`) return route.continue()
    refusals++
    await route.fulfill({ status: 401, contentType: 'application/json', body: '{"error":"unauthenticated","message":"expired"}' })
  })
  await page.getByRole('link', { name: 'Home' }).click() // asks for projects and tokens at once
  await page.getByRole('heading', { name: 'Lately' }).waitFor()
  assert.ok(refusals >= 2, `${refusals} requests were refused`)
  assert.equal(refreshes, 1, 'one refresh for all of them')
  await page.unrouteAll({ behavior: 'wait' })
  stage.refusals = undefined
}

/** A form of another site cannot refresh. */
async function otherSite(stage, context, host) {
  stage.refusals = /403/
  const page = await context.newPage()
  const { port } = new URL(stage.url)
  await page.route('http://evil.localhost/**', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<form method="post" action="http://${host}:${port}/api/v1/auth/refresh"><button>go</button></form>`,
    }),
  )
  await page.goto('http://evil.localhost/')
  const [response] = await Promise.all([page.waitForResponse((r) => r.url().includes('/auth/refresh')), page.getByRole('button').click()])
  assert.equal(response.status(), 403)
  assert.equal(response.request().headers().cookie, undefined)
  await page.close()
  stage.refusals = undefined
}

/** Signing out in one tab signs out the others. */
async function allTabs(stage, context, page) {
  const other = await context.newPage()
  await other.goto(page.url())
  await other.getByText('Nothing yet.').waitFor() // it has all that it asked for
  await page.getByRole('button', { name: /Account of/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.getByText('You are signed out.').waitFor()
  await other.getByText('You signed out in another tab.').waitFor()
  await other.reload()
  await other.getByText('one-time sign-in link').waitFor()
}

/** Two tenants in two tabs of one browser, on the bare host. */
async function twoTenants(stage) {
  const { links } = stage
  const context = await stage.profile()
  const acme = await stage.signIn(context, links.bare)
  const globex = await stage.signIn(context, links.globex)
  for (const [page, link] of [[acme, links.bare], [globex, links.globex]]) {
    const slug = new URL(link).searchParams.get('tenant')
    await page.goto(stage.view(link, '/members'))
    await page.getByText(`ben@${slug}.test`).first().waitFor()
    await page.getByRole('link', { name: 'Issues' }).click()
    assert.equal(new URL(page.url()).searchParams.get('tenant'), slug, 'links keep to the tenant')
  }
  await acme.getByRole('button', { name: /Account of/ }).click()
  await acme.getByRole('menuitem', { name: 'Sign out' }).click()
  await acme.getByText('You are signed out.').waitFor()
  await globex.reload()
  await globex.getByRole('navigation', { name: 'Main' }).waitFor()
}
