import assert from 'node:assert/strict'
import { test } from 'node:test'
import { merkleRoot } from '@bulkhead/intents'
import { createLog } from '@bulkhead/service-kit'
import { Long, ObjectId } from 'mongodb'
import { fitting } from '../push/fit.js'
import { createNodeSync } from '../push/node-sync.js'
import { defaultSchedulers } from '../schedulers/identity.js'
import type { Store } from '../store/types.js'
import { pod, type Scene, scenes, schedulerPod, selecting } from '../testing/scheduling.js'
import { Lease } from './lease.js'
import { Reconciler, type ReconcilerDeps } from './reconciler.js'

/* Contract 1.17.11, and what is ours beside it; driven run by run. */

let made = 0

function reconcilerOf(scene: Scene, more: Partial<ReconcilerDeps> = {}) {
  const { store, cluster, push } = scene
  const lines: string[] = []
  const { log } = createLog({ name: 'test', level: 'debug', write: (line) => lines.push(line) })
  const sync = createNodeSync({ store, push, log })
  const lease = new Lease({ store, id: `lease-${++made}` })
  const deps = { store, cluster, push, sync, lease, identity: defaultSchedulers, log, youngMs: 0, ...more }
  return { reconciler: new Reconciler(deps), lease, lines, said: () => lines.map((line) => JSON.parse(line)) }
}

/** As a scheduler that has all that is stored. */
const rootsOf = async ({ store }: Scene, nodeID: string): Promise<string[]> => [
  merkleRoot(fitting(await store.intents.find({ nodeID }).toArray()).intents),
]

/** Schedulers on the first two of three nodes. */
function withSchedulers({ cluster }: Scene): void {
  cluster.setPod(schedulerPod('scheduler-1', 'node-1'))
  cluster.setPod(schedulerPod('scheduler-2', 'node-2'))
}

const intentsOf = async ({ store }: Scene): Promise<unknown[]> =>
  (await store.intents.find().sort({ podName: 1 }).toArray()).map(({ podName, nodeID, state }) => [
    podName,
    nodeID,
    Number(state),
  ])

