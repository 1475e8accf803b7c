import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { podView } from '../kubernetes/memory.js'
import type { PodView } from '../kubernetes/types.js'
import { startManager } from '../testing/index.js'
import { schedulerPod } from '../testing/scheduling.js'
import { agrees, isComplete } from './testing/agreement.js'
import { cuts, type RelayCut, startRelay } from './testing/relay.js'
import { type Replica, startReplica } from './testing/replica.js'
import { type RealScheduler, startScheduler } from './testing/schedulers.js'

/*
 * Two managers, two schedulers that are the real programs, and everything that may go wrong between them, in any order and at once: pushes
 * are cut anywhere, schedulers and managers are killed, pods come, go and change, strategies too. When it is over and one reconciliation
 * has run, both sides have the same, and it is what the cluster's pods mean. BULKHEAD_LONG=1 has more; BULKHEAD_SEED repeats a run.
 */

const LONG = process.env.BULKHEAD_LONG === '1'
const seed = process.env.BULKHEAD_SEED
const numRuns = LONG ? 400 : 20

const NODES = ['node-1', 'node-2'] as const
const POD_COUNT = 5
const uidOf = (n: number): string => `0f8c2f9a-0000-4000-8000-${String(n).padStart(12, '0')}`
/** A process of every pod that there may be. */
const processes = new Map(Array.from({ length: POD_COUNT }, (_, n) => [uidOf(n), 100 + n]))

const pod = (n: number, nodeName: string, canary: boolean): PodView =>
  podView({
    name: `pod-${n}`,
    uid: uidOf(n),
    namespace: 'shop',
    nodeName,
    labels: { app: n % 2 === 0 ? 'web' : 'api', ...(canary ? { canary: 'true' } : {}) },
  })

interface Plan {
  readonly app: string
  readonly priority: number
}

type Act =
  | { readonly act: 'create'; readonly who: number; readonly plan: Plan }
  | { readonly act: 'update'; readonly who: number; readonly which: number; readonly plan: Plan }
  | { readonly act: 'delete'; readonly who: number; readonly which: number }
  | { readonly act: 'delete intent'; readonly who: number; readonly which: number }
  | { readonly act: 'reconcile'; readonly who: number }
  | { readonly act: 'pod'; readonly pod: number; readonly node: string | undefined; readonly canary: boolean }
  | { readonly act: 'cut'; readonly node: number; readonly where: RelayCut }
  | { readonly act: 'kill scheduler'; readonly node: number }
  | { readonly act: 'kill manager'; readonly who: number; readonly after: number }

