import { type Flow, judge, type Snapshot } from '@bulkhead/verdict'
import { isOwn } from '../matrix/board.js'
import { type Destination, destinationsOf, flowSource, outside, sourcesOf } from '../matrix/questions.js'
import { requestDestination } from '../matrix/requests.js'
import { plainName } from '../names.js'
import { calledThroughWaypoint, waypointDestination } from './waypoint.js'

/** Beyond this many pairs only those with the flow\'s own source are asked. */
const maxPairs = 20_000

export interface Opened {
  /** `shop/sleep -> shop/web-api:9090` */
  readonly flows: readonly string[]
  /** The only caller that was asked about, where the set is too large to ask about all. */
  readonly askedOnly?: string
}

/**
 * The flows that one snapshot denies and the next one allows, without `flow` itself: to the pods\' ports, which say what
 * the Services before them would, to the Services that have a waypoint, and the requests that gateways take; this one\'s
 * among them.
 */
export function opened(flow: Flow, before: Snapshot, after: Snapshot): Opened {
  const own = 'workload' in flow.from ? flow.from.workload : 'external' in flow.from ? outside : undefined
  const asked = requestDestination(flow, after) ?? waypointDestination(flow, after)
  const named = new Map<string, Destination>()
  for (const destination of [...destinationsOf(after), ...(asked === undefined ? [] : [asked])]) {
    if (
      'service' in destination.flow.to &&
      destination.gateway === undefined &&
      !calledThroughWaypoint(destination.flow.to.service, destination.flow.port, after)
    )
      continue
    if (destination.flow.protocol === undefined) named.set(destination.name, destination)
  }
  const sources = sourcesOf(after)
  const all = sources.length * named.size <= maxPairs
  const found: string[] = []
  for (const from of sources) {
    if (!all && from !== own) continue
    for (const [name, destination] of named) {
      if (isOwn(from, destination) || (from === own && isDestination(flow, destination, name === asked?.name, after)))
        continue
      const other: Flow = { from: flowSource(from), ...destination.flow }
      if (judge(other, before).outcome !== 'allow' && judge(other, after).outcome === 'allow') {
        found.push(`${from} -> ${plainName(name)}`)
      }
    }
  }
  return { flows: found, ...(!all && { askedOnly: own ?? 'no workload' }) }
}

/** Whether the flow that is to be allowed is that one, or ends at that pod and port: it is meant to open. */
function isDestination({ to, port }: Flow, destination: Destination, asked: boolean, snapshot: Snapshot): boolean {
  if (asked) return true
  const { to: whom, port: podPort } = destination.flow
  if ('host' in whom) return 'host' in to && to.host === whom.host && port === podPort
  // Asked of the Service without a request, it is what this one says for any.
  if ('service' in whom) {
    return 'service' in to && to.service === whom.service && port === podPort && destination.flow.http === undefined
  }
  if (!('workload' in whom)) return false
  const { workload } = whom
  if ('workload' in to) return to.workload === workload && port === podPort
  const pods = [...snapshot.pods.values()].filter((pod) => pod.workload === workload)
  if ('ip' in to && !('host' in to)) return pods.some(({ ip }) => ip === to.ip) && port === podPort
  const service = 'service' in to ? snapshot.services.get(to.service) : undefined
  return pods.some((pod) => {
    const key = 'host' in to ? snapshot.resolveName(to.host, pod.namespace) : undefined
    const meant = service ?? (key?.kind === 'service' ? key.service : undefined)
    if (meant === undefined || !meant.endpoints.includes(pod.key)) return false
    return snapshot.targetPort(meant, port, pod) === podPort
  })
}
