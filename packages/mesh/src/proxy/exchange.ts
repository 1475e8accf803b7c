import {
  type HeaderChange,
  type HttpRequest,
  type Pod,
  type Snapshot,
  type Step,
  whyRefused,
  withoutAbsoluteForm,
} from '@bulkhead/verdict'
import type { Context } from '../context.js'
import type { Failure } from '../flows.js'
import type { Pairs } from '../http/headers.js'
import { type OwnAnswer, refusal } from '../http/own-answer.js'
import type { ReadRequest, Refused } from '../http/read-request.js'
import { tell } from '../http/record.js'
import { Relay } from '../http/relay.js'
import { noHealthyUpstream, STOOD_STILL, TIMED_OUT, UNDECIDED, unreachable } from './answers.js'
import { type Attempt, NoUpstream } from './connector.js'
import type { Incoming } from './proxy-pod.js'
import { behind, type Upstream } from './upstream.js'
import type { Upstreams } from './upstreams.js'
import { type Asked, type Way, type WayParts, wayOn } from './way.js'

export interface ExchangeParts extends WayParts {
  readonly context: Context
  readonly upstreams: Upstreams
  /** Key of the proxy's own pod. */
  readonly key: string
}

/** What a proxy makes of a request that it has judged, and the steps of its points. */
export type Plan = { readonly steps: readonly Step[]; readonly route?: string | undefined } & (
  | { readonly kind: 'answer'; readonly own: OwnAnswer; readonly changes?: readonly HeaderChange[] }
  | Forward
)

export interface Forward {
  readonly kind: 'forward'
  readonly asked: Asked
  /** What is sent; a fresh list of headers each time, without Host. */
  onward(): { readonly method: string; readonly path: string; readonly host: string; readonly pairs: Pairs }
  readonly responseHeaders: readonly HeaderChange[]
  /** Of the whole exchange, from the request's arrival; then 504. */
  readonly requestTimeoutMs?: number | undefined
  /** Of one try; then 504. */
  readonly tryTimeoutMs?: number | undefined
}

const NONE: readonly Step[] = []

/** One request at a gateway or a waypoint: judged, sent on to an endpoint of what it is for, told. */
export abstract class ProxyExchange extends Relay {
  protected readonly parts: ExchangeParts
  #read: ReadRequest | undefined
  #generation = 0
  #plan: Plan | undefined
  #behind: readonly Step[] = NONE
  #answered: Failure | undefined
  #way: Way | undefined
  #attempt: Attempt<Upstream> | undefined
  #upstream: Upstream | undefined
  #requestTimer: NodeJS.Timeout | undefined
  #tryTimer: NodeJS.Timeout | undefined
  #retried = false

  constructor(parts: ExchangeParts, ...asked: Incoming) {
    super('istio-envoy', ...asked)
    this.parts = parts
  }

  /** The request as this proxy's connection manager hands it to the filters. */
  protected abstract read(): ReadRequest | Refused
  /** What becomes of it, by the policies in force. */
  protected abstract judge(read: ReadRequest, proxy: Pod, snapshot: Snapshot): Plan

  protected abstract refusedSteps(request: HttpRequest, why: string, proxy: Pod, snapshot: Snapshot): readonly Step[]

  protected undecided(why: string, error: unknown): OwnAnswer {
    const { context, key } = this.parts
    context.log?.error({ err: error, proxy: key }, `a request was refused: ${why}`)
    return { ...UNDECIDED, error: `refused: ${why}` }
  }

  protected decide() {
    const { context, key } = this.parts
    const read = this.read()
    const { snapshot, generation } = context.policy()
    this.#generation = generation
    const proxy = snapshot.pods.get(key)
    if (proxy === undefined) return this.downstream.reset()
    if ('why' in read) {
      this.#plan = { kind: 'answer', own: refusal(read.status, read.why), steps: this.#refused(proxy, snapshot) }
      return this.refuse(read.status, read.why)
    }
    this.#read = read
    const plan = this.judge(read, proxy, snapshot)
    this.#plan = plan
    if (plan.kind === 'answer') return this.answer(plan.own, plan.changes)
    this.#setTimers(plan)
    this.#forward(plan, true)
  }

