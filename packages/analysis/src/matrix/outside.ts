import type {
  CiliumClusterwideNetworkPolicy,
  CiliumEgressRule,
  CiliumNetworkPolicy,
  CiliumPortRule,
  Resource,
} from '@bulkhead/resources'
import type { Flow } from '@bulkhead/verdict'
import type { Destination } from './questions.js'

/** What the column for all the world is called. */
const world = 'world'
/** An address that stands for all the world: of TEST-NET-1, which nobody has. */
const somewhere = '192.0.2.1'
/** Where HTTPS is served, and QUIC. */
const https = 443
/** What stands for `*` in a name. */
const anyLabel = 'any'

/**
 * What is beyond the cluster: the hosts that policies name, each at the ports that they open for it, and the world. Only
 * where a policy of the network is written: without any the way out is open to all, and nobody asks.
 *
 * @param written the objects of the manifests, also of layers that are off: what these open and close is asked about then
 *   as well
 */
export function outsideDestinations(written: readonly Resource[]): readonly Destination[] {
  if (!written.some(({ kind }) => kind.endsWith('NetworkPolicy'))) return []
  const hosts = new Map<string, Destination>()
  for (const rule of written.filter(isCilium).flatMap(egressRules)) {
    for (const [host, { port, tls }] of opened(rule)) {
      const name = `${host}:${port}`
      const flow: Destination['flow'] = { to: { host }, port, ...(tls && port !== https && { tls: { sni: host } }) }
      if (!hosts.has(name)) hosts.set(name, { name, flow, workloads: [], beyond: true })
    }
  }
  const sorted = [...hosts.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  return [...sorted, { name: `${world}:${https}`, flow: worldFlow, workloads: [], beyond: true }]
}

const worldFlow: Pick<Flow, 'to' | 'port'> = { to: { ip: somewhere }, port: https }

type CiliumPolicy = CiliumNetworkPolicy | CiliumClusterwideNetworkPolicy

const kinds: ReadonlySet<string> = new Set(['CiliumNetworkPolicy', 'CiliumClusterwideNetworkPolicy'])

const isCilium = (resource: Resource): resource is Resource<CiliumPolicy> =>
  kinds.has(resource.kind) && resource.object.apiVersion.startsWith('cilium.io/')

function egressRules({ object }: Resource<CiliumPolicy>): readonly CiliumEgressRule[] {
  return [object.spec, ...(object.specs ?? [])].flatMap((rule) => rule?.egress ?? [])
}

interface Door {
  readonly port: number
  /** A wall reads the server's name there. */
  readonly tls: boolean
}

/** Each host that a rule names, at each port that it opens. */
function opened({ toFQDNs = [], toPorts = [] }: CiliumEgressRule): readonly (readonly [string, Door])[] {
  const byName = toFQDNs.flatMap(({ matchName, matchPattern }) => matchName ?? matchPattern ?? [])
  const doors: readonly CiliumPortRule[] = toPorts.length === 0 ? [{}] : toPorts
  return doors.flatMap(({ ports, serverNames = [] }) => {
    const hosts = [...byName, ...serverNames].flatMap((pattern) => sample(pattern) ?? [])
    const numbers = ports?.length ? ports.flatMap(tcpPort) : [https]
    return hosts.flatMap((host) => numbers.map((port) => [host, { port, tls: serverNames.length > 0 }] as const))
  })
}

/** A named port is the destination's own to say, and 0 is every port. */
function tcpPort({ port, protocol = 'ANY' }: NonNullable<CiliumPortRule['ports']>[number]): readonly number[] {
  if (protocol !== 'TCP' && protocol !== 'ANY') return []
  if (port === '0') return [https]
  return port !== undefined && /^\d+$/.test(port) ? [Number(port)] : []
}

/** A name that the pattern matches; none for one that is for every name. */
function sample(pattern: string): string | undefined {
  const name = pattern.toLowerCase().replace(/\.$/, '')
  if (/^\**$/.test(name)) return undefined
  return name.replace(/\*+/g, anyLabel)
}
