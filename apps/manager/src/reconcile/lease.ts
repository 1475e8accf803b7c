import { randomUUID } from 'node:crypto'
import { Long } from 'mongodb'
import type { LeaseDoc } from '../store/documents.js'
import { isDuplicateKey } from '../store/failures.js'
import type { Store } from '../store/types.js'

/** How long a holder that says nothing keeps it. */
export const LEASE_MS = 15_000
/** Of this, what a holder does not count on: two machines' clocks do not run at quite the same speed. */
const MARGIN = 0.1

export interface LeaseOptions {
  readonly store: Pick<Store, 'leases'>
  /** What it is for. */
  readonly id: string
  readonly leaseMs?: number
  /** Milliseconds that only go forward, of this process alone. */
  readonly now?: () => number
  /** Of this process and no other, not even the one before it. */
  readonly owner?: string
}

const ONE = Long.fromNumber(1)

/**
 * Says which one of the replicas does what one alone is to do.
 *
 * Nobody's time is compared with anybody else's. The holder counts `beat` up in the database; another one takes the lease when it has seen
 * the same `term` and `beat` for the whole of LEASE_MS by its own clock, and only if both are still the same in the write that takes it.
 * The holder counts its time from before it sent its last beat, and that was before the other one began to watch it: so it has stopped by
 * itself before the other one begins. All of that needs clocks of about the same speed, and none that show the same time.
 *
 * A holder that was asleep for long (SIGSTOP, a swapped out machine) may wake in the middle of a write. Therefore `term`, which every
 * taking counts up, goes with each write as a fence (`refresh.ts`).
 */
export class Lease {
  readonly #options: Required<LeaseOptions>
  #held: { readonly term: number; readonly until: number } | undefined
  #seen: { readonly term: number; readonly beat: number; readonly since: number } | undefined
  /** One question at a time: a beat that overtakes another would look like somebody else's. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: LeaseOptions) {
    this.#options = { leaseMs: LEASE_MS, now: () => performance.now(), owner: randomUUID(), ...options }
  }

  /** The term, while it is held. */
  get term(): number | undefined {
    const { now } = this.#options
    return this.#held !== undefined && now() < this.#held.until ? this.#held.term : undefined
  }

  /** Takes it, or keeps it. The term while it is held, undefined while it is somebody else's. Rejects when the database does not answer. */
  hold(): Promise<number | undefined> {
    return this.#inTurn(async () => (await this.#keep()) ?? (await this.#take()))
  }

  /** Gives it back, so that nobody has to wait for its end. */
  release(): Promise<void> {
    return this.#inTurn(async () => {
      const { store, id, owner } = this.#options
      const held = this.#held
      this.#held = undefined
      if (held === undefined) return
      await store.leases.updateOne(
        { _id: id, owner, term: Long.fromNumber(held.term) },
        { $set: { owner: '' }, $inc: { beat: ONE } },
      )
    })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work, work)
    this.#turn = done.catch(() => {})
    return done
  }

  async #keep(): Promise<number | undefined> {
    const { store, id, owner, now } = this.#options
    const asked = now()
    // One whose answer was not heard is ours, too: the owner is no other process's name.
    const kept = await store.leases.findOneAndUpdate(
      { _id: id, owner },
      { $inc: { beat: ONE } },
      { returnDocument: 'after' },
    )
    return kept === null ? this.#lost() : this.#holds(kept, asked)
  }

  async #take(): Promise<number | undefined> {
    const { store, id, owner, leaseMs, now } = this.#options
    const asked = now()
    const found = await store.leases.findOne({ _id: id })
    if (found === null) return this.#make(asked)
    const term = Number(found.term)
    const beat = Number(found.beat)
    const unchanged = this.#seen?.term === term && this.#seen.beat === beat
    if (!unchanged) this.#seen = { term, beat, since: now() }
    const watched = unchanged ? asked - (this.#seen?.since ?? asked) : 0
    if (found.owner !== '' && watched < leaseMs) return undefined
    const taken = await store.leases.findOneAndUpdate(
      { _id: id, owner: found.owner, term: Long.fromNumber(term), beat: Long.fromNumber(beat) },
      { $set: { owner }, $inc: { term: ONE, beat: ONE } },
      { returnDocument: 'after' },
    )
    return taken === null ? undefined : this.#holds(taken, asked)
  }

  async #make(asked: number): Promise<number | undefined> {
    const { store, id, owner } = this.#options
    const first: LeaseDoc = { _id: id, owner, term: ONE, beat: ONE }
    try {
      await store.leases.insertOne(first)
    } catch (error) {
      if (isDuplicateKey(error)) return undefined
      throw error
    }
    return this.#holds(first, asked)
  }

  #holds({ term }: LeaseDoc, asked: number): number {
    this.#held = { term: Number(term), until: asked + this.#options.leaseMs * (1 - MARGIN) }
    this.#seen = undefined
    return Number(term)
  }

  #lost(): undefined {
    this.#held = undefined
    return undefined
  }
}
