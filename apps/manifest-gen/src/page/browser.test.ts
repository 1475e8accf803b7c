import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type TestContext, test } from 'node:test'
import type axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { parseAllDocuments } from 'yaml'
import { startApp } from '../testing/app.js'
import { openBrowser } from '../testing/browser.js'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const PATIENCE_MS = 30_000

/** The page, with everything that it loads and every complaint of the browser held against it. */
async function open(
  t: TestContext,
  browser: Browser,
  { dark = false, width = 1_000, scripts = true }: { dark?: boolean; width?: number; scripts?: boolean } = {},
) {
  const { url } = await startApp(t)
  const context = await browser.newContext({
    viewport: { width, height: 800 },
    colorScheme: dark ? 'dark' : 'light',
    javaScriptEnabled: scripts,
    reducedMotion: 'reduce',
    acceptDownloads: true,
  })
  context.setDefaultTimeout(PATIENCE_MS)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    // A refusal of the service's own, which the page tells.
    if (!/status of 422/.test(message.text())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => {
    if (!request.url().startsWith(`${url}/`) && !request.url().startsWith(`blob:${url}/`))
      complaints.push(`it asks for ${request.url()}`)
  })
  await page.goto(`${url}/`, { waitUntil: 'load' })
  return { page, complaints, close: () => context.close() }
}

/** What axe-core finds. Run by the debugger's door, which the page's own policy does not close. */
async function problems(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE)
  const { violations, incomplete } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run({ resultTypes: ['violations', 'incomplete'] }),
  )
  return [...violations, ...incomplete].flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`),
  )
}

async function fill(page: Page): Promise<void> {
  await page.getByLabel('Name (required)').fill('worker-app')
  await page.getByLabel('Namespace (required)').fill('demo')
  await page.getByLabel('Image (required)').fill('localhost/bulkhead/probe:0.1.0')
  await page.getByLabel('Port').fill('8080')
  await page.getByLabel('Arguments').fill('listen\nhttp:8080')
  await page.getByLabel('Environment').fill('GREETING=<b>yes: {{ no }}</b>')
  await page.getByLabel('Who may call it').fill('shop/sleep GET,HEAD /api/*\nshop/web-api')
  await page.getByLabel('What it may call').fill('demo/postgres:5432')
}

const make = (page: Page): Promise<void> => page.getByRole('button', { name: 'Make the manifests' }).click()

test('in a real browser: a form is filled in, and its manifests are shown and fetched', async (t) => {
  const browser = await openBrowser(t)
  if (browser === undefined) return
  for (const { dark, width } of [
    { dark: false, width: 1_000 },
    { dark: true, width: 360 },
  ]) {
    const { page, complaints, close } = await open(t, browser, { dark, width })
    assert.deepEqual(await problems(page), [], 'empty')
    await fill(page)
    await make(page)
    const shown = page.getByRole('region', { name: 'The manifests as YAML' })
    await shown.waitFor()
    const yaml = (await shown.textContent()) ?? ''
    assert.match(yaml, /args:\n +- listen\n +- http:8080\n/)
    const [account, , deployment] = parseAllDocuments(yaml).map((one) => one.toJS() as { readonly kind: string })
    assert.equal(account?.kind, 'ServiceAccount')
    assert.match(JSON.stringify(deployment), /<b>yes: \{\{ no \}\}<\/b>/, 'a value is text, here and there')
    assert.match(yaml, /name: worker-app-requests/)
    assert.equal(await page.evaluate<string>('document.activeElement.id'), 'result')
    assert.deepEqual(await problems(page), [], 'with a result')
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download' }).click(),
    ])
    assert.equal(download.suggestedFilename(), 'worker-app.yaml')
    assert.equal(readFileSync(await download.path(), 'utf8'), yaml)
    const wide = await page.evaluate<number>('document.documentElement.scrollWidth')
    assert.ok(wide <= width, `at ${width} px it is ${wide} px wide`)
    assert.deepEqual(complaints, [])
    await close()
  }
})

test('in a real browser: what is wrong stands beside its field, the first of them has the focus, and it goes when it is mended', async (t) => {
  const browser = await openBrowser(t)
  if (browser === undefined) return
  const { page, complaints, close } = await open(t, browser)
  await fill(page)
  await page.getByLabel('Namespace (required)').fill('Demo')
  await page.getByLabel('Who may call it').fill('shop/sleep\nnobody')
  await make(page)
  await page.getByRole('alert').waitFor()
  assert.match((await page.locator('#namespace-wrong').textContent()) ?? '', /^it must be of a-z/)
  assert.match((await page.locator('#callers-wrong').textContent()) ?? '', /^callers\[1\]: it must be namespace\/name/)
  assert.equal(await page.evaluate<string>('document.activeElement.id'), 'namespace')
  assert.equal(await page.getByLabel('Namespace (required)').getAttribute('aria-invalid'), 'true')
  assert.deepEqual(await problems(page), [])
  await page.getByLabel('Namespace (required)').fill('demo')
  await page.getByLabel('Who may call it').fill('shop/sleep')
  await make(page)
  await page.getByRole('region', { name: 'The manifests as YAML' }).waitFor()
  assert.equal(await page.locator('[aria-invalid]').count(), 0)
  assert.equal(await page.getByRole('alert').count(), 0)
  assert.deepEqual(complaints, [])
  await close()
})

test('in a real browser: by keyboard alone; and without scripts it says what else there is', async (t) => {
  const browser = await openBrowser(t)
  if (browser === undefined) return
  const { page, close } = await open(t, browser)
  await page.keyboard.press('Tab')
  for (const text of ['worker-app', 'demo']) {
    await page.keyboard.type(text)
    await page.keyboard.press('Tab')
  }
  await page.keyboard.press('Tab')
  await page.keyboard.type('localhost/bulkhead/probe:0.1.0')
  await page.keyboard.press('Enter')
  await page.getByRole('region', { name: 'The manifests as YAML' }).waitFor()
  await close()
  const silent = await open(t, browser, { scripts: false })
  assert.match(await silent.page.locator('noscript').innerText(), /This form needs JavaScript/)
  assert.deepEqual(silent.complaints, [])
  await silent.close()
})
