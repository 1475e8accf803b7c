import { type HttpRequest, type Pod, type Snapshot, type Step, splitPath } from '@bulkhead/verdict'
import { refusal } from '../http/own-answer.js'
import type { ReadRequest, Refused } from '../http/read-request.js'
import { ACCESS_DENIED, UNDECIDED_POLICY } from '../proxy/answers.js'
import { type ExchangeParts, type Plan, ProxyExchange } from '../proxy/exchange.js'
import type { Incoming } from '../proxy/proxy-pod.js'
import type { Arrival } from './arrival.js'
import { readRequest } from './read-request.js'

/** One request at a waypoint: judged with who asks, sent on to an endpoint of whom it was called for. */
export class WaypointExchange extends ProxyExchange {
  readonly #arrival: Arrival

  constructor(parts: ExchangeParts, arrival: Arrival, ...asked: Incoming) {
    super(parts, ...asked)
    this.#arrival = arrival
  }

  protected read(): ReadRequest | Refused {
    return readRequest(this.message)
  }

  protected refusedSteps(request: HttpRequest, _why: string, waypoint: Pod, snapshot: Snapshot): readonly Step[] {
    const steps = this.#arrival.judge(waypoint, snapshot, request)?.steps ?? []
    return steps.filter(({ code }) => code === 'request.refused')
  }

  protected judge(read: ReadRequest, waypoint: Pod, snapshot: Snapshot): Plan {
    const { request, pairs } = read
    const verdict = this.#arrival.judge(waypoint, snapshot, request)
    const asked = this.#arrival.to(snapshot)
    if (verdict === undefined || asked === undefined) throw new Error('the waypoint no longer serves it')
    const { steps, outcome } = verdict
    const [step] = steps
    if (step?.code === 'request.refused')
      return { kind: 'answer', own: refusal(400, String(step.facts?.why ?? 'it is no request')), steps }
    if (outcome !== 'allow')
      return { kind: 'answer', own: outcome === 'deny' ? ACCESS_DENIED : UNDECIDED_POLICY, steps }
    const { method, host } = request
    // Normalised, as it was matched.
    const target = splitPath(request.path)
    if (target === undefined) return { kind: 'answer', own: refusal(400, 'a NUL in the path'), steps }
    const path = target.query === '' ? target.path : target.path + target.query
    return {
      kind: 'forward',
      steps,
      asked,
      onward: () => ({ method, path, host, pairs: [...pairs] }),
      responseHeaders: [],
    }
  }
}
