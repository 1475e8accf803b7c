import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HeaderChange } from '@bulkhead/verdict'
import type { Dispatcher } from 'undici'
import type { Failure, Flow } from '../flows.js'
import { Body, discard } from './body.js'
import type { Downstream, Exchange } from './downstream.js'
import { answerPairs, changePairs, octets, upstreamTime } from './headers.js'
import { type OwnAnswer, refusal } from './own-answer.js'

/** How a proxy names itself in the answers that it writes or passes on. */
export type ServerName = 'istio-envoy' | 'envoy'

/** What goes on to whoever is behind. */
export interface Onward {
  readonly method: string
  readonly path: string
  readonly host: string
  /** Without Host. */
  readonly pairs: string[]
  readonly body: boolean
}

/**
 * One request and its answer at an HTTP proxy: sent on, streamed both ways with backpressure, or answered by the proxy
 * itself. What is decided, and told at the end, is the subclass's.
 */
export abstract class Relay implements Exchange, Dispatcher.DispatchHandler {
  protected readonly downstream: Downstream
  protected readonly message: IncomingMessage
  protected readonly response: ServerResponse
  protected readonly start = Date.now()
  protected readonly clock = performance.now()
  readonly #server: ServerName
  /** The client waits for 100 before it sends its body. */
  readonly #expects: boolean
  protected body: Body | undefined
  protected own: OwnAnswer | undefined
  protected cut: Failure | undefined
  /** Bytes of the answer's body. */
  protected received = 0
  #abort: ((error?: Error) => void) | undefined
  #resume: (() => void) | undefined
  #length = -1
  /** Its status says that there is no body, whatever its headers say. */
  #bodiless = false
  #answered = false
  #settled = false

