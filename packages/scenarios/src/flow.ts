import { type Flow, type FlowSource, outsideAddress } from '@bulkhead/verdict'
import type { Attempt } from './types.js'

/** How a scenario names a caller that is not in the cluster. */
export const outside = 'outside'

/** Who a scenario's `from` is, in the engine's words. */
export function sourceOf(from: string): FlowSource {
  return from === outside ? { external: outsideAddress } : { workload: from }
}

/**
 * The flow that an attempt is, for the engine to judge. Undefined for a pod's private socket: it is no part of the
 * network, and nothing is there to judge.
 */
export function flowOf(from: string, attempt: Attempt): Flow | undefined {
  const { kind, to, port, http, tls, dns, certificate } = attempt
  const source = sourceOf(from)
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
  const host = hostOf(headers)
  const others = Object.entries(headers ?? {}).filter(([name]) => !isHost(name))
  return {
    method,
    path,
    ...(host === undefined ? {} : { host }),
    ...(others.length === 0 ? {} : { headers: Object.fromEntries(others) }),
  }
}

/** The host that a request asks for, where its headers say one; else the client sends the name that it dialled. */
export function hostOf(headers: Readonly<Record<string, string>> | undefined): string | undefined {
  return Object.entries(headers ?? {}).find(([name]) => isHost(name))?.[1]
}

function isHost(name: string): boolean {
  return name.toLowerCase() === 'host'
}
