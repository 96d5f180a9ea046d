import assert from 'node:assert/strict'

/** A token from its making to its end. */
export async function flow(stage) {
  const { links } = stage
  const slug = new URL(links.acme).searchParams.get('tenant')
  stage.refusals = /400/ // of the addresses that are nonsense
  const page = await stage.signIn(await stage.profile(), links.acme)
  await page.getByRole('link', { name: 'Tokens' }).click()
  await page.getByText('No agent has a token yet').waitFor()

  await page.getByRole('button', { name: 'New token' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('release bot')
  await dialog.getByLabel('Preset').selectOption('reader')
  await dialog.getByText('add_comment', { exact: true }).waitFor({ state: 'detached' })
  await dialog.getByText('get_issue', { exact: true }).waitFor()
  await dialog.getByLabel('create comments').check()
  await dialog.getByText('add_comment', { exact: true }).waitFor()
  await dialog.getByText(/will see \d+ tools, about [\d,]+ tokens/).waitFor()
  await dialog.getByLabel('only these').check()
  await dialog.getByLabel('WEB').check()
  await dialog.getByLabel('Only from these addresses').fill('nonsense')
  await dialog.getByRole('button', { name: 'Create token' }).click()
  await dialog.getByRole('alert').waitFor()
  await dialog.getByLabel('Only from these addresses').fill('127.0.0.0/8')
  await dialog.getByRole('button', { name: 'Create token' }).click()

  const first = await plain(dialog)
  assert.match(first, new RegExp(`^mcp_${slug}_[0-9a-f]{32}$`))
  for (const client of ['Claude Desktop', 'Claude Code', 'VS Code', 'Cursor', 'curl']) {
    await dialog.getByRole('tab', { name: client }).click()
    const text = await dialog.getByRole('tabpanel').innerText()
    assert.ok(text.includes(first), client)
    // Clients that would ask for OAuth get the address for tokens alone.
    assert.equal(text.includes(`${stage.url}/mcp`), client === 'VS Code' || client === 'curl', text)
  }
  await dialog.getByRole('tab', { name: 'VS Code' }).click()
  const vscode = await dialog.getByRole('link', { name: 'Add to VS Code' }).getAttribute('href')
  assert.ok(vscode.startsWith('vscode:mcp/install?') && !vscode.includes(first.slice(-32)), 'VS Code asks for the token')
  await dialog.getByRole('tab', { name: 'Cursor' }).click()
  const cursor = await dialog.getByRole('link', { name: 'Add to Cursor' }).getAttribute('href')
  const { url, headers } = JSON.parse(atob(new URL(cursor).searchParams.get('config')))
  await alone(url, headers)
  const [file] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name: 'Download' }).click()])
  assert.equal(file.suggestedFilename(), 'release-bot.txt')
  await dialog.getByRole('button', { name: 'I have kept it' }).click()
  assert.ok(!(await page.content()).includes(first), 'it is shown once')
  assert.equal((await stage.call(first, 'list_projects')).answer.result.structuredContent.items[0].key, 'WEB')

  await page.getByRole('link', { name: 'release bot' }).click()
  await page.getByText('only WEB').waitFor()
  await page.getByRole('button', { name: /list_projects/ }).first().waitFor() // what it did
  await page.getByRole('button', { name: 'Change' }).click()
  await dialog.getByLabel('Name').fill('release agent')
  await dialog.getByLabel('all projects').check()
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { name: 'release agent' }).waitFor()
  await page.getByText('all projects').first().waitFor()

  await page.getByRole('button', { name: 'Rotate' }).click()
  await dialog.getByLabel('The old secret ends').selectOption('0')
  await dialog.getByRole('button', { name: 'Rotate' }).click()
  const second = await plain(dialog)
  assert.notEqual(second, first)
  await dialog.getByRole('button', { name: 'I have kept it' }).click()
  // Whatever reads data is refused at once; get_me may lag by the feed of changes.
  assert.equal((await stage.call(first, 'list_projects')).status, 401)
  assert.equal((await stage.call(second, 'list_projects')).status, 200)

  await page.getByRole('button', { name: 'Revoke' }).click()
  await dialog.getByText('This is final').waitFor()
  await dialog.getByText(`ada@${slug}.test`).waitFor()
  await dialog.getByRole('button', { name: 'Revoke for good' }).click()
  await dialog.waitFor({ state: 'hidden' })
  await page.getByText('revoked').first().waitFor()
  assert.equal((await stage.call(second, 'list_projects')).status, 401)
}

/** The address that Cursor is given takes the token, and tells nothing of OAuth. */
async function alone(url, headers) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'get_me', arguments: {} } })
  const type = { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' }
  assert.equal((await fetch(url, { method: 'POST', headers: { ...type, ...headers }, body })).status, 200)
  const refused = await fetch(url, { method: 'POST', headers: type, body })
  assert.equal(refused.status, 401)
  assert.ok(!refused.headers.get('www-authenticate').includes('resource_metadata'))
}

/** The token that a dialog shows. */
const plain = async (dialog) => (await dialog.getByTestId('plain-token').textContent()) ?? ''
