import assert from 'node:assert/strict'
import { EMPTY_ROOT, schedulerOf, signStatement } from '@bulkhead/intents'
import type { Scope } from '@bulkhead/testing'
import type { Route } from '../../../http/route.js'
import { podView } from '../../../kubernetes/memory.js'
import { startManager, type TestManager } from '../../../testing/index.js'
import { schedulerPod } from '../../../testing/scheduling.js'
import { shared } from '../../../testing/shared.js'
import { type Answered, type Asked, type QuickService, quickService } from '../quick-service.js'

/** The service, somebody who may do everything, and something of each kind to do it to. */
export interface Target {
  readonly manager: TestManager
  readonly service: QuickService
  readonly routes: readonly Route[]
  /** A body that each route takes, with every field in it that there is, of two names of one the first; by operation. */
  readonly good: Readonly<Record<string, object>>
  /** Asks as the admin, and holds the answer against the document and what is true of every answer. */
  ask(asked: Asked): Promise<Told>
  /** Everything that is stored, but the audit log. */
  stored(): Promise<string>
}

/** An answer that was as answers have to be. */
export interface Told {
  readonly status: number
  readonly text: string
  readonly code: string | undefined
  readonly fields: readonly { readonly field: string; readonly message: string }[]
}

const UNKNOWN = '0123456789abcdef01234567'
const PASSWORD = 'a long password'
const stored = [
  ...['users', 'roles', 'permissions', 'schedule_strategies', 'schedule_intents', 'idempotency_keys'],
  'schedulers',
]

export async function target(t: Scope): Promise<Target> {
  const manager = await startManager(t)
  const service = await quickService(t, manager)
  const { admin, db, cluster } = manager
  cluster.setPod(
    podView({ name: 'web-1', namespace: 'shop', labels: { app: 'web' }, command: `${'a'.repeat(4_000)} nginx` }),
  )
  cluster.setNode({ name: 'node-1', status: 'Ready' })
  // Where no test says which node it is.
  cluster.setNode({ name: '{node}', status: 'Ready' })
  cluster.setPod(schedulerPod('scheduler-1', '{node}'))
  const bearer = { authorization: `Bearer ${admin.token}` }
  const user = await manager.user()
  const policy = { permissionKey: 'schedule_intent.read', self: false, k8sNamespace: '', policyNamespace: '' }
  const plan = {
    strategyNamespace: 'team',
    labelSelectors: [{ key: 'app', value: 'web' }],
    k8sNamespace: ['shop'],
    commandRegex: 'nginx',
    priority: 5,
    executionTime: 20_000_000,
  }
  const post = (path: string, body: object) =>
    service.ask({ method: 'POST', path: `/api/v1/${path}`, headers: bearer, body: JSON.stringify(body) })
  assert.equal((await post('roles', { name: 'it' })).status, 200)
  const made = await post('strategies', plan)
  assert.equal(made.status, 201, made.text)
  const role = await manager.store.roles.findOne({ name: 'it' })
  const { id: strategyId } = (made.json as { data: { id: string } }).data
  return {
    manager,
    service,
    routes: service.routes,
    good: {
      login: { username: 'somebody', password: PASSWORD },
      createSession: { username: 'somebody', password: PASSWORD },
      changeOwnPassword: { oldPassword: 'not the right one', newPassword: PASSWORD },
      createUser: { username: 'new', password: PASSWORD },
      resetPassword: { userID: user.id.toHexString(), newPassword: PASSWORD },
      setUserPermissions: { userID: user.id.toHexString(), roles: ['it'], status: 1 },
      createRole: { name: 'new', description: '', rolePolicies: [policy] },
      updateRole: { id: role?._id.toHexString(), name: 'it', description: '', rolePolicies: [policy] },
      deleteRoleByBody: { id: UNKNOWN },
      createStrategy: plan,
      updateStrategy: { strategyId, ...plan },
      deleteStrategyByBody: { strategyId: UNKNOWN },
      deleteIntents: { intentIds: [UNKNOWN] },
      reportScheduler: {
        podName: 'scheduler-1',
        startedAt: '2026-01-01T00:00:00Z',
        setVersion: 0,
        rootHash: EMPTY_ROOT,
        intents: 0,
        metrics: { nr_running: 1 },
      },
    },
    ask: async (asked) => {
      const own = asked.path.startsWith(REPORTS) ? await schedulerOfPath(manager, asked.path) : bearer
      return told(manager, asked, await service.ask({ ...asked, headers: { ...own, ...asked.headers } }))
    },
    stored: async () =>
      JSON.stringify(await Promise.all(stored.map((name) => db.collection(name).find().sort({ _id: 1 }).toArray()))),
  }
}

const REPORTS = '/api/v1/schedulers/'

/** An assertion of the scheduler that the path names, whatever that is. */
async function schedulerOfPath({ schedulerKey }: TestManager, path: string): Promise<{ authorization: string }> {
  let node = path.slice(REPORTS.length)
  try {
    node = decodeURIComponent(node)
  } catch {
    // It is no path, and nobody's.
  }
  return { authorization: `Bearer ${await signStatement(schedulerKey, schedulerOf(node), Date.now())}` }
}

/** One for all tests of a file: each of them leaves it as it was, or does not mind. */
export const sharedTarget = (): (() => Promise<Target>) => shared(target)

/** @throws AssertionError when it is a failure of ours, or not in the contract's envelope */
function told(manager: TestManager, { method, path, body }: Asked, answer: Answered): Told {
  const { status, text, json, headers } = answer
  const what = `${method} ${path.slice(0, 200)} ${String(body ?? '').slice(0, 200)}: ${status} ${text.slice(0, 500)}`
  assert.ok(status < 500, what)
  assert.ok(!/mongo|bson|at \w+ \(|node_modules|\/src\//i.test(text), `says what is inside: ${what}`)
  assert.ok(text.length < 20_000, `is told everything back: ${what.slice(0, 300)}`)
  assert.ok(text.endsWith('\n'), what)
  assert.equal(headers['content-type'], 'application/json', what)
  const { success, error, code, requestId, fields = [] } = (json ?? {}) as Readonly<Record<string, unknown>>
  assert.equal(success, status < 400, what)
  if (status >= 400)
    assert.deepEqual([typeof error, typeof code, typeof requestId], ['string', 'string', 'string'], what)
  const problem = manager.documented.problemOf({ method, path, status, body: json, sent: parsed(String(body ?? '')) })
  assert.equal(problem, undefined, what)
  return { status, text, code: code as string | undefined, fields: fields as Told['fields'] }
}

/** As the document judges it: text that is no JSON as a whole is read as far as its first value. */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return body
  }
}
