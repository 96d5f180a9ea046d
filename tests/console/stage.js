import assert from 'node:assert/strict'
import { chromium } from 'playwright-core'

const flags = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run', '--disable-quic', '--disable-dev-shm-usage']

/** A browser, and what a flow needs around it. */
export async function launch(job) {
  const browser = await chromium.launch({ executablePath: process.env.COLAFLOW_CHROMIUM || '/usr/bin/chromium', args: flags, timeout: 120_000 })
  return new Stage(job, browser)
}

class Stage {
  said = []
  pages = []

  constructor(job, browser) {
    Object.assign(this, job)
    this.browser = browser
  }

  /** A browser profile of its own. */
  async profile(options = {}) {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', timezoneId: 'UTC', ...options })
    context.setDefaultTimeout(60_000)
    context.on('page', (page) => this.listen(page))
    return context
  }

  listen(page) {
    this.pages.push(page)
    page.on('pageerror', (e) => this.said.push(`page error: ${e.stack}`))
    page.on('console', (m) => {
      if (m.type() !== 'error' && m.type() !== 'warning') return
      // The browser reports every refused request, also those that a page expects.
      if (m.text().startsWith('Failed to load resource')) {
        if (expected(new URL(m.location().url).pathname, m.text())) return
        if (this.refusals?.test(m.text())) return
      }
      this.said.push(`${m.type()}: ${m.text()} ${m.location().url}`)
    })
  }

  /** Spends a one-time link. host: another name of the same server. */
  async signIn(context, link, { host, next } = {}) {
    const url = new URL(link)
    if (host) url.hostname = host
    if (next) url.searchParams.set('next', next)
    const page = await context.newPage()
    await page.goto(url.href)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('navigation', { name: 'Main' }).waitFor()
    return page
  }

  /** The address of a view for the tenant of a link. */
  view(link, path) {
    const slug = new URL(link).searchParams.get('tenant')
    const url = new URL(path, this.url)
    url.searchParams.set('tenant', slug)
    return url.href
  }

  /** Calls a tool as an agent does. */
  async call(token, name, args = {}) {
    const response = await fetch(`${this.url}/mcp`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', 'X-MCP-Toolsets': 'all' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } }),
    })
    return { status: response.status, answer: await response.json().catch(() => null) }
  }

  async snap(name) {
    for (const [n, page] of this.pages.entries()) await page.screenshot({ path: `${this.shots}/${name}-${this.flow}-${n}.png` }).catch(() => {})
  }

  /** Nothing was reported on any page's console. */
  quiet() {
    assert.deepEqual(this.said, [])
  }

  close = () => this.browser.close()
}

/** Who is not signed in learns it from a refused refresh. */
const expected = (path, text) => path === '/api/v1/auth/refresh' && text.includes('401')