const who = fc.nat(1)
const which = fc.nat(3)
const plan = fc.record({ app: fc.constantFrom('web', 'api', ''), priority: fc.integer({ min: 0, max: 3 }) })
const one = <A extends Act['act'], T extends object>(act: A, rest: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<{ act: A } & T>({ act: fc.constant(act), ...rest } as never, { noNullPrototype: true })
const act = fc.oneof(
  { weight: 4, arbitrary: one('create', { who, plan }) },
  { weight: 3, arbitrary: one('update', { who, which, plan }) },
  { weight: 2, arbitrary: one('delete', { who, which }) },
  { weight: 1, arbitrary: one('delete intent', { who, which }) },
  { weight: 4, arbitrary: one('reconcile', { who }) },
  {
    weight: 5,
    arbitrary: one('pod', {
      pod: fc.nat(POD_COUNT - 1),
      node: fc.constantFrom(undefined, '', ...NODES),
      canary: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: one('cut', { node: fc.nat(1), where: fc.constantFrom(...cuts) }) },
  { weight: 1, arbitrary: one('kill scheduler', { node: fc.nat(1) }) },
  { weight: 2, arbitrary: one('kill manager', { who, after: fc.nat(12) }) },
) as fc.Arbitrary<Act>
/** What is in one step happens at once. */
const steps = fc.array(fc.array(act, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 8, size: 'max' })

test('whatever is cut and killed, after a reconciliation schedulers serve what the database says, and that is what the pods mean', {
  timeout: LONG ? 3_000_000 : 300_000,
}, async (t) => {
  const m = await startManager(t)
  const { cluster, store, db } = m
  const clock = { now: 0 }
  // Schedulers know one address of the manager, whichever replica is behind it.
  const front = await startRelay(t)
  const managerUrl = `http://127.0.0.1:${front.port}`
  for (const name of NODES) cluster.setNode({ name, status: 'Ready' })
  const schedulers = await Promise.all(
    NODES.map(async (node, n) => {
      const scheduler = await startScheduler(t, {
        ...{ node, pod: `scheduler-${n}`, managerUrl, processes, managerKey: m.key, schedulerKey: m.schedulerKey },
      })
      const containers = [{ name: 'scheduler-sidecar', commandLine: '', ports: [scheduler.relay.port] }]
      cluster.setPod(schedulerPod(scheduler.pod, node, { podIP: '127.0.0.1', containers }))
      return scheduler
    }),
  )
  const replicas = (await Promise.all([0, 1].map(() => startReplica(t, m, { clock })))) as [Replica, Replica]
  front.target = replicas[0].port
  const seen = new Map<string, number>()
  const count = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1)

  const idOf = async (which: number): Promise<string> => {
    const all = await db.collection('schedule_strategies').find().sort({ _id: 1 }).toArray()
    return String(all[which % Math.max(1, all.length)]?._id ?? '0'.repeat(24))
  }
  const bodyOf = ({ app, priority }: Plan) => ({
    labelSelectors: [{ key: 'app', value: app }],
    k8sNamespace: ['shop'],
    priority,
  })

  const doomed = new Set<Replica>()
  const perform = async (given: Act): Promise<void> => {
    const replica = 'who' in given ? (replicas[given.who] as Replica) : undefined
    const scheduler =
      'node' in given && typeof given.node === 'number' ? (schedulers[given.node] as RealScheduler) : undefined
    const asked = async (...request: Parameters<Replica['ask']>): Promise<void> => {
      const status = (await replica?.ask(...request)) ?? 0
      count(`${given.act} ${status}`)
      assert.ok(status < 500 || status === 503, `${given.act}: ${status}`)
    }
    switch (given.act) {
      case 'create':
        return asked('POST', 'strategies', bodyOf(given.plan))
      case 'update':
        return asked('PUT', 'strategies', { strategyId: await idOf(given.which), ...bodyOf(given.plan) })
      case 'delete':
        return asked('DELETE', `strategies/${await idOf(given.which)}`)
      case 'delete intent': {
        const all = await db.collection('schedule_intents').find().sort({ _id: 1 }).toArray()
        return asked('DELETE', `intents/${String(all[given.which % Math.max(1, all.length)]?._id ?? '0'.repeat(24))}`)
      }
      case 'reconcile':
        return count(`reconcile ${(await replica?.reconcile())?.outcome}`)
      case 'pod':
        if (given.node === undefined) cluster.removePod(uidOf(given.pod))
        else cluster.setPod(pod(given.pod, given.node, given.canary))
        return count('pod')
      case 'cut':
        return scheduler?.relay.cut(given.where)
      case 'kill scheduler':
        count('kill scheduler')
        return scheduler?.restart()
      case 'kill manager':
        doomed.add(replica as Replica)
        return replica?.wire.cut(given.after, 'after', 'for good')
    }
  }

  const replaceDoomed = async (): Promise<void> => {
    for (const [n, replica] of replicas.entries()) {
      if (!doomed.delete(replica)) continue
      count('kill manager')
      const next = await startReplica(t, m, { clock })
      replicas[n as 0 | 1] = next
      if (front.target === replica.port) front.target = next.port
      await replica.bury()
    }
  }

  await fc.assert(
    fc.asyncProperty(steps, async (given) => {
      await Promise.all(['schedule_strategies', 'schedule_intents'].map((name) => db.collection(name).deleteMany({})))
      for (let n = 0; n < POD_COUNT; n++) cluster.setPod(pod(n, NODES[n % 2] as string, false))
      for (const step of given) {
        await Promise.all(step.map(perform))
        await replaceDoomed()
        // A lease whose holder was killed runs out between steps, now and then.
        clock.now += 6_000
      }
      for (const { relay } of schedulers) relay.heal()
      // A leader that was killed is followed when its lease is over.
      const rest = await Promise.all(replicas.map((replica) => replica.reconcile()))
      clock.now += 60_000
      const last = [...rest, await replicas[0].reconcile(), await replicas[1].reconcile()].at(-1)
      const by = last?.outcome === 'done' ? last : await replicas[0].reconcile()
      assert.equal(by.outcome, 'done')
      assert.equal(by.resynced?.failed, 0)
      await isComplete(store, cluster)
      for (const scheduler of schedulers) await agrees(store, scheduler, processes)
    }),
    {
      numRuns,
      includeErrorInReport: true,
      endOnFailure: !LONG,
      ...(seed === undefined ? (LONG ? {} : { seed: 41 }) : { seed: Number(seed) }),
    },
  )
  for (const { relay } of schedulers) for (const where of relay.made) count(`cut ${where}`)
  t.diagnostic(JSON.stringify(Object.fromEntries([...seen].sort())))
  const never = [
    ...cuts.map((where) => `cut ${where}`),
    'kill scheduler',
    'kill manager',
    'create 201',
    'update 200',
    'create 503',
  ].filter((what) => !seen.has(what))
  assert.deepEqual(never, [], 'what never happened was not tested')
})
