import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import type { Check } from '../checks/check.js'
import { outsideThatIs, startApp } from '../testing/app.js'
import { openBrowser } from '../testing/browser.js'
import { playing, row, WELCOME } from '../testing/fake-postgres.js'
import { tcpServer } from '../testing/servers.js'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const UPDATE = process.env.BULKHEAD_UPDATE === '1'
const picture = (name: string): string => fileURLToPath(new URL(`../../docs/${name}.png`, import.meta.url))
const MAX_PICTURE_BYTES = 120_000
const WIDTH = 880

interface Scene {
  readonly database: boolean
  readonly outside: readonly Check[]
}

/** What the README shows. */
const SCENES: Readonly<Record<string, Scene>> = {
  connected: {
    database: true,
    outside: [outsideThatIs('github', 'connected', 200, 61), outsideThatIs('cloudflare', 'connected', 400, 43)],
  },
  'cloudflare-stopped': {
    database: true,
    outside: [outsideThatIs('github', 'connected', 200, 61), outsideThatIs('cloudflare', 'tls-reset', undefined, 12)],
  },
  'no-database': {
    database: false,
    outside: [outsideThatIs('github', 'limited', 403, 61), outsideThatIs('cloudflare', 'late-reset', undefined, 1_004)],
  },
}

async function serve(t: TestContext, { database, outside }: Scene): Promise<string> {
  const postgres = await tcpServer(
    t,
    database
      ? playing(WELCOME, row('Hello from PostgreSQL'))
      : (socket) => socket.once('data', () => socket.resetAndDestroy()),
  )
  const env = { DB_HOST: '127.0.0.1', DB_PORT: String(postgres.port) }
  const { service } = await startApp(t, env, { outside, shownPort: 8000 })
  return `http://127.0.0.1:${(service.server.address() as { port: number }).port}`
}

/** The page at this address; everything that it loads, and every complaint of the browser, is held against it. */
async function open(
  browser: Browser,
  url: string,
  options: { dark?: boolean; width?: number; scripts?: boolean } = {},
) {
  const { dark = false, width = WIDTH, scripts = true } = options
  const context = await browser.newContext({
    viewport: { width, height: 700 },
    colorScheme: dark ? 'dark' : 'light',
    javaScriptEnabled: scripts,
  })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => {
    if (!request.url().startsWith(`${url}/`)) complaints.push(`it asks for ${request.url()}`)
  })
  page.on('response', (response) => {
    if (response.status() !== 200) complaints.push(`${response.url()} answers ${response.status()}`)
  })
  await page.goto(`${url}/`, { waitUntil: 'load' })
  return { page, complaints, close: () => context.close() }
}

/** What axe-core finds, in short. Run by the debugger's door, which the page's own policy does not close. */
async function problems(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE)
  const { violations, incomplete } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run({ resultTypes: ['violations', 'incomplete'] }),
  )
  return [...violations, ...incomplete].flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`),
  )
}

/** The box of the first element that this selects. */
async function boxOf(page: Page, selector: string) {
  return (await page.locator(selector).first().boundingBox()) ?? assert.fail(`${selector} is not there`)
}

test('in a real browser: each scene, light and dark, without a complaint of axe-core’s or of the browser’s', async (t) => {
  const browser = await openBrowser(t)
  if (browser === undefined) return
  for (const [name, scene] of Object.entries(SCENES)) {
    const url = await serve(t, scene)
    const grounds = new Set<string>()
    for (const dark of [false, true]) {
      const { page, complaints, close } = await open(browser, url, { dark })
      if (UPDATE) {
        const file = picture(`${name}-${dark ? 'dark' : 'light'}`)
        writeFileSync(file, await page.screenshot({ fullPage: true, animations: 'disabled' }))
      }
      assert.deepEqual(await problems(page), [], `${name}, ${dark ? 'dark' : 'light'}`)
      assert.deepEqual(complaints, [])
      grounds.add(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor'))
      await close()
    }
    assert.equal(grounds.size, 2, 'dark is another page than light')
  }
})

test('in a real browser: what a screen reader finds, without any script', async (t) => {
  const browser = await openBrowser(t)
  if (browser === undefined) return
  const url = await serve(t, SCENES['cloudflare-stopped'] as Scene)
  const { page, complaints, close } = await open(browser, url, { scripts: false })
  assert.equal(await page.locator('html').getAttribute('lang'), 'en')
  for (const landmark of ['banner', 'main', 'contentinfo'] as const)
    assert.equal(await page.getByRole(landmark).count(), 1, landmark)
  assert.deepEqual(await page.getByRole('heading', { level: 1 }).allTextContents(), ['Cilium Istio Lab'])
  assert.deepEqual(await page.getByRole('heading', { level: 2 }).allTextContents(), [
    'Application',
    'Internal Services',
    'External Services (Egress)',
  ])
  const cloudflare = page.getByRole('article').filter({ has: page.getByRole('heading', { name: 'Cloudflare API' }) })
  const words = await cloudflare.innerText()
  assert.match(words, /Unreachable/, 'said in words, and not by the colour alone')
  assert.match(words, /Looks like 30-cilium/)
  await page.getByRole('link', { name: 'Check again' }).click()
  assert.equal(page.url(), `${url}/`)
  assert.deepEqual(complaints, [])
  await close()
})

test('in a real browser: the layout, from a phone to a desk', async (t) => {
  const browser = await openBrowser(t)
  if (browser === undefined) return
  const url = await serve(t, SCENES['no-database'] as Scene)
  for (const width of [320, 600, WIDTH, 1600]) {
    const { page, close } = await open(browser, url, { width })
    const wide = await page.evaluate<number>('document.documentElement.scrollWidth')
    assert.ok(wide <= width, `at ${width} px the page is ${wide} px wide`)
    const [github, cloudflare] = [await boxOf(page, '#github'), await boxOf(page, '#cloudflare')]
    if (width >= WIDTH) {
      assert.equal(github.y, cloudflare.y, 'side by side')
      assert.ok(github.x + github.width <= cloudflare.x)
    }
    if (width === 320) assert.ok(github.y + github.height <= cloudflare.y, 'one below the other')
    for (const pill of await page.locator('.pill').all()) {
      const box = (await pill.boundingBox()) ?? assert.fail()
      assert.ok(box.x >= 0 && box.x + box.width <= width && box.height < 40, 'a pill is whole, and on one line')
    }
    await close()
  }
})

test('the pictures of the README are there, and small', () => {
  for (const name of Object.keys(SCENES)) {
    for (const theme of ['light', 'dark']) {
      const bytes = readFileSync(picture(`${name}-${theme}`))
      assert.equal(bytes.toString('latin1', 1, 4), 'PNG')
      assert.equal(bytes.readUInt32BE(16), WIDTH, 'its width')
      assert.ok(bytes.length < MAX_PICTURE_BYTES, `${name}-${theme}.png has ${bytes.length} bytes`)
    }
  }
})
