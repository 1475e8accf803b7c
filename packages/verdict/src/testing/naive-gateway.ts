import { type NaiveAnswer, naiveHttp } from './naive-http.js'
import { naivePath } from './naive-path.js'
import { entries, get, type Plain } from './naive-patterns.js'

/*
 * Test code: a second evaluator of AuthorizationPolicy at a gateway's Envoy. Slow and plain, written from the
 * specification alone (semantics C.4, the last column); it shares no line with the engine. Reads plain objects, answers
 * with outcomes only.
 */

export type { NaiveAnswer } from './naive-http.js'

export interface NaiveGateway {
  readonly namespace: string
  readonly name: string
  readonly labels: { readonly [key: string]: string }
  readonly ip: string
}

export interface NaiveRequest {
  readonly method: string
  readonly host: string
  readonly path: string
  readonly headers: { readonly [key: string]: string }
  readonly ip: string
  readonly port: number
  /** `<trust domain>/ns/<namespace>/sa/<name>`, or null as it is with every caller of today. */
  readonly principal: string | null
}

/** C.4: the last column of the table. */
function concerns(policy: Plain, gateway: NaiveGateway): boolean {
  const own = get(policy, 'metadata', 'namespace')
  const refs = entries(get(policy, 'spec', 'targetRefs'))
  if (refs.length > 0) {
    for (const ref of refs) {
      if (get(ref, 'kind') !== 'Gateway' || get(ref, 'group') !== 'gateway.networking.k8s.io') continue
      if (get(ref, 'name') === gateway.name && own === gateway.namespace) return true
    }
    return false
  }
  if (own !== gateway.namespace && own !== 'istio-system') return false
  for (const [key, value] of Object.entries((get(policy, 'spec', 'selector', 'matchLabels') ?? {}) as Plain)) {
    if (gateway.labels[key] !== value) return false
  }
  return true
}

export function naiveGateway(policies: readonly Plain[], gateway: NaiveGateway, asked: NaiveRequest): NaiveAnswer {
  const { method, host, path, headers, ip, port, principal } = asked
  const there = policies.filter((policy) => concerns(policy, gateway))
  const request = { method, host, path: naivePath(path) ?? '', headers }
  return naiveHttp(there, { ip, remoteIp: ip, destinationIp: gateway.ip, port, principal, request })
}
