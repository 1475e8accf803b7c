import type { IncomingMessage, ServerResponse } from 'node:http'
import { changeHeaders, type HeaderChange, type RequestVerdict, type RouteBackend, type Step } from '@bulkhead/verdict'
import type { Dispatcher } from 'undici'
import type { Context } from '../context.js'
import type { Failure } from '../flows.js'
import { type OwnAnswer, refusal, STOOD_STILL, TIMED_OUT, UNDECIDED, unreachable } from './answers.js'
import { Body, discard } from './body.js'
import type { Downstream } from './downstream.js'
import { answerPairs, changePairs, octets, pairsOf } from './headers.js'
import { type Forward, type Plan, type PlanParts, planFor } from './plan.js'
import { type ReadRequest, readRequest } from './read-request.js'
import { tell } from './record.js'
import { behind, type Upstream, type Way } from './upstream.js'
import { type Attempt, NoUpstream, type Upstreams } from './upstreams.js'

export interface ExchangeParts extends PlanParts {
  readonly context: Context
  readonly upstreams: Upstreams
  readonly key: string
}

type ClosedBy = { readonly flow: { readonly failure: Failure | undefined; readonly steps: readonly Step[] } }

const NONE: readonly Step[] = []

/** One request and its answer: judged, sent on, told. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #parts: ExchangeParts
  readonly #downstream: Downstream
  readonly #message: IncomingMessage
  readonly #response: ServerResponse
  readonly #start = Date.now()
  readonly #clock = performance.now()
  /** The client waits for 100 before it sends its body. */
  readonly #expects: boolean
  #read: ReadRequest | undefined
  #generation = 0
  #verdict: RequestVerdict | undefined
  #forward: Forward | undefined
  #backend: RouteBackend | undefined
  #ownSteps: readonly Step[] | undefined
  #behind: readonly Step[] = NONE
  #way: Way | undefined
  #attempt: Attempt | undefined
  #upstream: Upstream | undefined
  #body: Body | undefined
  #abort: ((error?: Error) => void) | undefined
  #requestTimer: NodeJS.Timeout | undefined
  #tryTimer: NodeJS.Timeout | undefined
  #retried = false
  #own: OwnAnswer | undefined
  #cut: Failure | undefined
  #resume: (() => void) | undefined
  #length = -1
  #received = 0
  #answered = false
  #settled = false

  constructor(
    parts: ExchangeParts,
    downstream: Downstream,
    message: IncomingMessage,
    response: ServerResponse,
    expects: boolean,
  ) {
    this.#parts = parts
    this.#downstream = downstream
    this.#message = message
    this.#response = response
    this.#expects = expects
    response.once('close', () => this.#over())
  }

  /** Whether all of the request has come. */
  get complete(): boolean {
    return this.#message.complete
  }

  /** There is an answer, of which some may still be on its way. */
  get settled(): boolean {
    return this.#settled
  }

  run(): void {
    try {
      if (!this.#response.destroyed && !this.#settled) this.#decide()
    } catch (error) {
      // What cannot be judged is not let through.
      this.#parts.context.log?.error({ err: error, gateway: this.#parts.key }, 'a request could not be judged')
      this.#answer({ ...UNDECIDED, error: `refused: it could not be judged: ${error}` })
    }
  }

  /** The request turned out to be none: its body breaks off or cannot be read. */
  refuse(status: number, why: string) {
    if (this.#settled) return this.#downstream.reset()
    this.#stop()
    this.#downstream.closing = true
    this.#response.shouldKeepAlive = false
    this.#answer(refusal(status, why))
  }

  #decide() {
    const { context, key } = this.#parts
    const { port, from } = this.#downstream
    const read = readRequest(this.#message, from.ip)
    if ('why' in read) return this.refuse(read.status, read.why)
    this.#read = read
    const { snapshot, generation } = context.policy()
    this.#generation = generation
    const gateway = snapshot.pods.get(key)
    if (gateway === undefined) return this.#downstream.reset()
    const evidence = { gateway, port, peer: { ip: from.ip }, request: read.request }
    const verdict = context.judgeAt('gateway', evidence, snapshot)
    this.#verdict = verdict
    const plan = planFor(verdict, this.#parts, gateway, snapshot)
    if (plan.kind === 'forward') return this.#forwardTo(plan)
    this.#ownSteps = plan.steps
    this.#behind = plan.behind ?? NONE
    this.#answer(plan.own, plan.changes)
  }

  #forwardTo({ forward, backend, way }: Extract<Plan, { kind: 'forward' }>) {
    this.#forward = forward
    this.#backend = backend
    this.#way = way
    const { requestTimeoutMs, backendTimeoutMs } = forward
    const late = () => {
      this.#stop()
      this.#answer(TIMED_OUT)
    }
    if (requestTimeoutMs !== undefined)
      this.#requestTimer = setTimeout(late, Math.max(0, requestTimeoutMs - (performance.now() - this.#clock)))
    if (backendTimeoutMs !== undefined) this.#tryTimer = setTimeout(late, backendTimeoutMs)
    const open = this.#parts.upstreams.take(way)
    if (open === undefined) this.#connect(way)
    else this.#send(open)
  }

  #connect(way: Way): void {
    const attempt = this.#parts.upstreams.open(way)
    this.#attempt = attempt
    attempt.ready.then(
      (upstream) => (this.#settled ? upstream.close() : this.#send(upstream)),
      (error: unknown) => {
        if (this.#settled) return
        const reason = error instanceof NoUpstream ? error.reason : 'remote connection failure'
        this.#answer(unreachable(reason, attempt.flow.failure))
      },
    )
  }

  #send(upstream: Upstream): void {
    const read = this.#read
    const forward = this.#forward
    if (read === undefined || forward === undefined) return
    this.#upstream = upstream
    const { request } = forward
    const changed = changeHeaders(request.headers, this.#backend?.requestHeaders ?? [])
    const pairs = changed === read.request.headers ? [...read.pairs] : pairsOf(changed, read.length)
    pairs.push('host', octets(changed.host ?? request.host))
    if (read.body && this.#body === undefined) {
      if (this.#expects) this.#response.writeContinue()
      this.#body = new Body(this.#message)
    }
    upstream.client.dispatch(
      {
        path: octets(request.path),
        method: request.method as Dispatcher.HttpMethod,
        headers: pairs,
        body: this.#body ?? null,
      },
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
    clearTimeout(this.#tryTimer)
    const answer = answerPairs(raw, status === 204)
    answer.pairs.push('x-envoy-upstream-service-time', String(Math.round(performance.now() - this.#clock)))
    const changes = this.#forward?.responseHeaders ?? []
    const own = this.#backend?.responseHeaders ?? []
    const pairs = changes.length + own.length === 0 ? answer.pairs : changePairs(answer.pairs, [...changes, ...own])
    this.#resume = resume
    this.#length = answer.length
    this.#answered = true
    if (this.#downstream.last) this.#response.shouldKeepAlive = false
    this.#response.writeHead(status, pairs)
    return true
  }

  onData(chunk: Buffer): boolean {
    const before = this.#received
    this.#received += chunk.length
    if (before === 0 && this.#received === this.#length) {
      // All of it at once: one write for everything.
      this.#settle()
      this.#response.end(chunk)
      return true
    }
    if (this.#response.write(chunk)) return true
    this.#response.once('drain', this.#resume ?? (() => {}))
    return false
  }

  onComplete(trailers: unknown): void {
    const upstream = this.#upstream
    this.#upstream = undefined
    this.#abort = undefined
    if (upstream !== undefined) {
      this.#behind = upstream.steps
      this.#parts.upstreams.giveBack(upstream)
    }
    if (this.#settled) return
    this.#settle()
    if (Array.isArray(trailers) && trailers.length > 0) {
      const { pairs } = answerPairs(trailers, true)
      this.#response.addTrailers(inTwos(pairs.slice(2)))
    }
    this.#response.end()
  }

  onError(error: Error & { code?: string }) {
    if (this.#settled) return
    const begun = this.#abort !== undefined
    const way = this.#way
    // The connection was gone before it was asked; nobody behind has heard of the request.
    if (!begun && !this.#retried && this.#attempt === undefined && way !== undefined) {
      this.#retried = true
      this.#upstream?.close()
      this.#upstream = undefined
      return this.#connect(way)
    }
    this.#abort = undefined
    const failure = this.#upstream?.flow.failure
    // Not even asked: its headers cannot be written, and the connection would stay behind.
    if (!begun) this.#upstream?.close()
    if (error.code === 'UND_ERR_HEADERS_TIMEOUT' || error.code === 'UND_ERR_BODY_TIMEOUT')
      return this.#answer(STOOD_STILL)
    const protocol = error.name === 'HTTPParserError' || error.code === 'UND_ERR_HEADERS_OVERFLOW'
    this.#answer(unreachable(protocol ? 'protocol error' : 'connection termination', failure))
  }

  /** The gateway's own word, if there is still room for one; else the answer that has begun is cut. */
  #answer(own: OwnAnswer, changes: readonly HeaderChange[] = []) {
    if (this.#settled) return
    this.#settle()
    const response = this.#response
    if (this.#answered) {
      this.#cut = { flag: own.flag ?? '-', symptom: 'reset', error: own.error ?? 'cut' }
      return this.#downstream.reset()
    }
    this.#own = own
    const { status, body, location } = own
    const pairs = ['server', 'istio-envoy', 'content-length', String(body?.length ?? 0)]
    if (body !== undefined) pairs.push('content-type', 'text/plain')
    if (location !== undefined) pairs.push('location', octets(location))
    // Who waits for 100 sends no body now, and the next request would be read as one.
    if (this.#downstream.last || this.#expects) response.shouldKeepAlive = false
    this.#received = body?.length ?? 0
    try {
      response.writeHead(status, changes.length === 0 ? pairs : changePairs(pairs, changes))
      response.end(body)
    } catch (error) {
      // A route's author may have written what no header can hold.
      this.#own = { ...UNDECIDED, error: `refused: the answer cannot be written: ${error}` }
      this.#received = 0
      response.writeHead(UNDECIDED.status, ['server', 'istio-envoy', 'content-length', '0']).end()
    }
    if (!this.#message.complete) discard(this.#message, () => this.#downstream.reset())
  }

  #settle(): void {
    this.#settled = true
    clearTimeout(this.#requestTimer)
    clearTimeout(this.#tryTimer)
  }

  /** Nothing more is wanted of the upstream. */
  #stop(): void {
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
    const finished = this.#response.writableFinished
    if (!finished) this.#stop()
    this.#settle()
    if (this.#upstream !== undefined) this.#behind = this.#upstream.steps
    else if (this.#behind === NONE && this.#attempt !== undefined) this.#behind = behind(this.#attempt.flow)
    this.#tell(finished)
    this.#downstream.done(this)
  }

  #tell(finished: boolean): void {
    const { context } = this.#parts
    const downstream = this.#downstream
    const read = this.#read
    const gone = finished || this.#cut !== undefined ? undefined : goneOf(downstream)
    const failure = this.#cut ?? gone
    const own = this.#own
    tell(context.flows, downstream, {
      generation: read === undefined ? context.policy().generation : this.#generation,
      method: this.#message.method ?? '',
      host: read?.request.host ?? this.#message.headers.host ?? '',
      path: read?.request.path ?? this.#message.url ?? '',
      status: this.#answered || finished ? this.#response.statusCode : undefined,
      route: this.#verdict && 'route' in this.#verdict.decision ? this.#verdict.decision.route : undefined,
      upstream: this.#way?.pod.key,
      steps: [...downstream.flow.steps, ...(this.#ownSteps ?? this.#verdict?.steps ?? NONE), ...this.#behind],
      symptom: failure?.symptom ?? own?.symptom ?? 'ok',
      flag: failure?.flag ?? own?.flag ?? '-',
      error: failure?.error ?? own?.error,
      sent: this.#body?.bytes ?? 0,
      received: this.#received,
      start: this.#start,
      clock: this.#clock,
    })
  }
}

/** Why a client has no answer: its connection was closed by policy, or it went itself. */
const goneOf = ({ flow }: ClosedBy): Failure =>
  flow.failure ?? { flag: '-', symptom: 'no-answer', error: 'the client was gone before its answer' }

const inTwos = (pairs: readonly string[]): [string, string][] =>
  pairs.flatMap((name, index) => (index % 2 === 0 ? [[name, pairs[index + 1] ?? '']] : []))
