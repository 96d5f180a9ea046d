import assert from 'node:assert/strict'

/** An owner connects an identity provider, tests it, switches it on; a colleague signs in. */
export async function flow(stage) {
  const context = await stage.profile()
  const page = await stage.signIn(context, stage.links.acme)
  await page.getByRole('link', { name: 'Sign-in' }).click()
  await page.getByText('No identity provider is connected').waitFor()
  await page.getByRole('button', { name: 'Connect a provider' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox', { name: /^Name/ }).fill('Not A Name')
  await dialog.getByLabel('Button on the sign-in page').fill('Log in at work')
  await dialog.getByLabel('Issuer').fill(stage.idp)
  await dialog.getByLabel('Client ID').fill('colaflow')
  await dialog.getByLabel('Client secret').fill('a secret: with +/%&= signs')
  await dialog.getByLabel('E-mail domains').fill('acme.test')
  await dialog.getByLabel('Groups that give a role').fill('admins = admin')
  stage.refusals = /400/
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.getByText('is not valid').waitFor() // nothing of what was written is lost
  await dialog.getByRole('textbox', { name: /^Name/ }).fill('work')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Saved, and off until you switch it on.').waitFor()
  await page.getByText('Redirect URI').waitFor()

  await page.getByRole('button', { name: 'Test connection' }).click()
  await page.getByText('it can work').waitFor()
  const [trial] = await Promise.all([context.waitForEvent('page'), page.getByRole('link', { name: /Try a sign-in/ }).click()])
  await trial.getByText('It works.').waitFor()
  assert.match(await trial.locator('body').innerText(), /make a new member, cy@acme\.test, as admin\. Nothing was changed/)
  await trial.close()
  await page.getByRole('button', { name: 'Switch on' }).click()
  await page.getByRole('button', { name: 'Switch off' }).waitFor()
  assert.ok(await page.getByLabel(/Only owners may sign in by a link/).evaluate(ticked), 'a box does not fall back while the server is asked')
  await page.getByText('Changed. It is in force.').first().waitFor()
  await page.screenshot({ path: `${stage.shots}/sso.png`, fullPage: true })

  const cy = await (await stage.profile()).newPage()
  await cy.goto(stage.view(stage.links.acme, '/members'))
  await cy.getByRole('link', { name: 'Log in at work' }).click()
  await cy.getByRole('navigation', { name: 'Main' }).waitFor()
  await cy.getByRole('heading', { name: 'Members' }).waitFor() // where it began
  await cy.getByText('cy@acme.test').first().waitFor()
  await cy.getByText('Cy <img src=x').first().waitFor() // what the provider calls cy
  assert.equal(await cy.evaluate(() => window.hacked), undefined)
  await cy.reload()
  await cy.getByRole('heading', { name: 'Members' }).waitFor() // it stays signed in

  await page.getByRole('button', { name: 'Edit' }).click()
  assert.equal(await dialog.getByLabel('Client secret').inputValue(), '', 'a secret never comes back')
  assert.equal(await dialog.getByLabel('Groups that give a role').inputValue(), 'admins = admin')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Saved.').waitFor()
  await page.getByRole('button', { name: 'Remove' }).click()
  await dialog.getByRole('button', { name: 'Remove' }).click()
  await page.getByText('No identity provider is connected').waitFor()
}

/** Clicks a box, and says whether it is ticked before the browser does or draws anything else. */
async function ticked(box) {
  box.click()
  for (let n = 0; n < 100; n++) await null
  return box.checked
}
