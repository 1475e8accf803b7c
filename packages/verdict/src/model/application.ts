import type { Protocol } from '../types.js'

/*
 * What a proxy takes a Service's port for. Source: Istio, "Protocol Selection", and istiod's ConvertProtocol: an
 * `appProtocol` counts before the port's name, and of both only what stands before the first hyphen, without regard to
 * case. UDP has none.
 */

export type Application = 'http' | 'tcp'

const http: ReadonlySet<string> = new Set(['http', 'http2', 'http_proxy', 'grpc', 'grpc-web'])
/** With TLS of their own, or a protocol that is no HTTP: bytes to the proxy. */
const tcp: ReadonlySet<string> = new Set(['tcp', 'https', 'tls', 'mongo', 'redis', 'mysql', 'hbone', 'doublehbone'])
/** Kubernetes' own names, which only `appProtocol` can have. */
const standard: Readonly<Record<string, Application>> = {
  'kubernetes.io/h2c': 'http',
  'kubernetes.io/ws': 'http',
  'kubernetes.io/wss': 'tcp',
}
/** SMTP, DNS, MySQL and MongoDB speak first, or are nothing to guess about. */
const wellKnownTcp: ReadonlySet<number> = new Set([25, 53, 3306, 27017])

/** Undefined: the proxy finds out from the first bytes. */
export function applicationOf(port: {
  readonly port: number
  readonly name?: string
  readonly protocol?: Protocol
  readonly appProtocol?: unknown
}): Application | undefined {
  if ((port.protocol ?? 'TCP') !== 'TCP') return undefined
  const declared = typeof port.appProtocol === 'string' ? port.appProtocol : undefined
  if (declared !== undefined && Object.hasOwn(standard, declared)) return standard[declared]
  const name = (declared ?? port.name ?? '').toLowerCase()
  const prefix = name.startsWith('grpc-web') ? 'grpc-web' : (name.split('-', 1)[0] ?? '')
  if (http.has(prefix)) return 'http'
  if (tcp.has(prefix)) return 'tcp'
  return wellKnownTcp.has(port.port) ? 'tcp' : undefined
}
