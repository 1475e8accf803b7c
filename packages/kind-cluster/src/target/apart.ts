import { setTimeout as wait } from 'node:timers/promises'
import type { Asked } from '../evidence/index.js'

/** An attempt whose records are read, as far as they can be told from another's: by the addresses of both ends, and the port. */
export interface Recorded extends Pick<Asked, 'from' | 'to'> {
  /** It ends when something else has happened, so that nobody may wait for it. */
  readonly held: boolean
}

interface Entry {
  readonly one: Recorded
  readonly over: Promise<void>
  endedAt?: number
}

/**
 * Keeps attempts apart that nothing in the records tells from each other. A proxy's line has a connection's addresses, and in the mesh no
 * port of the caller's: connections of one pod to another share a tunnel. So a line is one attempt's alone only where no other between
 * the same ends was made within the time in which records are looked for. Controls need not be kept apart: what is let through writes
 * nothing that a stop could be taken from.
 */
export class Apart {
  readonly #apartMs: number
  #entries: readonly Entry[] = []

  /** @param apartMs from the end of one to the beginning of the next */
  constructor(apartMs: number) {
    this.#apartMs = apartMs
  }

  /** Does it when those before it are over for long enough, in the order in which they came. */
  async run<T>(one: Recorded, what: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const isPast = ({ endedAt }: Entry): boolean =>
      endedAt !== undefined && performance.now() - endedAt >= this.#apartMs
    const now = this.#entries.filter((entry) => !isPast(entry))
    const before = now.filter((entry) => mayShare(entry.one, one))
    let end = (): void => {}
    const entry: Entry = {
      one,
      over: new Promise((resolve) => {
        end = resolve
      }),
    }
    this.#entries = [...now, entry]
    try {
      for (const earlier of before) await this.#over(earlier, signal)
      return await what()
    } finally {
      entry.endedAt = performance.now()
      end()
    }
  }

  async #over(entry: Entry, signal: AbortSignal | undefined): Promise<void> {
    if (entry.endedAt === undefined && entry.one.held) return
    await entry.over
    signal?.throwIfAborted()
    const left = this.#apartMs - (performance.now() - (entry.endedAt ?? 0))
    if (left > 0) await wait(left, undefined, signal === undefined ? {} : { signal })
  }
}

/**
 * As records are looked for: an end without addresses, or without a port, is one at which any will do. The tunnels' own port is every
 * destination's in the mesh, and whether a packet to it is dropped is the same for all of them.
 */
const mayShare = (one: Recorded, other: Recorded): boolean =>
  common(one.from.ips, other.from.ips) && common(one.to.ips, other.to.ips) && common(one.to.ports, other.to.ports)

const common = <T>(some: readonly T[] = [], others: readonly T[] = []): boolean =>
  some.length === 0 || others.length === 0 || some.some((each) => others.includes(each))
