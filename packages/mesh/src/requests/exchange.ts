import type { IncomingMessage, ServerResponse } from 'node:http'
import { type HeaderChange, isHopByHop, type Payload, type Step } from '@bulkhead/verdict'
import type { Context } from '../context.js'
import { type Failure, type Flow, firstRefusal } from '../flows.js'
import type { Downstream } from '../http/downstream.js'
import type { OwnAnswer } from '../http/own-answer.js'
import { type ReadRequest, readMessage } from '../http/read-request.js'
import { tell } from '../http/record.js'
import { Relay } from '../http/relay.js'
import type { Behind, Upstream } from './behind.js'

export interface ExchangeParts {
  readonly context: Context
  readonly behind: Behind
  /** Asks the network about the connection with that in it. The flow is told. */
  readonly passes: (flow: Flow, payload: Payload) => boolean
  /** Requests have records. */
  readonly records: boolean
}

/** Cilium's filter in Envoy. */
export const ACCESS_DENIED: OwnAnswer = {
  status: 403,
  body: 'Access denied\r\n',
  symptom: 'cilium-403',
  flag: 'DENY',
  error: 'Access denied: a network policy does not list the request',
}

const keeps = (name: string): boolean => !isHopByHop(name)

/**
 * Paths that somebody behind may read as another one: dot segments, several slashes in a row, backslashes, and escapes of
 * these or of what needs none. Envoy under Cilium rewrites them before they are matched.
 */
const AMBIGUOUS = /^[^?]*(?:\/\/|\\|\/\.{1,2}(?:[/?]|$)|%(?:2[DEF]|3\d|4[1-9A-F]|5[0-9ACF]|6[1-9A-F]|7[0-9AE]))/i

/** One request that a wall reads: judged as it was sent, passed on to the app or answered 403. */
export class FilteredExchange extends Relay {
  readonly #parts: ExchangeParts
  #read: ReadRequest | undefined
  #generation: number
  #steps: readonly Step[]
  #upstream: Upstream | undefined
  #retried = false

  constructor(
    parts: ExchangeParts,
    downstream: Downstream,
    message: IncomingMessage,
    response: ServerResponse,
    expects: boolean,
  ) {
    super('envoy', downstream, message, response, expects)
    this.#parts = parts
    this.#generation = downstream.flow.generation
    this.#steps = downstream.flow.steps
  }

  protected undecided(why: string, error: unknown): OwnAnswer {
    this.#parts.context.log?.error({ err: error }, `a request was refused by the network: ${why}`)
    return { ...ACCESS_DENIED, error: `refused: ${why}` }
  }

  protected decide() {
    const read = readMessage(this.message, keeps)
    if ('why' in read) {
      this.#passes({ kind: 'other' })
      return this.refuse(read.status, read.why)
    }
    const { request } = read
    this.#read = read
    if (AMBIGUOUS.test(request.path)) {
      this.#passes({ kind: 'other' })
      return this.refuse(400, 'a path that could be read in two ways')
    }
    if (!this.#passes({ kind: 'http', ...request })) return this.#deny()
    if (this.message.headers.upgrade !== undefined) return this.refuse(403, 'upgrades are not let through here')
    this.#sendOn(read)
  }

  #passes(payload: Payload): boolean {
    const { flow } = this.downstream
    const passes = this.#parts.passes(flow, payload)
    this.#steps = flow.steps
    this.#generation = flow.generation
    return passes
  }

  #deny(): void {
    const { index } = firstRefusal(this.#steps)
    const step = index === undefined ? undefined : this.#steps[index]
    // Its pod is gone; or the connection is not let on whatever is in it, and cut as such.
    if (step === undefined) this.downstream.reset()
    else if (step.outcome === 'deny' && step.code !== 'cni.http-denied')
      this.sever({
        flag: 'DENY',
        symptom: 'reset',
        error: 'connection closed once it was read: a network policy denies it',
      })
    else this.answer(ACCESS_DENIED)
  }

  #sendOn(read: ReadRequest): void {
    const { upstream, fresh } = this.#parts.behind.take(this.#steps)
    this.#upstream = upstream
    if (fresh) this.#retried = true
    const { method, path, host } = read.request
    this.send(upstream.client, { method, path, host, pairs: [...read.pairs], body: read.body })
  }

  protected changes(): readonly HeaderChange[] {
    return []
  }

  protected completed(): void {}

  protected lost(error: Error & { code?: string }, begun: boolean) {
    const read = this.#read
    // The connection was gone before it was asked; the app has not heard of the request.
    if (!begun && !this.#retried && read !== undefined) {
      this.#parts.behind.close()
      return this.#sendOn(read)
    }
    this.#parts.behind.close()
    // It is its client who has gone.
    if (this.downstream.stream.destroyed) return this.settle()
    this.sever(this.#upstream?.flow.failure ?? unanswered(error))
  }

  protected ended(finished: boolean): void {
    // Nothing of an answer that nobody waits for may be left on the connection.
    if (!finished) this.#parts.behind.close()
    const { context, records } = this.#parts
    const { flow } = this.downstream
    if (!records) return
    const told = this.told(finished)
    const { request } = this.#read ?? {}
    tell(context.flows, flow, {
      ...told,
      generation: this.#generation,
      transport: flow.transport,
      host: request?.host ?? told.host,
      path: request?.path ?? told.path,
      route: undefined,
      upstream: undefined,
      // A change of policy that has closed the connection has the last word.
      steps: flow.failure === undefined ? (this.#upstream?.flow.steps ?? this.#steps) : flow.steps,
    })
  }
}

const unanswered = (error: Error & { code?: string }): Failure => ({
  flag: '-',
  symptom: 'reset',
  error: `no answer from the application: ${error.message}`,
})
