import assert from 'node:assert/strict'

/** What admins look after: the audit log, members, settings, their own sessions. */
export async function flow(stage) {
  const { links, token } = stage
  const slug = new URL(links.acme).searchParams.get('tenant')
  await stage.call(token, 'update_issue', { key: 'WEB-1', title: 'Two' })
  const ben = await stage.signIn(await stage.profile(), links.ben)
  assert.equal(await ben.getByRole('link', { name: 'Activity' }).count(), 0, 'a member does not administer')

  const context = await stage.profile()
  const page = await stage.signIn(context, links.acme)
  await page.getByRole('link', { name: 'Activity' }).click()
  await page.getByText('chain verified').waitFor()
  await page.getByLabel('Tool').fill('update_issue')
  await page.getByText('1 of 1').waitFor()
  await page.getByRole('button', { name: /update_issue/ }).click()
  const dialog = page.getByRole('dialog')
  await dialog.locator('ins', { hasText: 'Two' }).waitFor()
  await page.keyboard.press('Escape')
  await stage.call(token, 'update_issue', { key: 'WEB-1', title: 'Three' })
  await page.getByText('2 of 2').waitFor() // it is live
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export' }).click()])
  assert.equal(file.suggestedFilename(), 'activity.jsonl')
  await page.reload()
  await page.getByText('2 of 2').waitFor() // the filter is in the address

  await page.getByRole('link', { name: 'Members' }).click()
  await page.getByLabel('Role of Ben Okri').selectOption('viewer')
  await page.getByText('Changed. It is in force.').waitFor()
  await page.getByRole('button', { name: 'End access' }).click()
  await dialog.getByRole('button', { name: 'End access' }).click()
  await page.getByText('access ended').waitFor()
  await page.getByRole('button', { name: 'Let back in' }).click()
  await page.getByRole('button', { name: 'End access' }).waitFor()
  stage.refusals = /401/
  await ben.reload() // the access that ended took the session along
  await ben.getByText('one-time sign-in link').waitFor()

  await page.getByRole('button', { name: 'Invite' }).click()
  await dialog.getByLabel('E-mail').fill('dora@example.com')
  await dialog.getByLabel('Role').selectOption('owner')
  await dialog.getByRole('button', { name: 'Invite' }).click()
  const invitation = await dialog.getByText('/signin/link?').innerText()
  await dialog.getByRole('button', { name: 'Done' }).click()
  await page.getByText('dora@example.com').first().waitFor()
  const dora = await stage.signIn(await stage.profile(), invitation)

  await page.getByRole('link', { name: 'Settings' }).click()
  await page.getByText('plan enterprise').waitFor()
  await page.getByRole('button', { name: 'Rotate the key' }).click()
  await dialog.getByRole('button', { name: 'Rotate' }).click()
  await page.getByText('A new signing key is in use.').waitFor()
  const [all] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export all data' }).click()])
  assert.equal(all.suggestedFilename(), `${slug}.zip`)

  await page.getByRole('button', { name: /Account of/ }).click()
  await page.getByRole('menuitem', { name: 'Sessions and preferences' }).click()
  await page.getByText('this one').waitFor()
  await page.getByLabel('Colours').selectOption('dark')
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark')
  await page.reload()
  await page.getByText('this one').waitFor()
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark')
  await page.getByRole('button', { name: 'Sign out everywhere' }).click()
  await page.getByText('You are signed out everywhere.').waitFor()
  await page.close()
  await end(stage, slug, dora)
}

/** An owner suspends the tenant, and only by its name. */
async function end(stage, slug, page) {
  await page.getByRole('link', { name: 'Settings' }).click()
  await page.getByRole('button', { name: `Suspend ${slug}` }).click()
  const dialog = page.getByRole('dialog')
  const sure = dialog.getByRole('button', { name: 'Suspend it' })
  await dialog.getByLabel(`Type ${slug} to go on`).fill('another')
  assert.ok(await sure.isDisabled())
  await dialog.getByLabel(`Type ${slug} to go on`).fill(slug)
  await sure.click()
  await page.getByText(`${slug} is suspended.`).waitFor()
  stage.refusals = /403/ // of the refresh
  await page.reload()
  await page.getByText('This tenant is suspended').waitFor()
  assert.equal((await stage.call(stage.token, 'list_projects')).status, 403)
}
