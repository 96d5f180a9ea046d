import assert from 'node:assert/strict'

/** An empty tenant is led to its first project, token and call. */
export async function flow(stage) {
  const page = await stage.signIn(await stage.profile(), stage.links.acme)
  await page.getByRole('link', { name: /Set up your first project/ }).click()
  await page.getByRole('heading', { name: 'Three steps' }).waitFor()
  await page.screenshot({ path: `${stage.shots}/welcome-empty.png` })
  const dialog = page.getByRole('dialog')
  await page.getByRole('button', { name: 'New project' }).click()
  await dialog.getByLabel('Name').fill('Tea house')
  await dialog.getByRole('button', { name: 'Create project' }).click()
  await page.getByText('is there.').waitFor()
  await page.getByRole('button', { name: 'New token' }).click()
  await dialog.getByRole('button', { name: 'Create token' }).click()
  const token = await dialog.getByTestId('plain-token').textContent()
  await dialog.getByRole('button', { name: 'I have kept it' }).click()
  await page.getByText('Paste the token into your agent').waitFor()
  assert.equal((await stage.call(token, 'create_issue', { project: 'TEAH', title: 'x' })).status, 200)
  await page.getByText('You are set.').waitFor()
}
