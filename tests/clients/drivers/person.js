// A person with a browser: goes where a program leads them, signs in by a one-time link in
// the same browser, and answers on the consent page. Arguments: a file with JSON {ours, link,
// tenant, log, answer, allow, projects, opener}, and the address, which opener, if there is
// one, opens in a popup. What they saw is a line of the log.
import { appendFile, readFile } from 'node:fs/promises';
import { chromium } from 'playwright-core';

const [file, start] = process.argv.slice(2);
const { ours, link, tenant, log, answer, allow, projects, opener } = JSON.parse(await readFile(file, 'utf8'));
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'];
const browser = await chromium.launch({ executablePath: process.env.COLAFLOW_CHROMIUM || '/usr/bin/chromium', args: flags, timeout: 120_000 });
const saw = {};
const look = async page => { saw.wide ||= await page.evaluate(() => document.documentElement.scrollWidth > innerWidth); };
try {
  const context = await browser.newContext();
  context.setDefaultTimeout(60_000);
  const host = await context.newPage();
  let page = host;
  await page.goto(opener ?? start);
  if (opener) [page] = await Promise.all([context.waitForEvent('page'), host.evaluate(url => { window.popup = open(url, 'popup', 'width=390,height=700'); }, start)]);
  saw.asks = await page.locator('main').innerText();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('textbox').fill(tenant);
  await look(page);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('link', { name: 'I am signed in' }).waitFor();

  const other = await context.newPage();
  await other.goto(link);
  await other.getByRole('button', { name: 'Sign in' }).click();
  await other.waitForURL(url => url.pathname === '/');
  await page.getByRole('link', { name: 'I am signed in' }).click();

  saw.lost = await host.evaluate(() => window.popup?.closed); // so a page sees a popup that it is cut off from
  const boxes = page.locator('input[name=allow]');
  await boxes.first().waitFor();
  await look(page);
  saw.offered = await page.locator('.projects').isVisible();
  saw.consent = await page.locator('main').innerText();
  saw.asked = await boxes.evaluateAll(list => list.filter(box => box.checked).map(box => box.value));
  for (const box of allow ? await boxes.all() : []) await box.setChecked(allow.includes(await box.inputValue()));
  if (projects) await page.getByLabel('Only these').check();
  for (const key of projects ?? []) await page.locator(`input[name=project][value="${key}"]`).check();
  await page.getByRole('button', { name: answer }).click();
  await page.waitForURL(url => !url.href.startsWith(ours));
  saw.back = page.url();
  saw.landed = await page.locator('body').innerText();
  if (opener) await host.waitForFunction(() => document.title === 'told connected', null, { polling: 100 }); // no frames are drawn behind a popup
} catch (error) {
  saw.failed = String(error.stack ?? error);
} finally {
  await browser.close();
  await appendFile(log, JSON.stringify(saw) + '\n');
}
