import type { ForgedCertificate, NextHop, Pod, ReasonCode, Snapshot, Step } from '@bulkhead/verdict'
import type { DeadRoute, OutsideRoute } from './route.js'

/*
 * The steps that no policy writes: what the network and the HBONE port themselves say. Codes, points and facts are
 * those that the engine predicts with, so that a record and a verdict can be laid side by side.
 */

type Obstacle = Omit<Step, 'hop'>

const obstacle = (point: Step['point'], code: ReasonCode, facts: NonNullable<Step['facts']>): Obstacle => ({
  point,
  engine: 'kubernetes',
  outcome: 'deny',
  code,
  facts,
})

export const nothingListens = (what: string, port: number, listening: readonly number[]): Obstacle =>
  obstacle('cni-ingress', 'network.nothing-listens', {
    what,
    port,
    has: listening.map((own) => `${own}/TCP`).join(', ') || 'no port',
  })

/** At a node, or a pod that every cluster has, where nothing listens. */
export const closedOutside = ({ pod, node, to }: Pick<OutsideRoute, 'pod' | 'node' | 'to'>): Obstacle =>
  obstacle('cni-ingress', 'network.nothing-listens', {
    what: pod?.workload ?? (node === undefined ? to.ip : `node ${node.name}`),
    port: to.port,
    has: pod?.ports.map(({ port, protocol }) => `${port}/${protocol}`).join(', ') || 'no such port',
  })

export const noSuchPort = ({ service, remote: { port }, has }: Extract<DeadRoute, { kind: 'no-port' }>): Obstacle =>
  obstacle('cni-ingress', 'network.nothing-listens', { what: `Service ${service}`, port, has })

export const noEndpoint = (service: string): Obstacle => obstacle('cni-egress', 'network.no-endpoint', { service })

/** Of a waypoint that has been ready, and has no pod that is. */
export const noWaypoint = (key: string, snapshot: Snapshot): Obstacle => {
  const model = snapshot.waypoints.get(key)
  const facts = { service: model?.workload ?? key, waypoint: key }
  const { layer, id: policy, at } = model ?? {}
  return {
    ...obstacle('cni-egress', 'network.no-endpoint', facts),
    ...(layer !== undefined && { layer }),
    ...(policy !== undefined && { policy }),
    ...(at !== undefined && { at }),
  }
}

export const noSuchName = (host: string): Obstacle => obstacle('cni-egress', 'network.no-such-name', { host })

export const unreachable = (host: string): Obstacle => obstacle('cni-egress', 'network.unreachable', { host })

export const loopback = (pod: string): Obstacle => ({
  ...obstacle('cni-egress', 'network.loopback', { pod }),
  outcome: 'not-applicable',
})

/** Who is behind a pod's HBONE port. */
const guardOf = ({ waypoint }: Pod): Step['point'] => (waypoint === undefined ? 'ztunnel' : 'waypoint')

const forged: Readonly<Record<ForgedCertificate, ReasonCode>> = {
  none: 'hbone.no-certificate',
  'self-signed': 'hbone.untrusted-certificate',
  'other-domain': 'hbone.untrusted-certificate',
  expired: 'hbone.expired-certificate',
  stolen: 'hbone.stolen-certificate',
}

export const refusedCertificate = (pod: Pod, certificate: ForgedCertificate): Obstacle => ({
  ...obstacle(guardOf(pod), forged[certificate], { pod: pod.workload, certificate }),
  engine: 'istio',
})

/** A port of ztunnel's own, which is nobody's to call. */
export const ownPort = (pod: string, port: number): Obstacle => ({
  ...obstacle('ztunnel', 'hbone.own-port', { pod, port }),
  engine: 'istio',
})

/** What a node sends to a captured pod of its own, as the kubelet's probes (C.8). */
export const pastZtunnel = (pod: string): Obstacle => ({
  ...obstacle('ztunnel', 'past-ztunnel', { pod, why: 'what a node itself sends to its pods is not captured' }),
  engine: 'istio',
  outcome: 'not-applicable',
})

export const wrongTarget = (pod: Pod, target: string): Obstacle => ({
  ...obstacle(guardOf(pod), 'hbone.wrong-target', { pod: pod.workload, target }),
  engine: 'istio',
})

/** The same, where a proxy or a waypoint is on the way. */
export const unreadProxy = (found: NonNullable<NextHop['unread']>): Obstacle => ({
  ...unread(found),
  point: 'waypoint',
  engine: 'istio',
})

/** Something on the way that nobody here models. */
export const unread = ({ what, id, at }: NonNullable<NextHop['unread']>): Obstacle => ({
  ...obstacle('cni-egress', 'not-modelled', { what }),
  outcome: 'unknown',
  ...(id !== undefined && { policy: id }),
  ...(at !== undefined && { at }),
})

export const workloadOf = (pods: ReadonlyMap<string, Pod>, key: string): string => pods.get(key)?.workload ?? key
