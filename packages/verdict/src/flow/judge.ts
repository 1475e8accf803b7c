import type { Judge, Snapshot } from '../api.js'
import { headline } from '../messages/headline.js'
import { hbonePort } from '../points/hbone.js'
import { probeAddress } from '../points/past-ztunnel.js'
import type { Flow, Hop, Outcome, Pod, Protocol, Step, Verdict } from '../types.js'
import { FlowError, quote } from './errors.js'
import { type HopRequest, type NextHop, nextHop } from './next-hop.js'
import { type Caller, resolveSource } from './parties.js'
import { planRoute, type Route } from './route.js'
import { isCaptured, type Journey, reachesWaypoint, stepsOf } from './steps.js'
import { symptomOf } from './symptom.js'

/** Gateway, waypoint, pod: there is no longer way. */
const maxHops = 3

/**
 * Judges the whole of a flow's connection: every point on its way, in the path's order, also after a deny. The first
 * deny decides. What a gateway or a waypoint sends on has a hop more. What a proxy would do is judged also when it is
 * never asked: what stands behind it would stop others. Throws FlowError for a flow that names nothing real, or what
 * cannot be.
 */
export const judge: Judge = (flow, snapshot) => {
  const caller = resolveSource(flow.from, snapshot)
  const route = planRoute(flow, caller, snapshot)
  if (flow.certificate !== undefined) checkCertificate(flow, route)
  const first = journeyOf(flow, caller, route, snapshot)
  const { steps, onward } = stepsOf(first, snapshot)
  const hops = [first.hop]
  const all = [...steps]
  for (let leg = onward; leg !== undefined && hops.length < maxHops; ) {
    const index = hops.length
    const journey = journeyOf(leg.flow, leg.caller, leg.route, snapshot, index)
    const judged = stepsOf(journey, snapshot)
    hops.push(journey.hop)
    for (const step of judged.steps) all.push({ ...step, hop: index })
    leg = judged.onward
  }
  return verdictOf(first, hops, all)
}

function journeyOf(flow: Flow, caller: Caller, route: Route, snapshot: Snapshot, index = 0): Journey {
  const { protocol = 'TCP' } = flow
  const next = nextHop(
    {
      source: sourceOf(caller, route, protocol),
      destination: route.pod ?? { ip: route.node?.ip ?? route.address?.ip ?? '' },
      port: route.port,
      protocol,
      ...(route.service && { service: route.service }),
      ...(route.service && !('node' in flow.to) && { servicePort: flow.port }),
    },
    snapshot,
  )
  return { flow, index, protocol, caller, route, next, hop: describeHop(flow, caller, route, next) }
}

/** Whose packet comes to the destination: through a node's port, the node's. */
function sourceOf(caller: Caller, route: Route, protocol: Protocol): HopRequest['source'] {
  if (route.via !== undefined) return { ip: route.via.node.ip }
  return caller.kind === 'pod' ? caller.pod : { ip: sourceAddress(caller, route, protocol) }
}

/** What a node sends to a captured pod of its own gets another source on the way (C.8). */
function sourceAddress(caller: Exclude<Caller, { kind: 'pod' }>, { pod }: Route, protocol: Protocol): string {
  const own = caller.kind === 'node' && pod?.mesh === true && pod.node === caller.node.name
  return own && protocol === 'TCP' ? probeAddress(pod) : caller.ip
}

function checkCertificate({ protocol = 'TCP' }: Flow, { name, pod, before, loopback, via }: Route): void {
  if (protocol !== 'TCP') {
    throw new FlowError('flow.invalid', `"certificate" goes with TCP, not with ${quote(protocol)}`)
  }
  if (via !== undefined || (pod === undefined && before === undefined && loopback !== true)) {
    throw new FlowError('flow.invalid', `"certificate" is shown at a pod's HBONE port, and ${quote(name)} is no pod`)
  }
}

function describeHop(flow: Flow, caller: Caller, route: Route, next: NextHop): Hop {
  const from = caller.kind === 'pod' ? caller.pod.workload : caller.name
  const to = route.pod?.workload ?? route.address?.name ?? route.name
  const { waypoint } = next
  if (waypoint !== undefined && flow.certificate === undefined && reachesWaypoint(route)) {
    const { key, pod } = waypoint
    return { from, to: pod?.workload ?? key, tuple: next.tuple, ...(next.as !== undefined && { as: next.as }) }
  }
  if (flow.certificate !== undefined && route.pod !== undefined && comesAsItIs(caller, route.pod)) {
    return { from, to, tuple: { ...next.tuple, port: hbonePort, protocol: 'TCP' } }
  }
  if (route.loopback === true) {
    const { src, protocol } = next.tuple
    return { from, to, tuple: { src, dst: src, port: route.port, protocol } }
  }
  // What leaves the caller, also where a node sends it on as its own.
  if (route.via !== undefined && caller.kind === 'pod') {
    const { node, port } = route.via
    return { from, to, tuple: { src: caller.pod.ip, dst: node.ip, port, protocol: next.tuple.protocol } }
  }
  return { from, to, tuple: next.tuple, ...(next.as !== undefined && { as: next.as }) }
}

/** A captured caller's own ztunnel takes what it sends to the mesh's pods; a waypoint is none of them. */
function comesAsItIs(caller: Caller, { waypoint }: Pod): boolean {
  return !isCaptured(caller) || waypoint !== undefined
}

function verdictOf({ flow, caller, route, hop }: Journey, hops: readonly Hop[], steps: readonly Step[]): Verdict {
  const first = steps.findIndex((step) => step.outcome === 'deny')
  const unknown = steps.find((step) => step.outcome === 'unknown')
  const outcome: Outcome = first !== -1 ? 'deny' : unknown !== undefined ? 'unknown' : 'allow'
  const deciding = steps[first] ?? unknown ?? steps.find(({ code }) => code === 'route.redirects')
  const proxies = proxiesOf(steps)
  const captured = isCaptured(caller) && hop.tuple.protocol === 'TCP' && route.loopback !== true
  return {
    ...(flow.id !== undefined && { id: flow.id }),
    outcome,
    ...(first !== -1 && { decidedBy: { hop: steps[first]?.hop ?? 0, step: first } }),
    symptom: deciding === undefined ? 'ok' : symptomOf(deciding, captured, proxies[0]?.reads),
    hops,
    steps,
    text: headline(
      `${caller.name} → ${route.name}:${flow.port}/${hop.tuple.protocol}`,
      outcome,
      deciding,
      proxies[(deciding?.hop ?? 0) - 1]?.point,
    ),
  }
}

/** The proxies on the way, and what each of them reads: one for every hop but the last. */
function proxiesOf(
  steps: readonly Step[],
): { readonly point: 'gateway' | 'waypoint'; readonly reads: 'http' | 'tcp' }[] {
  const proxies: { point: 'gateway' | 'waypoint'; reads: 'http' | 'tcp' }[] = []
  for (const { hop, point, outcome, facts } of steps) {
    if ((point !== 'gateway' && point !== 'waypoint') || outcome === 'not-applicable') continue
    proxies[hop] ??= { point, reads: point === 'gateway' || facts?.request !== undefined ? 'http' : 'tcp' }
  }
  return proxies
}
