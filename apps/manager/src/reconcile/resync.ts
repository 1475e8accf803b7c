import { merkleRoot } from '@bulkhead/intents'
import type { Logger } from '@bulkhead/service-kit'
import { fitting } from '../push/fit.js'
import type { NodeSync } from '../push/node-sync.js'
import type { SchedulerPush } from '../push/types.js'
import type { Store } from '../store/types.js'
import { each } from './each.js'
import { DATABASE_MS } from './refresh.js'

/** Nodes that are asked at the same time. */
const PARALLEL = 8

export interface ResyncDeps {
  readonly store: Pick<Store, 'intents' | 'within'>
  readonly push: Pick<SchedulerPush, 'roots'>
  readonly sync: Pick<NodeSync, 'sync'>
  readonly log: Pick<Logger, 'warn'>
  readonly signal: AbortSignal
}

/** What became of the nodes that have a scheduler. */
export interface Resynced {
  /** Whose scheduler had what it should. */
  equal: number
  /** Whose scheduler was sent its set. */
  sent: number
  /** Whose scheduler could not be asked or told: the next run tries again. */
  failed: number
  /** Whose scheduler went before it was asked. */
  gone: number
}

/**
 * Holds what the schedulers have against what is stored, by roots, and sends the whole set to those that have something else: nothing at
 * all after a restart, an older set after a push that did not arrive (contract 1.10, step 2). One that fails holds up no other.
 */
export async function resync(nodes: Iterable<string>, deps: ResyncDeps): Promise<Resynced> {
  const done: Resynced = { equal: 0, sent: 0, failed: 0, gone: 0 }
  await each(nodes, PARALLEL, deps.signal, async (node) => {
    try {
      done[await compare(node, deps)]++
    } catch (err) {
      done.failed++
      deps.log.warn({ node, err }, 'the scheduler of this node could not be asked what it has')
    }
  })
  return done
}

async function compare(node: string, { store, push, sync }: ResyncDeps): Promise<keyof Resynced> {
  const roots = await push.roots(node)
  if (roots.length === 0) return 'gone'
  const { intents, unsent } = fitting(
    await store.within(DATABASE_MS, () => store.intents.find({ nodeID: node }).toArray()),
  )
  const expected = merkleRoot(intents)
  // A root says nothing of the order, which decides between intents of one priority: what nobody has noted as sent is sent again.
  const same = roots.every((root) => root === expected) && unsent.length === 0
  if (same) return 'equal'
  return (await sync.sync([node])).has(node) ? 'sent' : 'failed'
}
