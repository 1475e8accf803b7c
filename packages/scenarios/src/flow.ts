import type { Flow, FlowSource } from '@bulkhead/verdict'
import { outsideAddress } from '@bulkhead/verdict/terms'
import type { Attempt } from './types.js'

/** How a scenario names a caller that is not in the cluster. */
export const outside = 'outside'

/** How it names a program that runs on a node itself, in no pod. */
const ofNode = 'node '

/** The node whose own program a scenario's `from` is; undefined where it is none. */
export function nodeOf(from: string): string | undefined {
  return from.startsWith(ofNode) ? from.slice(ofNode.length) : undefined
}

/** Who a scenario's `from` is, in the engine's words. */
export function sourceOf(from: string): FlowSource {
  if (from === outside) return { external: outsideAddress }
  const node = nodeOf(from)
  return node === undefined ? { workload: from } : { node }
}

/**
 * The flow that an attempt is, for the engine to judge. Undefined for a pod's private socket, and for a program that only
 * runs: they are no part of the network, and nothing is there to judge.
 */
export function flowOf(from: string, attempt: Attempt): Flow | undefined {
  const { kind, to, port, http, tls, dns, certificate } = attempt
  const source = sourceOf(from)
  switch (kind) {
    case 'socket':
    case 'run':
      return undefined
    case 'dns':
      // Whatever name is asked for, the question goes to the cluster's own DNS.
      return {
        from: source,
        to: 'host' in to ? clusterDns : to,
        port: 53,
        protocol: 'UDP',
        ...(dns === undefined ? {} : { dns: { query: dns.query } }),
      }
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
        // What is in the TLS no wall on the way reads.
        ...(kind === 'http' && tls === undefined ? { http: httpOf(http) } : {}),
        ...(kind === 'tls' || (kind === 'http' && tls !== undefined) ? { tls: sniOf(attempt) } : {}),
      }
  }
}

const clusterDns = { service: 'kube-system/kube-dns' }

/** The name that the ClientHello will have. `http` sends the one that it dials; of an address it sends none. */
function sniOf({ kind, to, tls }: Attempt): NonNullable<Flow['tls']> {
  if (tls?.sni !== undefined) return { sni: tls.sni }
  if (kind === 'tls') return {}
  if ('host' in to) return { sni: to.host }
  if (!('service' in to)) return {}
  const [namespace, name] = to.service.split('/')
  return { sni: `${name}.${namespace}.svc.cluster.local` }
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
