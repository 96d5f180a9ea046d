// Signs in with a real browser: goes to an address, fills in whatever form the identity
// provider shows, and tells where it ends. Argument: JSON {start, ours, fill, then}. Prints
// JSON {url, text, status, me, storage, cookies}.
import { chromium } from 'playwright-core'

const { start, ours, slug, fill = {} } = JSON.parse(process.argv[2])
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  timeout: 120_000,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
})
try {
  const context = await browser.newContext()
  context.setDefaultTimeout(60_000)
  const page = await context.newPage()
  await page.goto(start)
  const ended = () => page.url().startsWith(ours)
  for (let step = 0; step < 10 && !ended(); step++) {
    const form = page.locator('form').first()
    await Promise.race([form.waitFor(), page.waitForURL((u) => u.href.startsWith(ours))])
    if (ended()) break
    for (const [name, value] of Object.entries(fill)) {
      const input = page.locator(`input[name="${name}"]`)
      if (await input.count()) await input.first().fill(value)
    }
    const before = page.url()
    const button = page.locator('form button[type=submit], form input[type=submit], form button').first()
    if (await button.isVisible().catch(() => false)) await button.click().catch(() => {}) // some pages go on by themselves
    await page.waitForURL((u) => u.href !== before)
  }
  if (!ended()) throw new Error(`it stays at ${page.url()}: ${(await page.content()).slice(0, 6000)}`)
  const stays = () => document.readyState === 'complete' && !document.querySelector('meta[http-equiv=refresh]') // it leads nowhere
  await page.waitForFunction(stays)
  const text = await page.locator('body').innerText()
  const url = page.url()
  await page.goto(`${ours}/healthz`) // a page that runs nothing
  const me = await page.evaluate(async (slug) => {
    const answer = await fetch(`/api/v1/auth/refresh?tenant=${slug}`, { method: 'POST' })
    return { status: answer.status, body: await answer.json() }
  }, slug)
  const cookies = (await context.cookies()).filter((c) => c.name.includes('cf_')).map(({ name, httpOnly, secure, sameSite }) => ({ name, httpOnly, secure, sameSite }))
  console.log(JSON.stringify({ url, text, me: me.body.member ?? null, status: me.status, cookies }))
} finally {
  await browser.close()
}
