import type { Sighting } from '@bulkhead/scenarios'
import type { Flow } from '@bulkhead/verdict'

/** One end of an attempt, as the cluster knows it. */
export interface Party {
  /** `namespace/workload` */
  readonly workload?: string
  /** `namespace/service` */
  readonly service?: string
  readonly host?: string
  /** Of its pods; of a Service its own as well. */
  readonly ips: readonly string[]
  readonly nodes?: readonly string[]
  /** Those that it may be seen at: of a Service its own, and its pods'. */
  readonly ports?: readonly number[]
}

/** Which attempt sightings are wanted of. */
export interface Asked {
  /** Without addresses: a caller from outside the cluster. */
  readonly from: Party
  readonly to: Party
  /** When it began and when it ended, by the clock of the nodes. */
  readonly since: Date
  readonly until: Date
  /** What was asked, in the engine's words. */
  readonly flow?: Flow
}

/** How long after its end a connection is still written down. */
export const slackMs = 1500
/** What the nodes' clock may be off, though it was read. */
export const earlyMs = 500

/** HBONE: the port that what is in the mesh has on the wire. */
const hbonePort = 15008

/**
 * Whether a sighting is of that attempt: by time, by both ends' addresses, by the port, by what was asked of a proxy. `proxies` are
 * the addresses of gateways and waypoints, which stand for either end.
 */
export function isAbout(sighting: Sighting, asked: Asked, proxies: ReadonlySet<string>): boolean {
  return (
    inTime(sighting, asked) &&
    fromThere(sighting, asked, proxies) &&
    toThere(sighting, asked, proxies) &&
    sameRequest(sighting, asked)
  )
}

function inTime({ at }: Sighting, { since, until }: Asked): boolean {
  const time = Date.parse(at)
  return time >= since.getTime() - earlyMs && time <= until.getTime() + slackMs
}

function fromThere({ source: { ip } }: Sighting, { from }: Asked, proxies: ReadonlySet<string>): boolean {
  // Who comes from outside has an address that no pod has, and another one at each node.
  return ip === undefined || from.ips.length === 0 || from.ips.includes(ip) || proxies.has(ip)
}

function toThere({ destination }: Sighting, { to, flow }: Asked, proxies: ReadonlySet<string>): boolean {
  const { service, ip, port, host } = destination
  // A question for the name, to a DNS server, is part of it.
  if (host !== undefined && to.host !== undefined && sameName(host, to.host)) return true
  if (flow?.dns !== undefined && host !== undefined) return sameName(host, flow.dns.query)
  const ports = [...(to.ports ?? []), ...(flow === undefined ? [] : [flow.port]), hbonePort]
  if (port !== undefined && !ports.includes(port)) return false
  if (service !== undefined && to.service !== undefined) return service === to.service || atProxy(ip, proxies)
  return ip === undefined || to.ips.length === 0 || to.ips.includes(ip) || proxies.has(ip)
}

const atProxy = (ip: string | undefined, proxies: ReadonlySet<string>): boolean => ip !== undefined && proxies.has(ip)

function sameName(one: string, other: string): boolean {
  const plain = (name: string): string => name.replace(/\.$/, '').replace(/:\d+$/, '').toLowerCase()
  return plain(one) === plain(other)
}

/** At a proxy many ask for the same: the host, the method and the path, without what is behind the question mark, tell them apart. */
function sameRequest({ http, destination }: Sighting, { flow }: Asked): boolean {
  if (http === undefined || flow?.http === undefined) return true
  const path = (text: string): string => text.split('?')[0] ?? ''
  const { host } = flow.http
  if (host !== undefined && destination.host !== undefined && !sameName(host, destination.host)) return false
  return http.method === flow.http.method && path(http.path) === path(flow.http.path)
}
