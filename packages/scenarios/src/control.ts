import { symptoms } from '@bulkhead/verdict/terms'
import { asMessage, isNotMakeable } from './stage.js'
import type { Observation, Scenario, Target } from './types.js'

/** What a control saw; `failed` says why it does not prove that the service was up. */
export interface Control {
  readonly observation?: Observation
  readonly failed?: string
  /** The target has no way to make it. */
  readonly notMakeable?: true
  /** What the target says of how it was made: that it was tried again, and why. */
  readonly notes?: readonly string[]
}

type Call = NonNullable<Scenario['control']>

/** One that was served this short a time ago still proves that the service is up. */
const freshMs = 2000

/**
 * The positive controls of a run: the allowed caller, served before an attack and again after it. Only both together say
 * that the service was up in between, and did not just come up, or go down. No call rejects.
 */
export class Controls {
  readonly #target: Target
  readonly #signal: AbortSignal | undefined
  /** By call: the control that is being made, and the one that follows it, for whoever asks in the meantime. */
  readonly #running = new Map<string, { current: Promise<Control>; next?: Promise<Control> }>()
  /** By call: the control that is being made before attacks. */
  readonly #beginning = new Map<string, Promise<Control>>()
  /** By call: the last control that was served, and when it ended. */
  readonly #served = new Map<string, { readonly control: Control; readonly endedAt: number }>()

  constructor(target: Target, signal?: AbortSignal) {
    this.#target = target
    this.#signal = signal
  }

  /**
   * What comes before an attack; what came after another one serves, as long as it is fresh. Those who wait for one at the same
   * time share it.
   */
  async before(call: Call): Promise<Control> {
    const key = keyOf(call)
    const last = this.#served.get(key)
    if (last !== undefined && performance.now() - last.endedAt < freshMs) return last.control
    const made = this.#beginning.get(key) ?? this.#make(call, 'before').finally(() => this.#beginning.delete(key))
    this.#beginning.set(key, made)
    return made
  }

  /** What comes after it: one that begins after this was asked for. Those who wait for one meanwhile share the next. */
  after(call: Call): Promise<Control> {
    const key = keyOf(call)
    const running = this.#running.get(key)
    if (running !== undefined) {
      running.next ??= running.current.then(() => this.#startAfter(key, call))
      return running.next
    }
    return this.#startAfter(key, call)
  }

  #startAfter(key: string, call: Call): Promise<Control> {
    const entry: { current: Promise<Control>; next?: Promise<Control> } = { current: this.#make(call, 'after') }
    this.#running.set(key, entry)
    void entry.current.then(() => {
      if (entry.next === undefined) this.#running.delete(key)
    })
    return entry.current
  }

  async #make(call: Call, when: 'before' | 'after'): Promise<Control> {
    const { from, attempt, status } = call
    try {
      const signal = this.#signal === undefined ? {} : { signal: this.#signal }
      const { observation, notes = [] } = await this.#target.attempt(from, attempt, { ...signal, records: 'none' })
      const told = notes.length === 0 ? {} : { notes: notes.map((note) => `its control, ${when} it: ${note}`) }
      const why = failureOf(observation, status)
      if (why !== undefined) return { observation, ...told, failed: `its control, ${from}, ${why} ${when} the attempt` }
      this.#served.set(keyOf(call), { control: { observation }, endedAt: performance.now() })
      return { observation, ...told }
    } catch (error) {
      const failed = `its control, ${from}, could not be made ${when} the attempt: ${asMessage(error)}`
      return isNotMakeable(error) ? { failed, notMakeable: true } : { failed }
    }
  }
}

const keyOf = ({ from, attempt, status }: Call): string => JSON.stringify([from, attempt, status])

function failureOf({ symptom, http }: Observation, status: number | undefined): string | undefined {
  if (symptom !== 'ok') return `was not served (it saw ${symptoms[symptom].says})`
  if (status !== undefined && http?.status !== status)
    return `was answered ${http?.status ?? 'with no HTTP'}, and not ${status},`
  if (status === undefined && http !== undefined && http.status >= 400) return `was answered ${http.status}`
  return undefined
}
