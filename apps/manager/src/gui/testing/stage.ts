import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { TestContext } from 'node:test'
import { merkleRoot } from '@bulkhead/intents'
import type { Scope } from '@bulkhead/testing'
import type axe from 'axe-core'
import { Int32, Long } from 'mongodb'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { TestUser } from '../../testing/index.js'
import { type Scene, schedulingScene } from '../../testing/scheduling.js'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** Against what hangs: each wait is for something that comes within moments. */
const PATIENCE_MS = 30_000

export interface SightOptions {
  readonly dark?: boolean
  readonly width?: number
  readonly height?: number
}

/** Somebody's window, as clean as a new one. */
export interface Sight {
  readonly page: Page
  readonly context: BrowserContext
  /** What the browser complains of, and what was asked of others than this service. */
  readonly complaints: readonly string[]
  /** What was refused: `401 GET /api/v1/auth/session`. */
  readonly refused: string[]
  logIn(user: Pick<TestUser, 'username' | 'password'>): Promise<void>
  /** Goes to a place, and waits until it is drawn and nothing is being read any more. */
  at(hash: string, heading: string): Promise<void>
  close(): Promise<void>
}

export interface Stage {
  readonly scene: Scene
  open(options?: SightOptions): Promise<Sight>
}

/** A manager of its own, and windows at it. */
export async function stageOf(t: Scope, browser: Browser): Promise<Stage> {
  const scene = await schedulingScene(t as TestContext)
  return { scene, open: (options) => open(browser, scene.url, options) }
}

async function open(browser: Browser, url: string, options: SightOptions = {}): Promise<Sight> {
  const { dark = false, width = 1_200, height = 800 } = options
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
    timezoneId: 'UTC',
  })
  context.setDefaultTimeout(PATIENCE_MS)
  const page = await context.newPage()
  const complaints: string[] = []
  const refused: string[] = []
  page.on('console', (message) => {
    // What is refused is told below, with what was asked.
    if (!message.text().startsWith('Failed to load resource')) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => {
    if (!request.url().startsWith(`${url}/`)) complaints.push(`it asks for ${request.url()}`)
  })
  page.on('response', (response) => {
    if (response.status() >= 400)
      refused.push(`${response.status()} ${response.request().method()} ${response.url().slice(url.length)}`)
  })
  await page.goto(`${url}/`, { waitUntil: 'load' })
  await page.getByRole('button', { name: 'Log in' }).waitFor()
  assert.deepEqual(refused.splice(0), ['401 GET /api/v1/auth/session'], 'nobody is logged in')
  return {
    page,
    context,
    complaints,
    refused,
    logIn: async ({ username, password }) => {
      await page.getByLabel('Username').fill(username)
      await page.getByLabel('Password', { exact: true }).fill(password)
      await page.getByRole('button', { name: 'Log in' }).click()
      await page.getByRole('heading', { level: 1 }).and(page.locator(':not(:has-text("Bulkhead manager"))')).waitFor()
    },
    at: async (hash, heading) => {
      await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
      await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor()
      await settled(page)
    },
    close: () => context.close(),
  }
}

/** Once nothing is being read or done any more. */
export async function settled(page: Page): Promise<void> {
  await page.locator('.busy, [aria-busy="true"]').first().waitFor({ state: 'detached' })
}

/** What axe-core finds, in short. Run by the debugger's door, which the page's own policy does not close. */
export async function axeProblems(page: Page): Promise<readonly string[]> {
  if (!(await page.evaluate<boolean>('"axe" in globalThis'))) await page.evaluate(AXE)
  const { violations, incomplete } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run({ resultTypes: ['violations', 'incomplete'] }),
  )
  return [...violations, ...incomplete].flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`),
  )
}

/** Strategies, intents, users, roles, schedulers and processes: something of everything that there is to be shown. */
export async function furnish({
  as,
  admin,
  agent,
  store,
  push,
  user,
}: Scene): Promise<{ readonly strategy: string; readonly role: string }> {
  const by = as(admin)
  const plan = async (body: object): Promise<string> =>
    ((await by.post('/api/v1/strategies').send(body).expect(201)).body as { data: { id: string } }).data.id
  const strategy = await plan({
    strategyNamespace: 'platform',
    k8sNamespace: ['shop'],
    labelSelectors: [{ key: 'app', value: 'web' }, { key: 'app.kubernetes.io/name' }],
    priority: 3,
    executionTime: 5_000_000,
  })
  push.take = () => Promise.resolve('no-scheduler')
  await plan({ k8sNamespace: ['shop', 'batch'], priority: 12 })
  await by
    .post('/api/v1/roles')
    .send({
      name: 'shop-tuner',
      description: 'May make strategies for the pods of the shop',
      rolePolicies: [
        { permissionKey: 'schedule_strategy.create', k8sNamespace: 'shop' },
        { permissionKey: 'schedule_strategy.create', k8sNamespace: 'batch', policyNamespace: 'platform' },
        { permissionKey: 'schedule_strategy.read' },
        { permissionKey: 'schedule_intent.read' },
      ],
    })
    .expect(200)
  await user({ username: 'alice@example.com', roles: ['shop-tuner'] })
  await user({ username: 'bob@example.com', status: 2 })
  await user({ username: 'carol@example.com', status: 3 })
  await agent.post('/api/v1/auth/login').send({ username: 'bob@example.com', password: 'a guess' }).expect(401)
  const at = Date.now()
  const report = (node: string, name: string, seenMs: number, intents: number) =>
    store.schedulers.insertOne({
      _id: node,
      podName: name,
      startedTime: Long.fromNumber(at - 3_600_000),
      lastSeen: Long.fromNumber(at - seenMs),
      setVersion: Long.fromNumber(at - 60_000),
      rootHash: merkleRoot([]),
      intents: new Int32(intents),
      metrics: { nr_queued: 3, nr_running: 2, nr_user_dispatches: 18_412 },
    })
  await report('node-1', 'gthulhu-scheduler-x2v9k', 4_000, 2)
  await report('node-3', 'gthulhu-scheduler-8hj4d', 200_000, 0)
  push.read = (node) =>
    Promise.resolve({
      pods: [
        {
          podUid: 'uid-of-web-1',
          processes: [
            { pid: 4711, command: 'node /app/dist/main.js', ppid: 1, containerId: 'b7d0f2a4c6e8'.repeat(5) },
            { pid: 4720, command: 'node worker', ppid: 4711 },
          ],
        },
        { podUid: 'uid-of-web-2', processes: [{ pid: 4800, command: 'node /app/dist/main.js' }] },
      ],
      timestamp: '2026-01-31T12:00:00Z',
      nodeName: node,
    })
  const role = (await store.roles.findOne({ name: 'shop-tuner' }))?._id.toHexString() ?? ''
  return { strategy, role }
}
