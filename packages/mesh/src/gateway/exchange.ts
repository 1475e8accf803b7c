import {
  changeHeaders,
  type HttpRequest,
  type Pod,
  type RouteBackend,
  type Snapshot,
  type Step,
} from '@bulkhead/verdict'
import { pairsOf } from '../http/headers.js'
import type { ReadRequest, Refused } from '../http/read-request.js'
import { type ExchangeParts, type Plan, ProxyExchange } from '../proxy/exchange.js'
import type { Incoming } from '../proxy/proxy-pod.js'
import { type Forward, planFor } from './plan.js'
import { readRequest } from './read-request.js'

export interface GatewayParts extends ExchangeParts {
  /** From 0 up to, not including, 1. */
  readonly random: () => number
}

/** One request at a gateway: its policies, then its routes, then the backend's endpoint. */
export class GatewayExchange extends ProxyExchange {
  readonly #random: () => number

  constructor({ random, ...parts }: GatewayParts, ...asked: Incoming) {
    super(parts, ...asked)
    this.#random = random
  }

  protected read(): ReadRequest | Refused {
    return readRequest(this.message, this.downstream.from.ip)
  }

  protected refusedSteps({ method, path }: HttpRequest, why: string, { gateway }: Pod): readonly Step[] {
    const { port, from } = this.downstream
    const facts = { gateway: `Gateway/${gateway}`, ip: from.ip, port, request: `${method} ${path}`, why }
    return [{ hop: 0, point: 'gateway', engine: 'istio', outcome: 'deny', code: 'request.refused', facts }]
  }

  protected judge(read: ReadRequest, gateway: Pod, snapshot: Snapshot): Plan {
    const { port, from } = this.downstream
    const evidence = { gateway, port, peer: { ip: from.ip }, request: read.request }
    const verdict = this.parts.context.judgeAt('gateway', evidence, snapshot)
    const route = 'route' in verdict.decision ? verdict.decision.route : undefined
    const plan = planFor(verdict, this.#random, snapshot)
    if (plan.kind === 'answer') return { ...plan, steps: plan.steps ?? verdict.steps, route }
    const { forward, backend, service } = plan
    return {
      kind: 'forward',
      steps: verdict.steps,
      route,
      asked: { service, port: backend.port },
      onward: () => onward(read, forward, backend),
      responseHeaders:
        backend.responseHeaders.length === 0
          ? forward.responseHeaders
          : [...forward.responseHeaders, ...backend.responseHeaders],
      requestTimeoutMs: forward.requestTimeoutMs,
      tryTimeoutMs: forward.backendTimeoutMs,
    }
  }
}

function onward(read: ReadRequest, { request }: Forward, { requestHeaders }: RouteBackend) {
  const changed = changeHeaders(request.headers, requestHeaders)
  const pairs = changed === read.request.headers ? [...read.pairs] : pairsOf(changed, read.length)
  const { method, path } = request
  return { method, path, host: changed.host ?? request.host, pairs }
}