test(
  'contract 1.10, 1.17.11',
  scenes({
    'roots are compared node by node: those that match are sent nothing, the other is sent its whole set, which is noted':
      async (scene) => {
        withSchedulers(scene)
        const { push, store } = scene
        await (await scene.planner()).plan(selecting('web'))
        const { reconciler } = reconcilerOf(scene)
        push.sets.length = 0
        assert.deepEqual((await reconciler.run()).resynced, { equal: 2, sent: 0, failed: 0, gone: 0 })
        assert.equal(push.sets.length, 0, 'match: no send')
        assert.deepEqual(push.compared.splice(0).sort(), ['node-1', 'node-2'], 'node-3 has no scheduler')
        // As after a restart of the one of node-1.
        push.compare = async (node) => (node === 'node-1' ? ['0'.repeat(64)] : rootsOf(scene, node))
        await store.intents.updateMany({ nodeID: 'node-1' }, { $set: { state: 1 } as never })
        assert.deepEqual((await reconciler.run()).resynced, { equal: 1, sent: 1, failed: 0, gone: 0 })
        assert.deepEqual(
          push.sets.map(({ node, intents }) => [node, intents.map(({ podName }) => podName)]),
          [['node-1', ['web-1', 'web-2']]],
        )
        assert.deepEqual(await intentsOf(scene), [
          ['web-1', 'node-1', 2],
          ['web-2', 'node-1', 2],
          ['web-3', 'node-2', 2],
        ])
      },

    'a vanished pod: its intent is deleted, its node told, and its successor gets one': async (scene) => {
      withSchedulers(scene)
      const { cluster, push } = scene
      await (await scene.planner()).plan(selecting('web'))
      cluster.removePod('uid-of-web-1')
      cluster.setPod(pod('web-4', 'web', 'node-2'))
      push.sets.length = 0
      const { reconciler, said } = reconcilerOf(scene)
      const { outcome, refreshed } = await reconciler.run()
      assert.deepEqual([outcome, refreshed?.added, refreshed?.removed, refreshed?.replaced], ['done', 1, 1, 0])
      assert.deepEqual(push.podsOf('node-1'), ['uid-of-web-2'])
      assert.deepEqual(push.podsOf('node-2'), ['uid-of-web-3', 'uid-of-web-4'])
      assert.deepEqual(await intentsOf(scene), [
        ['web-2', 'node-1', 2],
        ['web-3', 'node-2', 2],
        ['web-4', 'node-2', 2],
      ])
      const { msg, added, removed, nodes } = said().at(-1)
      assert.deepEqual([msg, added, removed, nodes.sent], ['reconciled', 1, 1, 2])
      push.sets.length = 0
      const again = await reconciler.run()
      assert.deepEqual([again.refreshed?.added, again.refreshed?.removed, push.sets.length], [0, 0, 0])
      assert.equal(said().at(-1).msg, 'reconciled: nothing was to be done')
    },

    'what the original forgets: a pod that was on no node is on one, one has other labels, one matches no more': async (
      scene,
    ) => {
      withSchedulers(scene)
      const { cluster, push } = scene
      const planner = await scene.planner()
      await planner.plan(selecting('job'))
      await planner.plan({ labelSelectors: [{ key: 'app', value: '' }], k8sNamespace: ['shop'] })
      cluster.setPod(pod('job-1', 'job', 'node-1', 'batch'))
      cluster.setPod(pod('web-1', 'web', 'node-1', 'shop', { labels: { app: 'web', canary: 'true' } }))
      cluster.setPod(pod('api-1', 'api', 'node-2', 'shop', { labels: {} }))
      const { reconciler } = reconcilerOf(scene)
      const { refreshed } = await reconciler.run()
      assert.deepEqual([refreshed?.added, refreshed?.removed, refreshed?.replaced], [2, 3, 2])
      const told = push.sets.findLast(({ node }) => node === 'node-1')?.intents ?? []
      assert.deepEqual(told.find(({ podName }) => podName === 'web-1')?.podLabels, { app: 'web', canary: 'true' })
      assert.ok(told.some(({ podName }) => podName === 'job-1'))
      assert.deepEqual(push.podsOf('node-2'), ['uid-of-web-3'])
    },

    'no schedulers: nothing is asked, and intents are brought up to date all the same': async (scene) => {
      await (await scene.planner()).plan(selecting('web'))
      scene.cluster.removePod('uid-of-web-1')
      const { reconciler } = reconcilerOf(scene)
      const { refreshed, resynced } = await reconciler.run()
      assert.deepEqual([refreshed?.removed, resynced], [1, { equal: 0, sent: 0, failed: 0, gone: 0 }])
      assert.deepEqual(scene.push.compared, [])
    },

    'a scheduler that is offline is passed over; one that fails is told of, and holds up no other': async (scene) => {
      withSchedulers(scene)
      const { cluster, push } = scene
      await (await scene.planner()).plan(selecting('web'))
      push.compare = (node) =>
        node === 'node-1' ? Promise.reject(new Error('it hangs up')) : Promise.resolve(['0'.repeat(64)])
      push.sets.length = 0
      const { reconciler, said } = reconcilerOf(scene)
      assert.deepEqual((await reconciler.run()).resynced, { equal: 0, sent: 1, failed: 1, gone: 0 })
      assert.deepEqual(
        push.sets.map(({ node }) => node),
        ['node-2'],
      )
      assert.ok(said().some(({ msg, node }) => node === 'node-1' && /could not be asked/.test(msg)))
      cluster.setPod(schedulerPod('scheduler-1', 'node-1', { phase: 'Failed' }))
      push.compared.length = 0
      await reconciler.run()
      assert.deepEqual(push.compared, ['node-2'])
    },

    'contract M29: while nobody knows which pods there are, no intent is taken away; schedulers are compared': async (
      scene,
    ) => {
      withSchedulers(scene)
      await (await scene.planner()).plan(selecting('web'))
      scene.cluster.synced = false
      scene.cluster.removePod('uid-of-web-1')
      const { reconciler } = reconcilerOf(scene)
      const run = await reconciler.run()
      assert.deepEqual([run.outcome, run.refreshed, run.resynced?.equal], ['cluster-unknown', undefined, 2])
      assert.equal((await intentsOf(scene)).length, 3)
    },

    'an intent that is a moment old is not taken away because its pod is not known here': async (scene) => {
      await (await scene.planner()).plan(selecting('web'))
      scene.cluster.removePod('uid-of-web-1')
      const { reconciler } = reconcilerOf(scene, { youngMs: 60_000 })
      assert.equal((await reconciler.run()).refreshed?.removed, 0)
      assert.equal((await intentsOf(scene)).length, 3)
    },

    'an intent that was made while a clock was far ahead is taken away like others': async (scene) => {
      await (await scene.planner()).plan(selecting('web'))
      const ahead = Long.fromNumber(Date.now() + 3_600_000)
      await scene.store.intents.updateMany({}, { $set: { createdTime: ahead } })
      scene.cluster.removePod('uid-of-web-1')
      const { reconciler } = reconcilerOf(scene, { youngMs: 10_000 })
      assert.equal((await reconciler.run()).refreshed?.removed, 1)
      assert.equal((await intentsOf(scene)).length, 2)
    },

    'contract M16: a node of which nothing is left is sent the empty set': async (scene) => {
      withSchedulers(scene)
      const { cluster, push } = scene
      await (await scene.planner()).plan(selecting('api'))
      cluster.removePod('uid-of-api-1')
      const { reconciler } = reconcilerOf(scene)
      await reconciler.run()
      assert.deepEqual(push.podsOf('node-2'), [])
      assert.deepEqual((await reconciler.run()).resynced?.equal, 2)
    },

    'contract M19: of two replicas one works; it is the other one when that is gone': async (scene) => {
      withSchedulers(scene)
      const clock = { now: 0 }
      const leases = ['a', 'b'].map(
        (owner) => new Lease({ store: scene.store, id: 'shared', owner, now: () => clock.now }),
      ) as [Lease, Lease]
      const [a, b] = leases.map((lease) => reconcilerOf(scene, { lease }).reconciler) as [Reconciler, Reconciler]
      const outcomes = async (...all: Reconciler[]) =>
        (await Promise.all(all.map((each) => each.run()))).map(({ outcome }) => outcome)
      assert.deepEqual(await outcomes(a), ['done'])
      assert.deepEqual(await outcomes(a, b), ['done', 'follower'])
      clock.now += 60_000
      assert.deepEqual(await outcomes(b), ['done'], 'a has said nothing for a minute')
      assert.deepEqual(await outcomes(a), ['follower'])
      await leases[1].release()
      assert.deepEqual(await outcomes(a), ['done'])
    },

    'who was deposed, and does not know it yet, changes nothing: the fence is in the strategy': async (scene) => {
      await (await scene.planner()).plan(selecting('web'))
      scene.cluster.removePod('uid-of-web-1')
      const asleep = { term: 1, hold: () => Promise.resolve(1) }
      await scene.store.strategies.updateMany(
        {},
        { $set: { reconciled: { term: Long.fromNumber(2), count: 1 } } as never },
      )
      assert.equal((await reconcilerOf(scene, { lease: asleep }).reconciler.run()).outcome, 'late')
      assert.equal((await intentsOf(scene)).length, 3)
      const awake = { term: 2, hold: () => Promise.resolve(2) }
      assert.equal((await reconcilerOf(scene, { lease: awake }).reconciler.run()).refreshed?.removed, 1)
    },

    'a plan on an older reading is not done: a user has changed the strategy, or another reconciliation has been there':
      async (scene) => {
        const { cluster, store } = scene
        const planner = await scene.planner()
        const id = await planner.plan(selecting('web'))
        cluster.removePod('uid-of-web-1')
        /** The store, with something that happens just before the first change. */
        const meeting = (happens: () => Promise<unknown>): Store => {
          let once: Promise<unknown> | undefined
          return Object.create(store, {
            transaction: {
              value: async (work: never) => {
                once ??= happens()
                await once
                return store.transaction(work)
              },
            },
          })
        }
        const byUser = meeting(() => planner.put('/api/v1/strategies').send({ strategyId: id, ...selecting('api') }))
        assert.deepEqual((await reconcilerOf(scene, { store: byUser }).reconciler.run()).refreshed?.met, 1)
        assert.deepEqual(
          (await intentsOf(scene)).map((one) => (one as unknown[])[0]),
          ['api-1'],
        )

        cluster.setPod(pod('api-2', 'api', 'node-1'))
        const other = reconcilerOf(scene).reconciler
        const byOther = meeting(() => other.run())
        assert.deepEqual((await reconcilerOf(scene, { store: byOther }).reconciler.run()).refreshed?.met, 1)
        assert.equal((await intentsOf(scene)).length, 2)

        cluster.removePod('uid-of-api-2')
        const byOwner = meeting(() => planner.delete(`/api/v1/strategies/${id}`))
        await reconcilerOf(scene, { store: byOwner }).reconciler.run()
        assert.deepEqual(await intentsOf(scene), [], 'what was deleted does not come back')
        assert.equal(await store.strategies.countDocuments({ _id: new ObjectId(id) }), 0)
      },

    'a deleted intent whose strategy lives on comes back; an If-Match of before still holds': async (scene) => {
      const planner = await scene.planner()
      const id = await planner.plan(selecting('api'))
      const [intent] = await scene.store.intents.find().toArray()
      await planner.delete(`/api/v1/intents/${intent?._id.toHexString()}`).expect(200)
      assert.equal((await reconcilerOf(scene).reconciler.run()).refreshed?.added, 1)
      await planner
        .put('/api/v1/strategies')
        .set('if-match', '"1"')
        .send({ strategyId: id, ...selecting('web') })
        .expect(200)
      const kept = await scene.store.strategies.findOne({ _id: new ObjectId(id) })
      assert.equal(Number(kept?.reconciled?.count), 1, 'a change keeps the fence')
    },

    'its time over, or told to stop, a run begins nothing more; the next one does the rest': async (scene) => {
      withSchedulers(scene)
      const planner = await scene.planner()
      for (let n = 0; n < 3; n++) await planner.plan(selecting('web'))
      scene.cluster.removePod('uid-of-web-1')
      const { reconciler } = reconcilerOf(scene)
      assert.equal((await reconciler.run(AbortSignal.abort())).outcome, 'late')
      assert.equal((await reconcilerOf(scene, { runMs: 0 }).reconciler.run()).outcome, 'late')
      const [one, same] = [reconciler.run(), reconciler.run()]
      assert.equal(one, same, 'who asks while one is under way shares it')
      assert.equal((await one).outcome, 'done')
      assert.equal((await intentsOf(scene)).length, 6)
    },
  }),
)
