import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type supertest from 'supertest'
import { permissionKeys } from '../http/route.js'
import { podView } from '../kubernetes/memory.js'
import type { PodView } from '../kubernetes/types.js'
import { defaultSchedulers } from '../schedulers/identity.js'
import {
  type As,
  type NewTestUser,
  startManager,
  type TestManager,
  type TestManagerOptions,
  type TestUser,
} from './manager.js'

/** All that is needed to work with strategies, and nothing else. */
export const scheduling = permissionKeys.filter((key) => /^(schedule_|pod_pid_mapping\.)/.test(key))

/** A pod of workload `app`, on a node, in a namespace; its UID is `uid-of-<name>`. */
export const pod = (
  name: string,
  app: string,
  nodeName: string,
  namespace = 'shop',
  more: Partial<PodView> = {},
): PodView => podView({ name, nodeName, namespace, labels: { app, 'app.kubernetes.io/name': app }, ...more })

/** The pod of the scheduler of a node, as the manifests have it. */
export const schedulerPod = (name: string, nodeName: string, more: Partial<PodView> = {}): PodView =>
  podView({ name, nodeName, ...defaultSchedulers, labels: { app: 'decisionmaker' }, ...more })

/** The least that selects the pods of a workload. */
export const selecting = (app: string): { labelSelectors: { key: string; value: string }[] } => ({
  labelSelectors: [{ key: 'app', value: app }],
})

export interface Planner extends As {
  readonly user: TestUser
  /** Stores a strategy for the pods of a workload; its id. */
  plan(body: object): Promise<string>
}

export interface Scene extends TestManager {
  planner(options?: NewTestUser): Promise<Planner>
  /** Strategies, intents, keys, what was pushed and what was changed of the cluster are forgotten; users stay. */
  reset(): Promise<void>
  /** What is stored: the strategies' ids, and the pods of their intents, sorted. */
  stored(): Promise<{ readonly strategies: readonly string[]; readonly pods: readonly string[] }>
}

const pods = [
  pod('web-1', 'web', 'node-1'),
  pod('web-2', 'web', 'node-1'),
  pod('web-3', 'web', 'node-2'),
  pod('api-1', 'api', 'node-2'),
  pod('job-1', 'job', '', 'batch', { phase: 'Pending' }),
]

const nodes = [
  { name: 'node-2', status: 'NotReady' },
  { name: 'node-1', status: 'Ready' },
  { name: 'node-3', status: 'Unknown' },
] as const

/** The body of a test whose parts share one service, each on a scene as new. */
export function scenes(
  parts: Readonly<Record<string, (scene: Scene) => Promise<void>>>,
): (t: TestContext) => Promise<void> {
  return async (t) => {
    const scene = await schedulingScene(t)
    for (const [name, part] of Object.entries(parts)) {
      await t.test(name, async () => {
        await scene.reset()
        await part(scene)
      })
    }
  }
}

/**
 * The service on a cluster of three nodes: two pods of `web` on node-1 and one on node-2, one of `api` on node-2, in `shop`; one of `job` in
 * `batch` on no node yet.
 */
export async function schedulingScene(t: TestContext, options: TestManagerOptions = {}): Promise<Scene> {
  const manager = await startManager(t, options)
  const { cluster, db, push } = manager
  const fill = (): void => {
    for (const { uid } of [...cluster.pods()]) cluster.removePod(uid)
    for (const { name } of cluster.nodes()) cluster.removeNode(name)
    for (const each of pods) cluster.setPod(each)
    for (const each of nodes) cluster.setNode(each)
    cluster.synced = true
    push.sets.length = 0
    push.asked.length = 0
    push.forget()
    push.take = () => Promise.resolve('sent')
    push.read = () => Promise.resolve('no-scheduler')
  }
  fill()
  return {
    ...manager,
    planner: async (given = {}) => {
      const user = await manager.user({ policies: scheduling, ...given })
      const as = manager.as(user)
      return {
        ...as,
        user,
        plan: async (body) => {
          const response = await as.post('/api/v1/strategies').send(body)
          assert.equal(response.status, 201, response.text)
          return (response.body as { data: { id: string } }).data.id
        },
      }
    },
    reset: async () => {
      fill()
      await Promise.all(
        ['schedule_strategies', 'schedule_intents', 'idempotency_keys', 'schedulers'].map((name) =>
          db.collection(name).deleteMany({}),
        ),
      )
    },
    stored: async () => ({
      strategies: (await db.collection('schedule_strategies').find().sort({ _id: 1 }).toArray()).map(({ _id }) =>
        String(_id),
      ),
      pods: (await db.collection('schedule_intents').find().toArray()).map(({ podName }) => String(podName)).sort(),
    }),
  }
}

/** The answer's data, when it is a success with the contract's envelope (1.2). */
export function dataOf(response: supertest.Response, status = 200): unknown {
  assert.equal(response.status, status, response.text)
  assert.equal(response.headers['content-type'], 'application/json')
  const { success, data, timestamp, ...rest } = response.body as Record<string, unknown>
  assert.equal(success, true)
  assert.match(String(timestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  assert.deepEqual(rest, {})
  assert.ok(response.text.endsWith('\n'))
  return data
}

/** Holds an answer against the envelope of a refusal; the fields that it names. */
export function refusedWith(response: supertest.Response, status: number, code: string, message?: string): string[] {
  assert.equal(response.status, status, response.text)
  assert.equal(response.headers['content-type'], 'application/json')
  const { success, error, code: said, requestId, fields = [] } = response.body as Record<string, unknown>
  assert.deepEqual([success, said], [false, code], response.text)
  if (message !== undefined) assert.equal(error, message)
  assert.equal(typeof requestId, 'string')
  return (fields as { field: string; message: string }[]).map(({ field }) => field)
}
