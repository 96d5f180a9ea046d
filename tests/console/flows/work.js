import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'

/** Issues are found, read, changed and discussed; texts in them stay texts. */
export async function flow(stage) {
  const { links, token } = stage
  const slug = new URL(links.acme).searchParams.get('tenant')
  stage.refusals = /409/ // the one that is refused below
  const context = await stage.profile()
  const page = await stage.signIn(context, links.acme, { next: '/issues/WEB-1' }) // as the tools' links say it
  await page.getByRole('heading', { name: 'Cart forgets its items' }).waitFor()

  await page.getByLabel('Assignee').selectOption({ index: 2 }) // ben, whose name is hostile
  await page.getByText(`ben@${slug}.test`).first().waitFor() // in the history
  await optimistic(page)

  await page.getByRole('button', { name: 'Edit' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Description').fill('**Steps**\n\n- add\n- [look](javascript:alert(1))\n\n<script>window.hacked=1</script>')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Steps', { exact: true }).waitFor()
  await dialog.waitFor({ state: 'detached' }) // until then it holds the focus
  await page.getByLabel('Comment').fill('Seen it too: <b>often</b>')
  await page.getByRole('button', { name: 'Comment' }).click()
  await page.locator('.comment', { hasText: 'Seen it too: <b>often</b>' }).waitFor()
  assert.equal(await page.locator('.prose a').count(), 0, 'what is no web address is no link')

  await files(page)

  await page.getByRole('link', { name: 'Issues' }).click()
  await page.getByText('2 issues fit').waitFor()
  await page.getByLabel('Search issues').fill('cart')
  await page.getByText('1 issue fits').waitFor()
  await page.getByRole('button', { name: 'Clear' }).click()
  await page.getByRole('button', { name: 'New issue' }).click()
  await dialog.getByLabel('Title').fill('Made in the console')
  await dialog.getByRole('button', { name: 'Create issue' }).click()
  await page.getByRole('heading', { name: 'Made in the console' }).waitFor()
  assert.ok(page.url().endsWith(`/issues/WEB-3?tenant=${slug}`), page.url())

  const label = await stage.call(token, 'update_issue', { key: 'WEB-2', add_labels: ['<img src=x onerror="window.hacked=1">'] })
  assert.ok(!label.answer.result.isError, JSON.stringify(label.answer))
  for (const path of ['/', '/issues', '/issues/WEB-2', '/projects', '/projects/WEB', '/members', '/activity', '/issues/NO-1']) {
    await page.goto(stage.view(links.acme, path))
    await page.waitForLoadState('networkidle')
    assert.equal(await page.evaluate(() => window.hacked), undefined, path)
  }
  await page.getByText('There is no such issue').waitFor()
  stage.refusals = /404|409/
  stage.said = stage.said.filter((s) => !s.includes('404'))
  await page.goto(stage.view(links.acme, '/issues/WEB-2'))
  await page.getByRole('heading', { name: '<img src=x' }).waitFor() // shown as what it is
  await page.getByText('<img src=x onerror').nth(1).waitFor() // and so is the label
  await handedOver(stage, page)
}

/** A file is attached, kept by the browser under a harmless name, and taken away. */
async function files(page) {
  const contents = '<script>window.hacked=1</script>'
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: 'Attach file' }).click()])
  await chooser.setFiles({ name: 'größe <b>.html', mimeType: 'text/html', buffer: Buffer.from(contents) })
  const kept = 'größe _b_.html'
  await page.getByText(kept).first().waitFor()
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: `Download ${kept}` }).click()])
  assert.equal(download.suggestedFilename(), `${kept}.txt`)
  assert.equal(await readFile(await download.path(), 'utf8'), contents)
  const [again] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: 'Attach file' }).click()])
  await again.setFiles({ name: 'huge.txt', mimeType: 'text/plain', buffer: Buffer.alloc(700 * 1024 + 1, 'x') })
  await page.getByText('huge.txt has 700 kB').waitFor()
  await page.getByRole('button', { name: `Remove ${kept}` }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await page.getByLabel(`Remove ${kept}`, { exact: true }).waitFor({ state: 'detached' }) // whatever a dialog hides from roles
  assert.equal(await page.evaluate(() => window.hacked), undefined)
}

/** A page that an agent handed over opens in the console, without its link. */
async function handedOver(stage, page) {
  const report = await stage.call(stage.token, 'get_report', { type: 'workload', project: 'WEB', page: true })
  assert.ok(!report.answer.result.isError, JSON.stringify(report.answer))
  await page.getByRole('link', { name: 'Pages' }).click()
  const [tab] = await Promise.all([page.context().waitForEvent('page'), page.locator('tbody button.text').first().click()])
  await tab.waitForURL('**/p/**')
  await tab.getByRole('heading', { name: /Workload/ }).waitFor()
  assert.equal(await tab.evaluate(() => window.hacked), undefined)
  await tab.reload()
  await tab.getByRole('heading', { name: /Workload/ }).waitFor()
}

/** A change shows at once, and is taken back if the server refuses it. */
async function optimistic(page) {
  const status = page.getByLabel('Status')
  const before = await status.inputValue()
  let refuse
  const held = new Promise((done) => {
    refuse = done
  })
  await page.route('**/tools/update_issue*', async (route) => {
    await held
    await route.fulfill({ status: 409, contentType: 'application/json', body: '{"error":"conflict","message":"WEB-1 changed since you read it."}' })
  })
  await status.selectOption('In Progress')
  await page.waitForFunction((select) => select.value === 'In Progress', await status.elementHandle()) // the answer is still held back
  refuse()
  await page.getByText('WEB-1 changed since you read it.').waitFor()
  await page.waitForFunction((want) => document.querySelector('aside select')?.value === want || document.querySelectorAll('select')[0]?.value === want, before)
  await page.unrouteAll({ behavior: 'wait' })
  await status.selectOption('In Progress')
  await page.locator('ins', { hasText: 'In Progress' }).waitFor() // in the history: the server has it
}
