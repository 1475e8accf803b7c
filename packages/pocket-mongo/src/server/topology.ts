import { Long, ObjectId } from 'bson'
import { MongoError } from '../errors.js'

/** The longest time that a timer here can be set to. */
const LONGEST_MS = 2 ** 31 - 1

/** Which server this is, and how often what it says of itself has changed. */
export interface TopologyVersion {
  readonly processId: ObjectId
  readonly counter: Long
}

/** What a server says of itself in `hello`, as something that has versions: a client may wait for the next one. */
export class Topology {
  readonly #processId = new ObjectId()
  readonly #waiting = new Set<() => void>()
  #counter = 0

  get version(): TopologyVersion {
    return { processId: this.#processId, counter: Long.fromNumber(this.#counter) }
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size
  }

  changed(): void {
    this.#counter++
    for (const wake of [...this.#waiting]) wake()
  }

  /**
   * Resolves when the version is another one than `known`, and after so many milliseconds at the latest.
   *
   * @throws MongoError Location31382 (no server has said that yet), InterruptedAtShutdown (the signal)
   */
  async newerThan({ processId, counter }: TopologyVersion, ms: number, signal: AbortSignal): Promise<void> {
    if (!processId.equals(this.#processId)) return
    if (counter.greaterThan(this.#counter))
      throw new MongoError(
        'Location31382',
        `Received a topology version with counter: ${counter} which is greater than the server topology version counter: ${this.#counter}`,
      )
    if (counter.lessThan(this.#counter)) return
    if (!signal.aborted)
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer)
          this.#waiting.delete(wake)
          signal.removeEventListener('abort', wake)
          resolve()
        }
        const timer = setTimeout(wake, Math.min(ms, LONGEST_MS))
        this.#waiting.add(wake)
        signal.addEventListener('abort', wake)
      })
    if (signal.aborted) throw new MongoError('InterruptedAtShutdown', 'the connection is being closed')
  }
}