  constructor(
    server: ServerName,
    downstream: Downstream,
    message: IncomingMessage,
    response: ServerResponse,
    expects: boolean,
  ) {
    this.#server = server
    this.downstream = downstream
    this.message = message
    this.response = response
    this.#expects = expects
    response.once('close', () => this.#over())
  }

  /** Judges it, and sends it on or answers it. */
  protected abstract decide(): void
  /** What went wrong is the proxy's own doing: the request is not let through. */
  protected abstract undecided(why: string, error: unknown): OwnAnswer
  /** How the headers of an answer change on their way. */
  protected abstract changes(): readonly HeaderChange[]
  /** The answer from behind is there as a whole. */
  protected abstract completed(): void
  /** There will be none. `begun`: the request may have been heard of. */
  protected abstract lost(error: Error & { code?: string }, begun: boolean): void
  /** It is over. `finished`: all of the answer has left. */
  protected abstract ended(finished: boolean): void

  /** Whether all of the request has come. */
  get complete(): boolean {
    return this.message.complete
  }

  /** There is an answer, of which some may still be on its way. */
  get settled(): boolean {
    return this.#settled
  }

  /** Headers from behind have come. */
  protected get answered(): boolean {
    return this.#answered
  }

  /** The request has been sent, and its answer is not over. */
  protected get begun(): boolean {
    return this.#abort !== undefined
  }

  run(): void {
    try {
      if (!this.response.destroyed && !this.#settled) this.decide()
    } catch (error) {
      this.answer(this.undecided(`it could not be judged: ${error}`, error))
    }
  }

  /** The request turned out to be none: its body breaks off or cannot be read. */
  refuse(status: number, why: string) {
    if (this.#settled) return this.downstream.reset()
    this.stop()
    this.downstream.closing = true
    this.response.shouldKeepAlive = false
    this.answer(refusal(status, why))
  }

  protected send(client: Dispatcher, { method, path, host, pairs, body }: Onward): void {
    pairs.push('host', octets(host))
    if (body && this.body === undefined) {
      if (this.#expects) this.response.writeContinue()
      this.body = new Body(this.message)
    }
    client.dispatch(
      { path: octets(path), method: method as Dispatcher.HttpMethod, headers: pairs, body: this.body ?? null },
      this,
    )
  }

  // What undici tells. Its older form of handler: it hands the headers on as they came, unread.

  onConnect(abort: (error?: Error) => void): void {
    // Answered or given up before its turn on the connection came: nothing of it is sent.
    if (this.#settled) abort()
    else this.#abort = abort
  }

  onHeaders(status: number, raw: Buffer[], resume: () => void): boolean {
    // 1xx: Envoy keeps them to itself.
    if (status < 200 || this.#settled) return true
    this.#bodiless = status === 204 || status === 304
    const answer = answerPairs(raw, status === 204, this.#server)
    answer.pairs.push(upstreamTime, String(Math.round(performance.now() - this.clock)))
    const changes = this.changes()
    const pairs = changes.length === 0 ? answer.pairs : changePairs(answer.pairs, changes)
    this.#resume = resume
    this.#length = answer.length
    this.#answered = true
    if (this.downstream.last) this.response.shouldKeepAlive = false
    this.response.writeHead(status, pairs)
    return true
  }

  onData(chunk: Buffer): boolean {
    const before = this.received
    this.received += chunk.length
    if (before === 0 && this.received === this.#length) {
      // All of it at once: one write for everything.
      this.settle()
      this.response.end(chunk)
      return true
    }
    if (this.response.write(chunk)) return true
    this.response.once('drain', this.#resume ?? (() => {}))
    return false
  }

  onComplete(trailers: unknown): void {
    this.#abort = undefined
    this.completed()
    if (this.#settled) return
    this.settle()
    if (Array.isArray(trailers) && trailers.length > 0) {
      const { pairs } = answerPairs(trailers, true, this.#server)
      this.response.addTrailers(inTwos(pairs.slice(2)))
    }
    this.response.end()
  }

  onError(error: Error & { code?: string }): void {
    if (this.#settled) return
    const { begun } = this
    this.#abort = undefined
    // A 304 may say how long the 200 would be (RFC 9110, 8.6); the client library waits in vain for so much.
    if (this.#bodiless && error.code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') this.onComplete([])
    else this.lost(error, begun)
  }

  /** The proxy's own word, if there is still room for one; else the answer that has begun is cut. */
  protected answer(own: OwnAnswer, changes: readonly HeaderChange[] = []) {
    if (this.#settled) return
    if (this.#answered) return this.sever({ flag: own.flag ?? '-', symptom: 'reset', error: own.error ?? 'cut' })
    this.own = own
    this.settle()
    const { response } = this
    const { status, body, location } = own
    const pairs = ['server', this.#server, 'content-length', String(body?.length ?? 0)]
    if (body !== undefined) pairs.push('content-type', 'text/plain')
    if (location !== undefined) pairs.push('location', octets(location))
    // Who waits for 100 sends no body now, and the next request would be read as one.
    if (this.downstream.last || this.#expects) response.shouldKeepAlive = false
    this.received = body?.length ?? 0
    try {
      response.writeHead(status, changes.length === 0 ? pairs : changePairs(pairs, changes))
      response.end(body)
    } catch (error) {
      // A route's author may have written what no header can hold.
      this.own = this.undecided(`the answer cannot be written: ${error}`, error)
      this.received = 0
      response.writeHead(this.own.status, ['server', this.#server, 'content-length', '0']).end()
    }
    if (!this.message.complete) discard(this.message, () => this.downstream.reset())
  }

  /** There will be no answer, or no more of it: the connection is cut. */
  protected sever(failure: Failure): void {
    if (this.#settled) return
    this.cut = failure
    this.settle()
    this.downstream.reset()
  }

  /** The answer is decided: nothing else will be. */
  protected settle(): void {
    this.#settled = true
  }

  /** Nothing more is wanted of whoever is behind. */
  protected stop(): void {
    const abort = this.#abort
    this.#abort = undefined
    if (abort === undefined) return
    const settled = this.#settled
    this.#settled = true
    abort()
    this.#settled = settled
  }

  /** The answer has left, or its client has. */
  #over(): void {
    const finished = this.response.writableFinished
    if (!finished) this.stop()
    this.settle()
    this.ended(finished)
    this.downstream.done(this)
  }

  /** What there is to tell of it, whoever decided. */
  protected told(finished: boolean) {
    const { downstream, own } = this
    const gone = finished || this.cut !== undefined ? undefined : goneOf(downstream)
    const failure = this.cut ?? gone
    return {
      method: this.message.method ?? '',
      host: this.message.headers.host ?? '',
      path: this.message.url ?? '',
      status: this.#answered || finished ? this.response.statusCode : undefined,
      symptom: failure?.symptom ?? own?.symptom ?? ('ok' as const),
      flag: failure?.flag ?? own?.flag ?? ('-' as const),
      error: failure?.error ?? own?.error,
      sent: this.body?.bytes ?? 0,
      received: this.received,
      start: this.start,
      clock: this.clock,
    }
  }
}

/** Why a client has no answer: its connection was closed by policy, or it went itself. */
const goneOf = ({ flow }: { readonly flow: Pick<Flow, 'failure'> }): Failure =>
  flow.failure ?? { flag: '-', symptom: 'no-answer', error: 'the client was gone before its answer' }

const inTwos = (pairs: readonly string[]): [string, string][] =>
  pairs.flatMap((name, index) => (index % 2 === 0 ? [[name, pairs[index + 1] ?? '']] : []))
