import { Resolver } from 'node:dns/promises'
import { connect as connectTcp, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { isGloballyRoutable } from './addresses.js'

/** The only port of the real world that is dialled. */
export const REAL_PORT = 443
const DIAL_MS = 10_000
const KEPT_MS = 30_000

/** The machine's own way out; tests have another. */
export interface World {
  resolve4(name: string, limitMs: number): Promise<readonly string[]>
  connect(ip: string, port: number, signal: AbortSignal): Promise<Duplex>
}

export const world: World = {
  resolve4: (name, limitMs) => new Resolver({ timeout: limitMs, tries: 1 }).resolve4(name),
  connect: (ip, port, signal) =>
    new Promise<Socket>((resolve, reject) => {
      signal.throwIfAborted()
      const socket = connectTcp({ host: ip, port, allowHalfOpen: true })
      const aborted = () => socket.destroy(Object.assign(new Error('connect ETIMEDOUT'), { code: 'ETIMEDOUT' }))
      signal.addEventListener('abort', aborted, { once: true })
      socket.once('error', reject)
      socket.once('connect', () => {
        signal.removeEventListener('abort', aborted)
        socket.off('error', reject)
        resolve(socket)
      })
    }),
}

/** One host of the real world: its name is looked up here, and only addresses that this gave are dialled. */
export class RealHostDialer {
  readonly host: string
  readonly #world: World
  #known: { readonly addresses: readonly string[]; readonly until: number } | undefined

  constructor(host: string, over: World) {
    this.host = host
    this.#world = over
  }

  /** Addresses that the whole world means the same by. A name server that answers with others is not followed. */
  async resolve(limitMs: number): Promise<readonly string[] | undefined> {
    if (this.#known !== undefined && this.#known.until > Date.now()) return this.#known.addresses
    const found = await this.#world.resolve4(this.host, limitMs).catch(() => [])
    const addresses = found.filter(isGloballyRoutable).slice(0, 16)
    if (addresses.length === 0) return undefined
    this.#known = { addresses, until: Date.now() + KEPT_MS }
    return addresses
  }

  has(ip: string): boolean {
    return this.#known?.addresses.includes(ip) ?? false
  }

  dial(ip: string, signal?: AbortSignal): Promise<Duplex> {
    const limit = AbortSignal.timeout(DIAL_MS)
    return this.#world.connect(ip, REAL_PORT, signal === undefined ? limit : AbortSignal.any([signal, limit]))
  }

  /** Whether it answers, with a certificate that is good for its name, within the time. */
  async answers(limitMs: number): Promise<boolean> {
    // Not AbortSignal.timeout: its timer would let a process end that has nothing else to wait for.
    const over = new AbortController()
    const { signal } = over
    const late = new Promise<false>((resolve) => signal.addEventListener('abort', () => resolve(false), { once: true }))
    const timer = setTimeout(() => over.abort(), limitMs)
    const answers = await Promise.race([this.#answers(limitMs, signal), late])
    clearTimeout(timer)
    return answers
  }

  async #answers(limitMs: number, signal: AbortSignal): Promise<boolean> {
    const [ip] = (await this.resolve(limitMs)) ?? []
    if (ip === undefined || signal.aborted) return false
    let raw: Duplex | undefined
    try {
      raw = await this.#world.connect(ip, REAL_PORT, signal)
      return await this.#verified(raw, signal)
    } catch {
      return false
    } finally {
      raw?.on('error', () => {}).destroy()
    }
  }

  #verified(raw: Duplex, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const secure = connectTls({ socket: raw, servername: this.host })
      const done = (good: boolean) => {
        signal.removeEventListener('abort', late)
        secure.destroy()
        resolve(good)
      }
      const late = () => done(false)
      signal.addEventListener('abort', late, { once: true })
      secure.once('secureConnect', () => done(secure.authorized))
      secure.on('error', late).once('close', late)
    })
  }
}
