import type { PointVerdict, Snapshot } from '@bulkhead/verdict'
import type { Policy } from './context.js'
import type { Failure, Flow } from './flows.js'
import { look } from './looks.js'

/** A connection as one enforcing side holds it open. */
export interface OpenConnection {
  readonly flow: Flow
  /** Keys of the pods at its ends, the source's first. */
  readonly pods: readonly string[]
  /** Asks this side's points again, with the evidence of the start. Undefined: one of the pods is no more. */
  judge(snapshot: Snapshot): readonly PointVerdict[] | undefined
  /** Cuts it as a reset. */
  close(): void
  /** Has it end in order, as soon as nobody waits for an answer on it. Absent: it can only be cut. */
  farewell?(): void
}

/** Looks after which a connection that is to end in order is cut: 5 s, as requests have when a gateway goes. */
const FAREWELL_LOOKS = 100

export const POLICY_CHANGE: Failure = {
  flag: 'POLICY_CHANGE',
  symptom: 'reset',
  error: 'connection closed due to policy change',
}

export const POD_GONE: Failure = { flag: 'CONNECT', symptom: 'reset', error: 'connection closed: the pod was removed' }

/** All that is open, to be judged again when the policies change (as ztunnel's connection manager does). */
export class Connections {
  readonly #open = new Set<OpenConnection>()
  /** Denied, and on their way to an end in order. */
  readonly #leaving = new Map<OpenConnection, () => void>()

  get size(): number {
    return this.#open.size
  }

  /** Keys of the pods of each connection. A source or a destination that is no pod has no calls. */
  calls(): readonly { readonly from: string; readonly to: string }[] {
    return [...this.#open].flatMap(({ pods: [from, to] }) =>
      from === undefined || to === undefined ? [] : [{ from, to }],
    )
  }

  /** Returns the way to forget it. */
  add(connection: OpenConnection): () => void {
    this.#open.add(connection)
    return () => this.#forget(connection)
  }

  /**
   * Judges everything against the new policies and closes what they deny; `inOrder`: once nobody waits for an answer on it.
   * Returns how many connections that were.
   */
  rejudge(policy: Policy, inOrder = false): number {
    const closed = new Set<Flow>()
    // Closing one may have closed another.
    for (const connection of [...this.#open])
      if (this.#open.has(connection) && !this.#leaving.has(connection) && !this.check(connection, policy, inOrder))
        closed.add(connection.flow)
    return closed.size
  }

  /** Judges one against those policies, and closes it if they deny it. */
  check(connection: OpenConnection, { snapshot, generation }: Policy, inOrder = false): boolean {
    const { flow } = connection
    let verdicts: readonly PointVerdict[] | undefined
    try {
      verdicts = connection.judge(snapshot)
    } catch (error) {
      // What cannot be judged is not let through, and the connections after it are still to be judged.
      this.#close(connection, { ...POLICY_CHANGE, error: `${POLICY_CHANGE.error}: it cannot be judged: ${error}` })
      return false
    }
    const isAllowed = verdicts?.every(({ outcome }) => outcome === 'allow') === true
    if (!isAllowed && inOrder && verdicts !== undefined && connection.farewell !== undefined) {
      this.#leave(connection)
      return false
    }
    for (const verdict of verdicts ?? []) flow.judged(verdict, generation)
    if (!isAllowed) this.#close(connection, verdicts === undefined ? POD_GONE : POLICY_CHANGE)
    return isAllowed
  }

  #leave(connection: OpenConnection): void {
    let left = FAREWELL_LOOKS
    const stop = look(() => {
      left -= 1
      if (left === 0) this.#close(connection, POLICY_CHANGE)
      return left === 0
    })
    this.#leaving.set(connection, stop)
    connection.flow.leaves()
    connection.farewell?.()
  }

  #forget(connection: OpenConnection): void {
    this.#leaving.get(connection)?.()
    this.#leaving.delete(connection)
    this.#open.delete(connection)
  }

  /** Closes what has an end at that pod. */
  closeOf(key: string): void {
    for (const connection of [...this.#open]) if (connection.pods.includes(key)) this.#close(connection, POD_GONE)
  }

  #close(connection: OpenConnection, failure: Failure): void {
    connection.flow.fail(failure)
    this.#forget(connection)
    connection.close()
  }
}
