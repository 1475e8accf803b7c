import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2'
import { endSession, MAX_STREAMS, type Tunnels } from './hbone-common.js'
import { openSession, type SessionOptions, TunnelError, type TunnelSource, type TunnelTarget } from './hbone-session.js'
import type { Address } from './seams.js'

/** A session that carries nothing is closed after as long. */
const IDLE_MS = 30_000
/**
 * A session on which as many streams ended in a reset takes no new ones. Node's HTTP/2 server ends a session with an
 * error, and all that it carries, after about 1,000 resets that come faster than 33 a second (nghttp2's guard against
 * rapid resets), and a caller that is denied again and again makes them.
 */
const MAX_RESETS = 500
/** A stream that the far side refused unseen (it was closing the session) may be asked again, so often. */
const ATTEMPTS = 3

export interface PoolOptions extends SessionOptions {
  /** A fresh source port of that pod. */
  readonly sourcePort: (ip: string) => number
  readonly idleMs?: number
}

interface Connection extends Tunnels<ClientHttp2Session> {
  readonly source: string
  readonly identity: string
  readonly serial: string
  readonly target: string
  readonly local: Address
  streams: number
  /** Streams that ended in a reset, whoever's. */
  resets: number
  draining: boolean
  idle: NodeJS.Timeout | undefined
}

/** A session on its way. */
interface Opening {
  readonly source: string
  readonly target: string
  /** One of its pods went meanwhile. */
  cut: boolean
  readonly connection: Promise<Connection>
}

/** A session as tests and `status` see it. */
export interface TunnelInfo {
  readonly source: string
  readonly identity: string
  readonly serial: string
  readonly target: string
  readonly streams: number
}

/**
 * The HTTP/2 sessions from pod to pod. One session belongs to one source pod with one certificate and one destination
 * pod: what two identities ask never shares one, and a rotated certificate gets sessions of its own while the old ones drain.
 * No pings are sent: both ends are of one process, and a closed socket is noticed at once.
 */
export class HbonePool {
  readonly #options: PoolOptions
  readonly #connections = new Map<string, Set<Connection>>()
  readonly #opening = new Map<string, Opening>()
  #closed = false
  /** Sessions opened since the start, each with one handshake. */
  handshakes = 0

  constructor(options: PoolOptions) {
    this.#options = options
  }

  /**
   * Opens a tunnel through the target: to a port of its own, or on from a waypoint. `sent` is told under which name the far side will see it, before it does:
   * first the session, if this connect is the one that opens it, then the stream.
   */
  async connect(
    source: TunnelSource,
    target: TunnelTarget,
    to: Address,
    sent: (correlation: string) => void,
  ): Promise<ClientHttp2Stream> {
    for (let attempt = 1; ; attempt += 1) {
      const connection = await this.#acquire(source, target, sent)
      const outcome = await this.#request(connection, `${to.ip}:${to.port}`, sent)
      if (outcome !== 'refused unseen') return outcome
      if (attempt === ATTEMPTS) throw new TunnelError('connect', 'the HBONE session was closed again and again')
    }
  }

