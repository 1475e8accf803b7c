import type { Flow } from '@bulkhead/verdict'
import type { Attempt } from './types.js'

/**
 * The flow that an attempt is, for the engine to judge. Undefined for a pod's private socket: it is no part of the
 * network, and nothing is there to judge.
 */
export function flowOf(from: string, attempt: Attempt): Flow | undefined {
  const { kind, to, port, http, tls, dns, certificate } = attempt
  const source = { workload: from }
  switch (kind) {
    case 'socket':
      return undefined
    case 'dns':
      return { from: source, to, port: 53, protocol: 'UDP', ...(dns === undefined ? {} : { dns }) }
    case 'udp':
      return { from: source, to, port, protocol: 'UDP' }
    case 'hbone':
      // Plain text at the HBONE port is a caller that shows no certificate.
      return { from: source, to, port, certificate: certificate ?? 'none' }
    default:
      return {
        from: source,
        to,
        port,
        ...(kind === 'http' ? { http: httpOf(http) } : {}),
        ...(kind === 'tls' && tls !== undefined ? { tls } : {}),
      }
  }
}

function httpOf(http: Attempt['http']): NonNullable<Flow['http']> {
  const { method = 'GET', path = '/', headers } = http ?? {}
  return { method, path, ...(headers === undefined ? {} : { headers }) }
}
