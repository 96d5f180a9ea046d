import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import assert from 'node:assert/strict'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Every view, and what opens it further. */
const views = [
  ['home', '/'],
  ['issues', '/issues'],
  ['issue', '/issues/WEB-1'],
  ['new-issue', '/issues', 'New issue'],
  ['projects', '/projects'],
  ['project', '/projects/WEB'],
  ['reports', '/reports?project=WEB&type=workload'],
  ['reports-flow', '/reports?project=WEB&type=cumulative_flow'],
  ['reports-burndown', '/reports?project=WEB&type=sprint_burndown'],
  ['pages', '/pages'],
  ['tokens', '/tokens'],
  ['new-token', '/tokens', 'New token'],
  ['activity', '/activity'],
  ['members', '/members'],
  ['sso', '/sso'],
  ['settings', '/settings'],
  ['suspend', '/settings', 'Suspend looks', 'Keep it'],
  ['account', '/account'],
  ['welcome', '/welcome'],
  ['nowhere', '/issues/WEB-99999'],
]

/** Every view in light and dark, wide and narrow: a picture, and no serious fault for those who see or type differently. */
export async function flow(stage) {
  stage.refusals = /404/ // of the issue that is nowhere
  await stage.call(stage.token, 'update_issue', { key: 'WEB-1', comment: 'Looks *fine* to me', description: 'A `text` with **marks**\n\n- one\n- two' })
  await stage.call(stage.token, 'add_attachment', { key: 'WEB-1', name: 'a long name of a file that somebody has attached in a hurry, and another one after it.log', text: 'Words\n' })
  await stage.call(stage.token, 'add_attachment', { key: 'WEB-1', name: 'notes.md', text: '# Notes'.repeat(900) })
  const faults = []
  const door = await (await stage.profile()).newPage()
  await door.goto(stage.view(stage.links.acme, '/'))
  await door.getByText('one-time sign-in link').waitFor()
  await look(stage, door, 'signin', faults)
  const context = await stage.profile()
  const page = await stage.signIn(context, stage.links.acme)
  for (const [name, path, open, close = 'Cancel'] of views) {
    await page.setViewportSize({ width: 1280, height: 800 })
    await page.goto(stage.view(stage.links.acme, path))
    await page.locator('h1, h2').first().waitFor()
    await page.waitForFunction(() => !document.querySelector('.skeleton'))
    if (path.startsWith('/reports')) await page.locator('.uplot canvas').first().waitFor()
    if (open) {
      await page.getByRole('button', { name: open }).click()
      await page.getByRole('dialog').getByRole('button', { name: close }).waitFor()
    }
    await look(stage, page, name, faults)
  }
  assert.deepEqual(faults, [])
}

async function look(stage, page, name, faults) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 800 })
      await page.screenshot({ path: `${stage.shots}/${name}-${colorScheme}-${width}.png` })
      const wide = await page.evaluate(() => document.scrollingElement.scrollWidth)
      if (wide > width) faults.push(`${name} is ${wide} wide at ${width}`)
      if (width === 1280 || colorScheme === 'light') faults.push(...(await violations(page)).map((v) => `${name} ${colorScheme} ${width}: ${v}`))
    }
  }
}

/** What axe finds serious, with where. */
async function violations(page) {
  await page.evaluate(axe) // outside of the page's policy
  const found = await page.evaluate(() =>
    globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'], resultTypes: ['violations'] }),
  )
  return found.violations
    .filter((v) => v.impact === 'serious' || v.impact === 'critical')
    .map((v) => `${v.id} at ${v.nodes.slice(0, 3).map((n) => n.target.join(' ') + ' ' + (n.any[0]?.message ?? '')).join('; ')}`)
}