  /** What the engine says of a request that no proxy takes; nothing of those that only this one refuses. */
  #refused(proxy: Pod, snapshot: Snapshot): readonly Step[] {
    const { method = '', url: path = '', headers } = this.message
    const request = withoutAbsoluteForm({ method, path, host: headers.host ?? '', headers: {} })
    const why = whyRefused(request)
    return why === undefined ? NONE : this.refusedSteps(request, why, proxy, snapshot)
  }

  /** On the way that is open for it now. `kept`: by a connection that was kept, if there is one. */
  #forward({ asked }: Forward, kept: boolean) {
    const { context, key, upstreams } = this.parts
    const { snapshot } = context.policy()
    const proxy = snapshot.pods.get(key)
    if (proxy === undefined) return this.downstream.reset()
    const way = wayOn(proxy, asked, this.parts, snapshot)
    if ('step' in way) {
      this.#behind = [{ ...way.step, hop: 1 }]
      return this.answer(noHealthyUpstream(way.service))
    }
    this.#way = way
    const open = kept ? upstreams.take(way) : undefined
    if (open === undefined) this.#connect(way)
    else this.#sendTo(open)
  }

  #setTimers({ requestTimeoutMs, tryTimeoutMs }: Forward): void {
    const late = () => {
      this.stop()
      this.answer(TIMED_OUT)
    }
    if (requestTimeoutMs !== undefined)
      this.#requestTimer = setTimeout(late, Math.max(0, requestTimeoutMs - (performance.now() - this.clock)))
    if (tryTimeoutMs !== undefined) this.#tryTimer = setTimeout(late, tryTimeoutMs)
  }

  #connect(way: Way): void {
    const attempt = this.parts.upstreams.open(way)
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
    const plan = this.#plan
    if (read === undefined || plan?.kind !== 'forward') return
    this.#upstream = upstream
    this.#tellAhead()
    this.send(upstream.client, { ...plan.onward(), body: read.body })
  }

  override onHeaders(status: number, raw: Buffer[], resume: () => void): boolean {
    if (status >= 200 && !this.settled) clearTimeout(this.#tryTimer)
    return super.onHeaders(status, raw, resume)
  }

  protected changes(): readonly HeaderChange[] {
    return this.#plan?.kind === 'forward' ? this.#plan.responseHeaders : []
  }

  protected completed(): void {
    const upstream = this.#upstream
    if (upstream === undefined) return
    this.#behind = upstream.steps
    this.#answered = upstream.flow.answered
    this.#upstream = undefined
    this.parts.upstreams.giveBack(upstream)
  }

  protected lost(error: Error & { code?: string }, begun: boolean) {
    const plan = this.#plan
    // The connection was gone before it was asked; nobody behind has heard of the request.
    if (!begun && !this.#retried && this.#attempt === undefined && plan?.kind === 'forward') {
      this.#retried = true
      this.#upstream?.close()
      this.#upstream = undefined
      return this.#forward(plan, false)
    }
    const flow = this.#upstream?.flow
    // Not even asked: its headers cannot be written, and the connection would stay behind.
    if (!begun) this.#upstream?.close()
    if (error.code === 'UND_ERR_HEADERS_TIMEOUT' || error.code === 'UND_ERR_BODY_TIMEOUT')
      return this.answer(STOOD_STILL)
    const protocol = error.name === 'HTTPParserError' || error.code === 'UND_ERR_HEADERS_OVERFLOW'
    this.answer(unreachable(protocol ? 'protocol error' : 'connection termination', flow?.failure ?? flow?.answered))
  }

  protected override settle(): void {
    super.settle()
    clearTimeout(this.#requestTimer)
    clearTimeout(this.#tryTimer)
    this.#tellAhead()
  }

  /** Of what came by a proxy's connection the record is that proxy's. It has to know before it has the answer. */
  #tellAhead(): void {
    const { flow } = this.downstream
    if (!flow.proxied) return
    const { own, cut } = this
    const failure = cut ?? (own && own.symptom !== 'ok' ? failureOf(own) : this.#answered)
    flow.behind([...(this.#plan?.steps ?? NONE), ...this.#stepsBehind()], failure)
  }

  #stepsBehind(): readonly Step[] {
    if (this.#upstream !== undefined) return this.#upstream.steps
    return this.#behind === NONE && this.#attempt !== undefined ? behind(this.#attempt.flow) : this.#behind
  }

  protected ended(finished: boolean): void {
    const { context } = this.parts
    const { flow } = this.downstream
    if (flow.proxied) return
    const read = this.#read
    const told = this.told(finished)
    // Another proxy behind this one answered in the app's place, and its answer was passed on.
    const answered = told.symptom === 'ok' ? this.#answered : undefined
    tell(context.flows, flow, {
      ...told,
      ...answered,
      generation: this.#plan === undefined ? context.policy().generation : this.#generation,
      transport: 'http',
      host: read?.request.host ?? told.host,
      path: read?.request.path ?? told.path,
      route: this.#plan?.route,
      upstream: this.#way?.pod.key,
      steps: [...flow.steps, ...(this.#plan?.steps ?? NONE), ...this.#stepsBehind()],
    })
  }
}

const failureOf = ({ flag = '-', symptom, error = '' }: OwnAnswer): Failure => ({ flag, symptom, error })
