import assert from 'node:assert/strict'

/** What DevTools calls these connections: bytes a second, and milliseconds a round trip. */
const connections = [
  ['unthrottled', null],
  ['Fast 4G', { latency: 165, downloadThroughput: (9e6 / 8) * 0.9, uploadThroughput: (1.5e6 / 8) * 0.9 }],
  ['Slow 4G', { latency: 562.5, downloadThroughput: (1.6e6 / 8) * 0.9, uploadThroughput: (750e3 / 8) * 0.9 }],
]
const TIMES = 3

/** How big and how fast the console is. It prints lines for docs/performance.md, and judges nothing. */
export async function flow(stage) {
  const context = await stage.profile()
  const page = await stage.signIn(context, stage.links.acme)
  await firstView(stage, context)
  await cache(stage, page)
  await audit(stage, page)
}

/** What the first view loads, and when it is there. */
async function firstView(stage, context) {
  for (const [name, conditions] of connections) {
    for (const [view, who, shown] of [
      ['sign-in page', await stage.profile(), 'one-time sign-in link'],
      ['home, signed in', context, 'Lately'],
    ]) {
      const runs = []
      for (let n = 0; n < TIMES; n++) runs.push(await load(stage, who, conditions, shown))
      runs.sort((a, b) => a.shown - b.shown)
      const { bytes, painted, shown: ms } = runs[Math.floor(TIMES / 2)]
      console.log(`| ${view} | ${name} | ${(bytes / 1000).toFixed(1)} | ${painted.toFixed(0)} | ${ms.toFixed(0)} |`)
    }
  }
}

async function load(stage, context, conditions, shown) {
  const page = await context.newPage()
  const cdp = await context.newCDPSession(page)
  const scripts = new Set()
  let bytes = 0
  cdp.on('Network.responseReceived', (e) => e.type === 'Script' && scripts.add(e.requestId))
  cdp.on('Network.loadingFinished', (e) => {
    if (scripts.has(e.requestId)) bytes += e.encodedDataLength
  })
  await cdp.send('Network.enable')
  await cdp.send('Network.setCacheDisabled', { cacheDisabled: true })
  if (conditions) await cdp.send('Network.emulateNetworkConditions', { offline: false, ...conditions })
  await page.goto(stage.view(stage.links.acme, '/'), { waitUntil: 'commit' })
  await page.waitForFunction((text) => document.body?.textContent.includes(text) && !document.querySelector('.skeleton, .way-skeleton'), shown, { polling: 'raf' }) // locators look every half second
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))))
  const result = await page.evaluate(() => ({ shown: performance.now(), painted: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0 }))
  await page.close()
  return { ...result, bytes }
}

/** How often a view finds what it asks for in the query cache, as a person goes about. */
async function cache(stage, page) {
  await page.goto(stage.view(stage.links.acme, '/'))
  await page.getByRole('heading', { name: 'Lately' }).waitFor()
  await page.evaluate(() => {
    const root = document.getElementById('root')
    let at = root[Object.keys(root).find((k) => k.startsWith('__reactContainer$'))]
    while (!at.memoizedProps?.client) at = at.child
    globalThis.found = { there: 0, missing: 0, requests: 0 }
    at.memoizedProps.client.getQueryCache().subscribe((e) => {
      if (e.type === 'observerAdded') globalThis.found[e.query.state.data === undefined ? 'missing' : 'there']++
      if (e.type === 'updated' && e.action.type === 'fetch') globalThis.found.requests++
    })
  })
  for (let round = 0; round < 4; round++) {
    for (const name of ['Issues', 'Projects', 'Reports', 'Tokens', 'Members', 'Activity', 'Settings', 'Home']) {
      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name, exact: true }).click()
      await settled(page)
      if (name !== 'Issues') continue
      for (const n of [0, 1]) {
        await page.locator('main a[href*="/issues/P"]').nth(n).click()
        await settled(page)
        await page.goBack()
        await settled(page)
      }
    }
  }
  const { there, missing, requests } = await page.evaluate(() => globalThis.found)
  const looks = there + missing
  console.log(`query cache: ${looks - requests} of ${looks} looks needed no request (${((100 * (looks - requests)) / looks).toFixed(1)} %); ${there} found their data there, others waited for a request that was on its way`)
}

const settled = async (page) => {
  await page.locator('h1, h2').first().waitFor()
  await page.waitForFunction(() => !document.querySelector('.skeleton'))
}

/** The audit view with 10,000 rows: scrolled, a row opened, filtered. */
async function audit(stage, page) {
  await page.goto(stage.view(stage.links.acme, '/activity'))
  const scroller = page.getByRole('region', { name: 'Audit log' })
  const loaded = async () => Number((await page.locator('.below').innerText()).replace(/,/g, '').match(/^\d+/)[0])
  const down = () => scroller.evaluate((el) => el.scrollTo(0, el.scrollHeight))
  await scroller.waitFor()
  while ((await loaded()) < 9500) {
    const before = await loaded()
    await down()
    await page.waitForFunction((n) => Number(document.querySelector('.below').innerText.replace(/,/g, '').match(/^\d+/)[0]) > n, before)
  }
  await stage.browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline', '__metadata'] })
  while ((await loaded()) < 10_000) {
    const before = await loaded()
    await down()
    await page.waitForFunction((n) => Number(document.querySelector('.below').innerText.replace(/,/g, '').match(/^\d+/)[0]) > n, before)
  }
  await scroller.evaluate(async (el) => {
    for (let n = 0; n <= 200; n++) {
      el.scrollTo(0, (el.scrollHeight * n) / 200)
      await new Promise(requestAnimationFrame)
    }
  })
  const drawn = await page.locator('.trail li').count()
  await page.locator('.trail li button').nth(10).click()
  await page.getByRole('dialog').waitFor()
  await page.keyboard.press('Escape')
  await page.getByLabel('Decision').selectOption('allowed')
  await scroller.waitFor()
  const { traceEvents: events } = JSON.parse(String(await stage.browser.stopTracing()))
  const scripts = outermost(events)
  assert.ok(scripts.length > 100, 'the trace holds what was done')
  const by = (key) => scripts.map((e) => e[key] / 1000).sort((a, b) => b - a)
  const [cpu, wall] = [by('tdur'), by('dur')]
  console.log(`audit view: 10,000 rows, ${drawn} drawn; ${scripts.length} runs of scripts; CPU ms: longest ${cpu[0].toFixed(1)}, p99 ${cpu[Math.floor(cpu.length / 100)].toFixed(1)}, ` +
    `${cpu.filter((n) => n > 16).length} over 16; by the clock: longest ${wall[0].toFixed(1)}, ${wall.filter((n) => n > 16).length} over 16`)
}

/** The runs of scripts in the page's main thread, without those that are part of another. */
function outermost(events) {
  const names = new Set(['FunctionCall', 'EventDispatch', 'TimerFire', 'FireAnimationFrame', 'RunMicrotasks', 'EvaluateScript'])
  const runs = events.filter((e) => e.ph === 'X' && names.has(e.name) && e.tdur !== undefined)
  const threads = new Map()
  for (const e of runs) threads.set(`${e.pid} ${e.tid}`, [...(threads.get(`${e.pid} ${e.tid}`) ?? []), e])
  const main = [...threads.values()].sort((a, b) => b.length - a.length)[0].sort((a, b) => a.ts - b.ts || b.dur - a.dur)
  let end = 0
  return main.filter((e) => {
    if (e.ts < end) return false
    end = e.ts + e.dur
    return true
  })
}
