import type { IncomingMessage, ServerResponse } from 'node:http'
import { changeHeaders, type HeaderChange, type RequestVerdict, type RouteBackend, type Step } from '@bulkhead/verdict'
import type { Context } from '../context.js'
import type { Downstream } from '../http/downstream.js'
import { pairsOf } from '../http/headers.js'
import type { OwnAnswer } from '../http/own-answer.js'
import type { ReadRequest } from '../http/read-request.js'
import { tell } from '../http/record.js'
import { Relay } from '../http/relay.js'
import { STOOD_STILL, TIMED_OUT, UNDECIDED, unreachable } from './answers.js'
import { type Forward, type Plan, type PlanParts, planFor } from './plan.js'
import { readRequest } from './read-request.js'
import { behind, type Upstream, type Way } from './upstream.js'
import { type Attempt, NoUpstream, type Upstreams } from './upstreams.js'

export interface ExchangeParts extends PlanParts {
  readonly context: Context
  readonly upstreams: Upstreams
  readonly key: string
}

const NONE: readonly Step[] = []

/** One request at a gateway: judged, sent on to a backend of its route, told. */
export class GatewayExchange extends Relay {
  readonly #parts: ExchangeParts
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
  #requestTimer: NodeJS.Timeout | undefined
  #tryTimer: NodeJS.Timeout | undefined
  #retried = false

  constructor(
    parts: ExchangeParts,
    downstream: Downstream,
    message: IncomingMessage,
    response: ServerResponse,
    expects: boolean,
  ) {
    super('istio-envoy', downstream, message, response, expects)
    this.#parts = parts
  }

  protected undecided(why: string, error: unknown): OwnAnswer {
    const { context, key } = this.#parts
    context.log?.error({ err: error, gateway: key }, `a request was refused: ${why}`)
    return { ...UNDECIDED, error: `refused: ${why}` }
  }

  protected decide() {
    const { context, key } = this.#parts
    const { port, from } = this.downstream
    const read = readRequest(this.message, from.ip)
    if ('why' in read) return this.refuse(read.status, read.why)
    this.#read = read
    const { snapshot, generation } = context.policy()
    this.#generation = generation
    const gateway = snapshot.pods.get(key)
    if (gateway === undefined) return this.downstream.reset()
    const evidence = { gateway, port, peer: { ip: from.ip }, request: read.request }
    const verdict = context.judgeAt('gateway', evidence, snapshot)
    this.#verdict = verdict
    const plan = planFor(verdict, this.#parts, gateway, snapshot)
    if (plan.kind === 'forward') return this.#forwardTo(plan)
    this.#ownSteps = plan.steps
    this.#behind = plan.behind ?? NONE
    this.answer(plan.own, plan.changes)
  }

  #forwardTo({ forward, backend, way }: Extract<Plan, { kind: 'forward' }>) {
    this.#forward = forward
    this.#backend = backend
    this.#way = way
    const { requestTimeoutMs, backendTimeoutMs } = forward
    const late = () => {
      this.stop()
      this.answer(TIMED_OUT)
    }
    if (requestTimeoutMs !== undefined)
      this.#requestTimer = setTimeout(late, Math.max(0, requestTimeoutMs - (performance.now() - this.clock)))
    if (backendTimeoutMs !== undefined) this.#tryTimer = setTimeout(late, backendTimeoutMs)
    const open = this.#parts.upstreams.take(way)
    if (open === undefined) this.#connect(way)
    else this.#sendTo(open)
  }

  #connect(way: Way): void {
    const attempt = this.#parts.upstreams.open(way)
    this.#attempt = attempt
    attempt.ready.then(
      (upstream) => (this.settled ? upstream.close() : this.#sendTo(upstream)),
      (error: unknown) => {
        if (this.settled) return
        const reason = error instanceof NoUpstream ? error.reason : 'remote connection failure'
        this.answer(unreachable(reason, attempt.flow.failure))
      },
    )
  }

  #sendTo(upstream: Upstream): void {
    const read = this.#read
    const forward = this.#forward
    if (read === undefined || forward === undefined) return
    this.#upstream = upstream
    const { request } = forward
    const changed = changeHeaders(request.headers, this.#backend?.requestHeaders ?? [])
    const pairs = changed === read.request.headers ? [...read.pairs] : pairsOf(changed, read.length)
    const { method, path } = request
    this.send(upstream.client, { method, path, host: changed.host ?? request.host, pairs, body: read.body })
  }

  override onHeaders(status: number, raw: Buffer[], resume: () => void): boolean {
    if (status >= 200 && !this.settled) clearTimeout(this.#tryTimer)
    return super.onHeaders(status, raw, resume)
  }

  protected changes(): readonly HeaderChange[] {
    const changes = this.#forward?.responseHeaders ?? []
    const own = this.#backend?.responseHeaders ?? []
    return changes.length + own.length === 0 ? [] : [...changes, ...own]
  }

  protected completed(): void {
    const upstream = this.#upstream
    this.#upstream = undefined
    if (upstream === undefined) return
    this.#behind = upstream.steps
    this.#parts.upstreams.giveBack(upstream)
  }

  protected lost(error: Error & { code?: string }, begun: boolean) {
    const way = this.#way
    // The connection was gone before it was asked; nobody behind has heard of the request.
    if (!begun && !this.#retried && this.#attempt === undefined && way !== undefined) {
      this.#retried = true
      this.#upstream?.close()
      this.#upstream = undefined
      return this.#connect(way)
    }
    const failure = this.#upstream?.flow.failure
    // Not even asked: its headers cannot be written, and the connection would stay behind.
    if (!begun) this.#upstream?.close()
    if (error.code === 'UND_ERR_HEADERS_TIMEOUT' || error.code === 'UND_ERR_BODY_TIMEOUT')
      return this.answer(STOOD_STILL)
    const protocol = error.name === 'HTTPParserError' || error.code === 'UND_ERR_HEADERS_OVERFLOW'
    this.answer(unreachable(protocol ? 'protocol error' : 'connection termination', failure))
  }

  protected override settle(): void {
    super.settle()
    clearTimeout(this.#requestTimer)
    clearTimeout(this.#tryTimer)
  }

  protected ended(finished: boolean): void {
    if (this.#upstream !== undefined) this.#behind = this.#upstream.steps
    else if (this.#behind === NONE && this.#attempt !== undefined) this.#behind = behind(this.#attempt.flow)
    const { context } = this.#parts
    const { downstream } = this
    const read = this.#read
    const told = this.told(finished)
    tell(context.flows, downstream.flow, {
      ...told,
      generation: read === undefined ? context.policy().generation : this.#generation,
      transport: 'http',
      host: read?.request.host ?? told.host,
      path: read?.request.path ?? told.path,
      route: this.#verdict && 'route' in this.#verdict.decision ? this.#verdict.decision.route : undefined,
      upstream: this.#way?.pod.key,
      steps: [...downstream.flow.steps, ...(this.#ownSteps ?? this.#verdict?.steps ?? NONE), ...this.#behind],
    })
  }
}
