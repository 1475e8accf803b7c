import type { Logger } from '@bulkhead/service-kit'
import { Int32, Long, type ObjectId } from 'mongodb'
import { OPERATION_TIMEOUT_MS } from '../store/client.js'
import { intentState } from '../store/documents.js'
import type { Store } from '../store/types.js'
import { type ReadSet, readSet } from './read-set.js'
import { OutdatedSet, type SchedulerPush } from './types.js'

/** How long a caller waits for the schedulers; what is not through by then goes on without him. */
export const SYNC_WAIT_MS = 4_000
/** Schedulers that are spoken to at the same time. */
const PARALLEL = 8
/** What reading a node's set may take, and noting that it was sent: all that the driver waits for in an operation, twice. */
const DATABASE_MS = 2 * OPERATION_TIMEOUT_MS

/** A scheduler that says it has a version above this one is not followed there: the numbers of its node would come to an end. */
const HIGHEST_VERSION = Number.MAX_SAFE_INTEGER - 1e12

/** The whole of what a node's scheduler is told, and of what is noted when it was. */
export interface NodeSync {
  /**
   * Sends each node's set, as it is in the database from now on, to the node's scheduler. Resolves with the nodes that have it, when all
   * are through or the wait is over; never rejects: what was not sent stays in state 1.
   */
  sync(nodes: Iterable<string>): Promise<ReadonlySet<string>>
  /** Waits for what is under way. */
  close(): Promise<void>
}

interface Deps {
  readonly store: Pick<Store, 'intents' | 'setVersions' | 'schedulers' | 'transaction' | 'within'>
  readonly push: Pick<SchedulerPush, 'push'>
  readonly log: Pick<Logger, 'warn'>
  readonly waitMs?: number
  readonly databaseMs?: number
}

/**
 * At most one exchange with a node is under way; who comes meanwhile shares the next one, which begins after his write and so has it.
 * Sets never overtake each other that way, and a burst of changes costs two exchanges.
 */
export function createNodeSync({ store, push, log, waitMs = SYNC_WAIT_MS, databaseMs = DATABASE_MS }: Deps): NodeSync {
  const running = new Map<string, Promise<boolean>>()
  const following = new Map<string, Promise<boolean>>()
  const waiting: (() => void)[] = []
  let free = PARALLEL

  const turn = (): Promise<void> => {
    if (free > 0) {
      free--
      return Promise.resolve()
    }
    return new Promise((resolve) => waiting.push(resolve))
  }
  const over = (): void => {
    const next = waiting.shift()
    if (next === undefined) free++
    else next()
  }

  const deliver = async (node: string, above?: number): Promise<ReadSet | 'no-scheduler'> => {
    // Bounded, as a request is: what hangs here would keep the node, and its place among the eight, for good.
    const set = await store.within(databaseMs, () => readSet(store, node, above))
    try {
      return (await push.push(set)) === 'no-scheduler' ? 'no-scheduler' : set
    } catch (error) {
      if (!(error instanceof OutdatedSet) || above !== undefined) throw error
      // Another replica was quicker with a later one; or what it has is of another database, and then it has said so in a report. Once
      // more, with what there is now.
      const said = await store.within(databaseMs, () => store.schedulers.findOne({ _id: node }))
      const known = Number(said?.setVersion ?? 0)
      return deliver(node, known <= HIGHEST_VERSION ? known : 0)
    }
  }

  const send = async (node: string): Promise<boolean> => {
    await turn()
    try {
      const set = await deliver(node)
      if (set === 'no-scheduler') {
        log.warn({ node }, 'no scheduler is known on this node')
        return false
      }
      if (set.leftOut > 0)
        log.warn(
          { node, leftOut: set.leftOut, some: set.left },
          'intents of this node are more than its scheduler takes',
        )
      if (set.unsent.length > 0) await store.within(databaseMs, () => noteSent(store, set.unsent))
      return true
    } catch (err) {
      log.warn({ node, err }, 'the scheduler of this node was not told')
      return false
    } finally {
      over()
    }
  }

  const start = (node: string): Promise<boolean> => {
    const sent = send(node).finally(() => running.delete(node))
    running.set(node, sent)
    return sent
  }

  const request = (node: string): Promise<boolean> => {
    const known = following.get(node)
    if (known !== undefined) return known
    const current = running.get(node)
    if (current === undefined) return start(node)
    const next = current.then(() => {
      following.delete(node)
      return start(node)
    })
    following.set(node, next)
    return next
  }

  return {
    async sync(nodes) {
      const reached = new Set<string>()
      const all = Promise.all(
        [...new Set(nodes)].map(async (node) => {
          // A pod that is on no node has nobody to tell.
          if (node !== '' && (await request(node))) reached.add(node)
        }),
      )
      let timer: NodeJS.Timeout | undefined
      await Promise.race([all, new Promise((resolve) => (timer = setTimeout(resolve, waitMs)))])
      clearTimeout(timer)
      return new Set(reached)
    },
    async close() {
      while (running.size > 0) await Promise.all([...running.values(), ...following.values()])
    },
  }
}

/** Notes that the schedulers of these intents' nodes know them. */
async function noteSent(store: Pick<Store, 'intents'>, ids: readonly ObjectId[]): Promise<void> {
  await store.intents.updateMany(
    { _id: { $in: [...ids] } },
    { $set: { state: new Int32(intentState.sent), updatedTime: Long.fromNumber(Date.now()) } },
  )
}
