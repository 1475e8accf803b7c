import type { Logger } from '@bulkhead/service-kit'
import { Int32, Long } from 'mongodb'
import { OPERATION_TIMEOUT_MS } from '../store/client.js'
import { intentState } from '../store/documents.js'
import type { Store } from '../store/types.js'
import type { SchedulerPush } from './types.js'

/** How long a caller waits for the schedulers; what is not through by then goes on without him. */
export const SYNC_WAIT_MS = 4_000
/** Schedulers that are spoken to at the same time. */
const PARALLEL = 8
/** What reading a node's set may take, and noting that it was sent: all that the driver waits for in an operation, twice. */
const DATABASE_MS = 2 * OPERATION_TIMEOUT_MS

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
  readonly store: Pick<Store, 'intents' | 'within'>
  readonly push: SchedulerPush
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
  let lastVersion = 0

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

  const send = async (node: string): Promise<boolean> => {
    await turn()
    try {
      // Taken before the set is read: what another replica reads later has a later one.
      const version = Math.max(lastVersion + 1, Date.now())
      lastVersion = version
      // Bounded, as a request is: what hangs here would keep the node, and its place among the eight, for good.
      const intents = await store.within(databaseMs, () => store.intents.find({ nodeID: node }).toArray())
      intents.sort((a, b) => Buffer.compare(a._id.id, b._id.id))
      if ((await push.push({ node, version, intents })) === 'no-scheduler') {
        log.warn({ node }, 'no scheduler is known on this node')
        return false
      }
      const fresh = intents.filter(({ state }) => Number(state) !== intentState.sent).map(({ _id }) => _id)
      if (fresh.length > 0) {
        await store.within(databaseMs, () =>
          store.intents.updateMany(
            { _id: { $in: fresh } },
            { $set: { state: new Int32(intentState.sent), updatedTime: Long.fromNumber(Date.now()) } },
          ),
        )
      }
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