  /** New streams of that pod go over its new certificate; sessions of older ones end with their last stream. */
  retire(source: string, serial: string): void {
    for (const connection of this.#all())
      if (connection.source === source && connection.serial !== serial) this.#drain(connection)
  }

  /** Cuts every session from or to that pod. */
  cut(key: string): void {
    for (const connection of this.#all())
      if (connection.source === key || connection.target === key) endSession(connection)
    for (const [name, opening] of this.#opening) {
      if (opening.source !== key && opening.target !== key) continue
      opening.cut = true
      // A pod of that name may be there again before this one has failed.
      this.#opening.delete(name)
    }
  }

  tunnels(): readonly TunnelInfo[] {
    return this.#all()
      .filter(({ session }) => !session.destroyed)
      .map(({ source, identity, serial, target, streams }) => ({ source, identity, serial, target, streams }))
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled([...this.#opening.values()].map(({ connection }) => connection))
    for (const connection of this.#all()) endSession(connection)
  }

  #all(): readonly Connection[] {
    return [...this.#connections.values()].flatMap((set) => [...set])
  }

  /** A session with room for one more stream, and that room taken. */
  async #acquire(source: TunnelSource, target: TunnelTarget, sent: (correlation: string) => void): Promise<Connection> {
    const key = `${source.key}|${source.certificate.serial}|${target.key}`
    for (;;) {
      if (this.#closed) throw new TunnelError('connect', 'the mesh is closing')
      for (const connection of this.#connections.get(key) ?? []) if (usable(connection)) return this.#take(connection)
      const connection = await (this.#opening.get(key) ?? this.#begin(source, target, key, sent)).connection
      if (usable(connection)) return this.#take(connection)
    }
  }

  /** At once, not when the stream is asked for: others who waited for the same session count too. */
  #take(connection: Connection): Connection {
    clearTimeout(connection.idle)
    connection.streams += 1
    return connection
  }

  #giveBack(connection: Connection): void {
    connection.streams -= 1
    this.#rest(connection)
  }

  #begin(source: TunnelSource, target: TunnelTarget, key: string, sent: (correlation: string) => void): Opening {
    const local = { ip: source.ip, port: this.#options.sourcePort(source.ip) }
    sent(correlationOf(local, 0))
    const opening: Opening = {
      source: source.key,
      target: target.key,
      cut: false,
      // Forgotten at once when it fails: the next connect asks anew.
      connection: this.#open(source, target, key, local, () => opening.cut).finally(() => {
        if (!opening.cut) this.#opening.delete(key)
      }),
    }
    this.#opening.set(key, opening)
    return opening
  }

  async #open(
    source: TunnelSource,
    target: TunnelTarget,
    key: string,
    local: Address,
    isCut: () => boolean,
  ): Promise<Connection> {
    const opened = await openSession(this.#options, source, target, local)
    if (isCut() || this.#closed) {
      endSession(opened)
      throw new TunnelError('connect', 'the pod was removed')
    }
    const { session } = opened
    const connection: Connection = {
      ...opened,
      source: source.key,
      identity: source.certificate.identity,
      serial: source.certificate.serial,
      target: target.key,
      local,
      streams: 0,
      resets: 0,
      draining: false,
      idle: undefined,
    }
    this.handshakes += 1
    const set = this.#connections.get(key) ?? new Set()
    this.#connections.set(key, set.add(connection))
    session.once('goaway', () => this.#drain(connection))
    session.once('close', () => {
      connection.draining = true
      clearTimeout(connection.idle)
      set.delete(connection)
      if (set.size === 0 && this.#connections.get(key) === set) this.#connections.delete(key)
    })
    this.#rest(connection)
    return connection
  }

  #request(
    connection: Connection,
    authority: string,
    sent: (correlation: string) => void,
  ): Promise<ClientHttp2Stream | 'refused unseen'> {
    if (!open(connection)) {
      this.#giveBack(connection)
      return Promise.resolve('refused unseen')
    }
    const stream = connection.session.request({ ':method': 'CONNECT', ':authority': authority }, { endStream: false })
    sent(correlationOf(connection.local, stream.id ?? 0))
    stream.once('close', () => {
      // By its ends and not by its code: a reset may say NO_ERROR.
      if (!stream.readableEnded || !stream.writableFinished) connection.resets += 1
      if (connection.resets >= MAX_RESETS) connection.draining = true
      this.#giveBack(connection)
    })
    return new Promise((resolve, reject) => {
      let problem: Error | undefined
      const { timeoutMs } = this.#options
      const timer = setTimeout(() => {
        problem = new TunnelError('connect', `no answer to CONNECT ${authority} within ${timeoutMs} ms`)
        stream.destroy(problem)
      }, timeoutMs)
      const closed = () => {
        clearTimeout(timer)
        if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) resolve('refused unseen')
        else
          reject(
            problem instanceof TunnelError ? problem : new TunnelError('reset', problem?.message ?? 'stream reset'),
          )
      }
      stream.on('error', (error) => {
        problem ??= error
      })
      stream.once('close', closed)
      stream.once('response', (headers) => {
        clearTimeout(timer)
        stream.off('close', closed)
        const status = headers[':status'] ?? 0
        if (status === 200) return resolve(stream)
        stream.destroy()
        reject(new TunnelError('status', `http status: ${status} ${STATUS_TEXT[status] ?? ''}`.trimEnd(), status))
      })
    })
  }

  #drain(connection: Connection): void {
    connection.draining = true
    this.#rest(connection)
  }

  /** With no stream left: ends a draining session, and gives another one its idle time. */
  #rest(connection: Connection): void {
    clearTimeout(connection.idle)
    if (connection.streams > 0 || connection.session.closed) return
    if (connection.draining) connection.session.close()
    else {
      const drain = () => this.#drain(connection)
      connection.idle = setTimeout(drain, this.#options.idleMs ?? IDLE_MS).unref()
    }
  }
}

/** A stream as both ends name it: the session's source address on the wire and the stream's number; 0 is the session itself. */
export const correlationOf = (local: Address, stream: number): string => `${local.ip}:${local.port}/${stream}`

const STATUS_TEXT: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  405: 'Method Not Allowed',
  503: 'Service Unavailable',
}

const open = ({ session }: Connection): boolean => !session.closed && !session.destroyed

function usable(connection: Connection): boolean {
  if (connection.draining || !open(connection)) return false
  const { maxConcurrentStreams = MAX_STREAMS } = connection.session.remoteSettings
  return connection.streams < Math.min(maxConcurrentStreams, MAX_STREAMS)
}
