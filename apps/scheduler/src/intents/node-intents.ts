import { type Intent, type IntentSet, leafText, merkleRoot } from '@bulkhead/intents'
import { schedulerErrors } from '../http/errors.js'
import { InvalidFields } from '../http/fields.js'
import { compileIntents, type ReadyIntent } from './compile.js'

/** What is in force on this node. It is never changed, but replaced as a whole (D4). */
export interface InForce {
  /** Of the set that was taken last; 0: none since the start. */
  readonly version: number
  readonly rootHash: string
  /** In the order of the set, which is the order in which they were made. */
  readonly intents: readonly ReadyIntent[]
  /** Processes that were taken out, by pod: `<pid>@<start time>`. */
  readonly without: ReadonlyMap<string, ReadonlySet<string>>
}

/** A process, as one that a later one with its number is not. */
export const processKey = (pid: number, startTime: string): string => `${pid}@${startTime}`

const NOTHING: InForce = { version: 0, rootHash: merkleRoot([]), intents: [], without: new Map() }

/** The intents of one node, in memory alone: after a start the manager is asked for them, by the first report. */
export class NodeIntents {
  readonly #node: string
  readonly #changed: () => void
  #inForce: InForce = NOTHING

  /** @param changed called after a set or a deletion that made a difference */
  constructor(node: string, changed: () => void = () => {}) {
    this.#node = node
    this.#changed = changed
  }

  get inForce(): InForce {
    return this.#inForce
  }

  /**
   * Puts a set in force, all of it or nothing. The one that is in force already may come again; what was taken out of it stays out.
   * @throws ServiceError VERSION_PASSED, VERSION_TAKEN, SET_INVALID
   */
  async put({ version, intents }: IntentSet): Promise<InForce> {
    if (this.#isInForce(version, intents)) return this.#inForce
    const ready = await compileIntents(this.#node, intents)
    if ('problems' in ready) throw new InvalidFields('SET_INVALID', ready.problems)
    // Another one may have come while this one was compiled.
    if (this.#isInForce(version, intents)) return this.#inForce
    this.#replace({ version, rootHash: merkleRoot(intents), intents: ready, without: new Map() })
    return this.#inForce
  }

  /** Takes out all intents, or those of one pod (D2). What was not there is no failure. */
  delete(podID?: string): void {
    const { version, intents, without } = this.#inForce
    const left = podID === undefined ? [] : intents.filter(({ intent }) => intent.podID !== podID)
    if (left.length === intents.length) return
    this.#replace({ version, rootHash: merkleRoot(left.map(({ intent }) => intent)), intents: left, without })
  }

  /** Takes one process of a pod out of what the pod's intents mean, until the next set. Others that have ended are forgotten. */
  deleteProcess(podID: string, process: string, running: ReadonlySet<string>): void {
    const without = new Map(this.#inForce.without)
    const known = [...(without.get(podID) ?? [])].filter((one) => running.has(one))
    without.set(podID, new Set([...known, process]))
    this.#inForce = { ...this.#inForce, without }
  }

  /** @throws ServiceError VERSION_PASSED for an older one, VERSION_TAKEN for one that has this version and is another */
  #isInForce(version: number, intents: readonly Intent[]): boolean {
    const known = this.#inForce
    if (version > known.version) return false
    if (version < known.version)
      throw schedulerErrors.error(
        'VERSION_PASSED',
        `A later set is in force: it has version ${known.version}, and this one ${version}.`,
      )
    // Not by the root: it is the same of sets of other orders, and of some that differ by a repetition.
    const same =
      intents.length === known.intents.length &&
      intents.every((intent, at) => leafText(intent) === leafText((known.intents[at] as ReadyIntent).intent))
    if (same) return true
    throw schedulerErrors.error('VERSION_TAKEN', `Another set is in force under the version ${version}.`)
  }

  #replace(next: InForce): void {
    this.#inForce = next
    this.#changed()
  }
}
