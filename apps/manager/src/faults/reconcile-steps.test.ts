import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { merkleRoot } from '@bulkhead/intents'
import { podView } from '../kubernetes/memory.js'
import { fitting } from '../push/fit.js'
import { RecordingPush } from '../push/recording.js'
import { startManager } from '../testing/index.js'
import { schedulerPod } from '../testing/scheduling.js'
import type { Cut } from '../testing/wire.js'
import { isComplete } from './testing/agreement.js'
import { startReplica } from './testing/replica.js'

/*
 * The manager is killed at every command of a reconciliation: the wire to its database is cut there, and stays so. The next manager, which
 * knows nothing of it, has to come to the same as if nothing had happened. The schedulers go on meanwhile, with what they were told.
 */

const NODE = 'node-1'
const pod = (n: number, round = 'first') =>
  podView({ name: `pod-${n}`, nodeName: NODE, namespace: 'shop', labels: { app: 'web', round } })

describe('a reconciliation is killed', { concurrency: 2 }, () => {
  for (const where of ['before', 'after'] as readonly Cut[]) {
    it(`${where} each command that it sends, and the next one ends what it began`, async (t) => {
      const m = await startManager(t)
      const { cluster, store } = m
      const clock = { now: 0 }
      // Both managers speak with the same schedulers.
      const push = new RecordingPush()
      cluster.setNode({ name: NODE, status: 'Ready' })
      cluster.setPod(schedulerPod('scheduler-1', NODE))
      for (let n = 0; n < 3; n++) cluster.setPod(pod(n))
      /** One pod goes, one comes, and one changes; each time others. */
      let rounds = 0
      const change = (): void => {
        cluster.removePod(`uid-of-pod-${rounds}`)
        cluster.setPod(pod(rounds + 3))
        cluster.setPod(pod(++rounds, `${rounds}`))
      }
      let replica = await startReplica(t, m, { clock, push })
      const plan = { labelSelectors: [{ key: 'app', value: 'web' }] }
      assert.equal(await replica.ask('POST', 'strategies', plan), 201)
      await replica.reconcile()
      change()
      replica.wire.watch()
      await replica.reconcile()
      const commands = [...replica.wire.commands]
      const commits = commands.filter((name) => name === 'commitTransaction').length
      assert.equal(commits, 2, commands.join(' '))

      let killed = 0
      for (let step = 0, through = false; !through; step++) {
        // After one command is before the next one, for the database; only a commit has none.
        if (where === 'after' && step < commands.length && commands[step] !== 'commitTransaction') continue
        change()
        replica.wire.cut(step, where, 'for good')
        const { outcome, refreshed } = await replica.reconcile()
        through = replica.wire.commands.length <= step
        const what = `cut ${where} command ${step} (${replica.wire.commands.join(' ')}): ${outcome}`
        if (!through) {
          killed++
          const clean = outcome === 'done' && refreshed?.failed.length === 0
          assert.ok(!clean || where === 'after', what)
          const next = await startReplica(t, m, { clock, push })
          await replica.bury()
          replica = next
          assert.equal((await replica.reconcile()).outcome, 'follower', 'the lease is of who was killed')
          clock.now += 60_000
          assert.equal((await replica.reconcile()).outcome, 'done', what)
        } else assert.equal(outcome, 'done', what)
        await isComplete(store, cluster)
        const documents = await store.intents.find({ nodeID: NODE }).toArray()
        assert.deepEqual(await push.compare(NODE), [merkleRoot(fitting(documents).intents)], what)
        const states = documents.map(({ state }) => Number(state))
        assert.deepEqual(states, [2, 2, 2], what)
      }
      assert.equal(killed, where === 'before' ? commands.length : commits)
    })
  }
})
