/** Names that a pod may hold at a time, and how long an answer counts. Cilium keeps a name for as long as its records live. */
const MAX_PER_POD = 1_000
const LIFE_MS = 10 * 60_000

/** Which names a pod was given an address for by a lookup that a DNS rule let through: all that `toFQDNs` goes by. */
export class Learned {
  readonly #now: () => number
  /** By pod, then by `ip name`, oldest first: until when it counts. */
  readonly #pods = new Map<string, Map<string, number>>()

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  add(pod: string, name: string, addresses: readonly string[]): void {
    const known = this.#pods.get(pod) ?? new Map<string, number>()
    this.#pods.set(pod, known)
    for (const ip of addresses) {
      const key = `${ip} ${name}`
      known.delete(key)
      known.set(key, this.#now() + LIFE_MS)
    }
    for (const key of known.keys()) {
      if (known.size <= MAX_PER_POD) break
      known.delete(key)
    }
  }

  names(pod: string, ip: string): readonly string[] {
    const now = this.#now()
    return [...(this.#pods.get(pod) ?? [])].flatMap(([key, until]) =>
      until > now && key.startsWith(`${ip} `) ? [key.slice(ip.length + 1)] : [],
    )
  }

  forget(pod: string): void {
    this.#pods.delete(pod)
  }

  /** Entries kept. For tests. */
  get size(): number {
    return [...this.#pods.values()].reduce((sum, { size }) => sum + size, 0)
  }
}
