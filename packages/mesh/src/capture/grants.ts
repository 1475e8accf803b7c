import { createHash, randomBytes } from 'node:crypto'
import { Listeners } from './listeners.js'
import type { CapturedProcess } from './process.js'

/** A bound UDP port of a pod. */
export interface UdpBinding {
  readonly process: CapturedProcess
  readonly id: number
  readonly port: number
  readonly scope: 'pod' | 'loopback'
}

/** What capture knows of one pod. */
export interface Pod {
  readonly key: string
  readonly name: string
  readonly ip: string
  readonly listeners: Listeners
  readonly udp: Map<number, UdpBinding>
}

export function makePod({ key, name, ip }: { key: string; name: string; ip: string }): Pod {
  return { key, name, ip, listeners: new Listeners(), udp: new Map() }
}

/** One right to speak as a pod: whoever shows the secret does. */
export interface Grant {
  readonly id: string
  readonly pod: Pod
  /** Whom what is begun with it from now on belongs to. */
  run?: string
  /** Opened with it; destroyed with it. */
  readonly opened: Set<{ destroy(): unknown }>
}

/** What a process that has ended said last is in the kernel, so it is read as soon as anybody looks. What is open after this has another cause: a child that lives on. */
const LAST_WORDS_MS = 1_000

const digest = (secret: string): string => createHash('sha256').update(secret).digest('base64')

/** Grants by the digest of their secret, so that finding one tells nothing about the others by its timing. */
export class Grants {
  readonly #byDigest = new Map<string, Grant>()
  /** Their processes have ended, and what they said last is being read. */
  readonly #ending = new Map<Grant, NodeJS.Timeout>()

  add(pod: Pod, run: string | undefined): { grant: Grant; secret: string } {
    const secret = randomBytes(32).toString('base64url')
    const id = randomBytes(9).toString('base64url')
    const grant: Grant = { id, pod, opened: new Set(), ...(run === undefined ? {} : { run }) }
    this.#byDigest.set(digest(secret), grant)
    return { grant, secret }
  }

  find(secret: string): Grant | undefined {
    return this.#byDigest.get(digest(secret))
  }

  revoke(match: (grant: Grant) => boolean): void {
    for (const [key, grant] of this.#byDigest) {
      if (!match(grant)) continue
      this.#byDigest.delete(key)
      cut(grant)
    }
    for (const grant of [...this.#ending.keys()]) if (match(grant)) this.#cutEnding(grant)
  }

  /**
   * Its process has ended: nobody speaks by its secret any more. What that process had opened ends by itself, as sockets
   * of a process do that is gone, once what it had written is read. That may be news of this same turn of the event loop.
   */
  end(ended: Grant): void {
    for (const [key, grant] of this.#byDigest) if (grant === ended) this.#byDigest.delete(key)
    if (ended.opened.size === 0 || this.#ending.has(ended)) return
    // After a turn that took long timers come first, and only then what there is to read.
    const late = () => setImmediate(() => setImmediate(() => this.#cutEnding(ended)))
    this.#ending.set(ended, setTimeout(late, LAST_WORDS_MS).unref())
  }

  #cutEnding(grant: Grant): void {
    clearTimeout(this.#ending.get(grant))
    if (this.#ending.delete(grant)) cut(grant)
  }
}

function cut({ opened }: Grant): void {
  for (const open of [...opened]) open.destroy()
}

/** Ties the life of something open to its grant's. */
export function track(
  grant: Grant,
  open: { destroy(): unknown; once(event: 'close', listener: () => void): unknown },
): void {
  grant.opened.add(open)
  open.once('close', () => grant.opened.delete(open))
}
