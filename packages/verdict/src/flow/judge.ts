import type { Judge, Snapshot } from '../api.js'
import { headline } from '../messages/headline.js'
import { hbonePort, ownPortStep } from '../points/hbone.js'
import { judgeAt } from '../points/judge-at.js'
import { isProbeAddress, pastZtunnelStep, probeAddress, whyPastZtunnel } from '../points/past-ztunnel.js'
import type { RouteDecision } from '../routes/types.js'
import type { Flow, Hop, Outcome, Pod, Protocol, Step, Verdict } from '../types.js'
import { FlowError, quote } from './errors.js'
import { listensAt, type NextHop, nextHop } from './next-hop.js'
import { onward } from './onward.js'
import { type Caller, hostOf, resolveSource } from './parties.js'
import { requestOf } from './request.js'
import { notModelled, type Obstacle, planRoute, type Route } from './route.js'
import { symptomOf } from './symptom.js'

/** One hop of a flow, with all that is known of it before any point is asked. */
interface Journey {
  readonly flow: Flow
  /** Its place in the path: 0 for the caller's own, 1 for a gateway's. */
  readonly index: number
  readonly protocol: Protocol
  readonly caller: Caller
  readonly route: Route
  readonly next: NextHop
  readonly hop: Hop
}

/**
 * Judges the whole of a flow's connection: every point on its way, in the path's order, also after a deny. The first
 * deny decides. A request that a gateway sends on has two hops. Throws FlowError for a flow that names nothing real, or
 * what cannot be.
 */
export const judge: Judge = (flow, snapshot) => {
  const caller = resolveSource(flow.from, snapshot)
  const route = planRoute(flow, caller, snapshot)
  if (flow.certificate !== undefined) checkCertificate(flow, route)
  const first = journeyOf(flow, caller, route, snapshot)
  const { steps, decision } = stepsOf(first, snapshot)
  if (decision === undefined || route.pod === undefined) return verdictOf(first, [first.hop], steps)

  // What the gateway would do is judged also when it is never asked: what stands behind it would stop others.
  const next = onward(decision, route.pod, snapshot)
  const asked = [...steps.slice(0, -1), next.step]
  if (!('route' in next)) return verdictOf(first, [first.hop], asked)
  const behind: Flow = { from: { workload: route.pod.workload }, to: { service: next.service }, port: next.port }
  const second = journeyOf(behind, next.caller, next.route, snapshot, 1)
  const further = stepsOf(second, snapshot).steps.map((step) => ({ ...step, hop: 1 }))
  return verdictOf(first, [first.hop, second.hop], [...asked, ...further])
}

function journeyOf(flow: Flow, caller: Caller, route: Route, snapshot: Snapshot, index = 0): Journey {
  const { protocol = 'TCP' } = flow
  const next = nextHop(
    {
      source: caller.kind === 'pod' ? caller.pod : { ip: sourceAddress(caller, route, protocol) },
      destination: route.pod ?? { ip: route.address?.ip ?? '' },
      port: route.port,
      protocol,
      ...(route.service && { service: route.service }),
    },
    snapshot,
  )
  return { flow, index, protocol, caller, route, next, hop: describeHop(flow, caller, route, next) }
}

/** What a node sends to a captured pod of its own gets another source on the way (C.8). */
function sourceAddress(caller: Exclude<Caller, { kind: 'pod' }>, { pod }: Route, protocol: Protocol): string {
  const own = caller.kind === 'node' && pod?.mesh === true && pod.node === caller.node.name
  return own && protocol === 'TCP' ? probeAddress(pod) : caller.ip
}

function checkCertificate({ protocol = 'TCP' }: Flow, { name, pod, before, loopback }: Route): void {
  if (protocol !== 'TCP') {
    throw new FlowError('flow.invalid', `"certificate" goes with TCP, not with ${quote(protocol)}`)
  }
  if (pod === undefined && before === undefined && loopback !== true) {
    throw new FlowError('flow.invalid', `"certificate" is shown at a pod's HBONE port, and ${quote(name)} is no pod`)
  }
}

/** What is said of one hop, and by a gateway at its end where to. */
interface Judged {
  readonly steps: readonly Step[]
  readonly decision?: RouteDecision
}

function stepsOf(journey: Journey, snapshot: Snapshot): Judged {
  const { caller, route, hop } = journey
  const { tuple } = hop
  if (caller.kind === 'not-modelled') return { steps: [obstacleStep('cni-egress', notModelled(caller.found))] }
  if (route.loopback === true) return { steps: loopbackSteps(journey) }
  const source = caller.kind === 'pod' ? caller.pod : undefined
  const steps: Step[] = []
  const neverSent = route.before?.code === 'network.no-such-name'
  if (source !== undefined && !neverSent) {
    steps.push(...judgeAt('cni-egress', { pod: source, peer: route.pod ?? { ip: tuple.dst }, tuple }, snapshot).steps)
  }
  if (route.before !== undefined) return { steps: [...steps, obstacleStep(pointOf(route.before), route.before)] }
  const peer = source ?? { ip: tuple.src }
  if (route.pod !== undefined) {
    if (opensAt(journey, route.pod, snapshot)) return gatewaySteps(journey, steps, route.pod, peer, snapshot)
    return { steps: [...steps, ...stepsAtPod(journey, route.pod, peer, snapshot)] }
  }
  if (route.node !== undefined) {
    const pod = hostOf(route.node)
    steps.push(...judgeAt('cni-ingress', { pod, peer, tuple }, snapshot).steps)
    return { steps: route.after === undefined ? steps : [...steps, obstacleStep(pointOf(route.after), route.after)] }
  }
  if (source !== undefined) return { steps }
  // No pod of the cluster and no node is its destination, and none of the pods its source.
  return { steps: [obstacleStep('cni-egress', notModelled({ what: 'traffic between places outside of the pods' }))] }
}

function opensAt({ flow, protocol, route }: Journey, { gateway }: Pod, snapshot: Snapshot): boolean {
  if (gateway === undefined || protocol !== 'TCP' || flow.certificate !== undefined) return false
  return listensAt(gateway, route.port, snapshot)
}

function gatewaySteps(
  { flow, index, caller, route, next, hop }: Journey,
  before: readonly Step[],
  gateway: Pod,
  peer: Pod | { readonly ip: string },
  snapshot: Snapshot,
): Judged {
  const { tuple } = hop
  const steps = [...before, ...judgeAt('cni-ingress', { pod: gateway, peer, tuple }, snapshot).steps]
  if (index > 0) {
    const { unread = { what: 'a gateway behind a gateway' } } = next
    return { steps: [...steps, obstacleStep('gateway', notModelled(unread))] }
  }
  const request = requestOf(flow, caller, route, tuple.src)
  const ofPeer = { ip: tuple.src, ...(next.as !== undefined && { identity: next.as }) }
  const said = judgeAt('gateway', { gateway, port: route.port, peer: ofPeer, request }, snapshot)
  return { steps: [...steps, ...said.steps], decision: said.decision }
}

/** From the packet's arrival at the destination's node to the app. */
function stepsAtPod(
  { flow, protocol, caller, route, next, hop }: Journey,
  pod: Pod,
  peer: Pod | { readonly ip: string },
  snapshot: Snapshot,
): Step[] {
  const { tuple } = hop
  const captured = isCaptured(caller)
  if (next.waypoint !== undefined && flow.certificate === undefined) {
    const { name, policy, layer, at } = next.waypoint
    const by = { ...(layer !== undefined && { layer }), policy, at }
    const facts = { what: `waypoint ${name}` }
    return [obstacleStep('waypoint', { code: 'not-modelled', outcome: 'unknown', facts, by })]
  }
  const steps = [...judgeAt('cni-ingress', { pod, peer, tuple }, snapshot).steps]
  // What is said at ztunnel's own ports is said before any policy could be.
  const knock = { destination: pod, port: route.port, certificate: flow.certificate, captured }
  const refused = protocol === 'TCP' ? ownPortStep(knock) : undefined
  if (refused !== undefined) return [...steps, refused]
  // The probe address is the node's: a pod's packet with it would not leave the pod.
  const past = whyPastZtunnel(protocol, caller.kind !== 'pod' && isProbeAddress(tuple.src))
  if (past === undefined) {
    const ofPeer = { ip: tuple.src, ...(next.as !== undefined && { identity: next.as }) }
    steps.push(...judgeAt('ztunnel', { destination: pod, port: route.port, peer: ofPeer }, snapshot).steps)
  } else if (pod.mesh) {
    steps.push(pastZtunnelStep(pod, past))
  }
  const after = flow.certificate === undefined ? route.after : closedHbonePort(pod)
  return after === undefined ? steps : [...steps, obstacleStep(pointOf(after), after)]
}

/** In the mesh: its own ztunnel takes every connection of its. */
function isCaptured(caller: Caller): boolean {
  return caller.kind === 'pod' && caller.pod.mesh
}

/** A pod that is not captured has no HBONE port. */
function closedHbonePort(pod: Pod): Obstacle {
  const facts = { what: pod.workload, port: hbonePort, has: 'no HBONE port: it is not in the mesh' }
  return { code: 'network.nothing-listens', outcome: 'deny', facts }
}

/** Where an obstacle stands: that nothing listens is learned at the destination, all else on the way there. */
function pointOf({ code }: Obstacle): Step['point'] {
  return code === 'network.nothing-listens' ? 'cni-ingress' : 'cni-egress'
}

function loopbackSteps({ flow, caller, route }: Journey): Step[] {
  const facts = { pod: caller.name }
  const free: Step = {
    hop: 0,
    point: 'cni-egress',
    engine: 'kubernetes',
    outcome: 'not-applicable',
    code: 'network.loopback',
    facts,
  }
  const { pod: destination, port, after } = route
  const refused = destination && ownPortStep({ destination, port, certificate: flow.certificate, captured: true })
  if (refused !== undefined) return [free, refused]
  return after === undefined ? [free] : [free, obstacleStep(pointOf(after), after)]
}

function obstacleStep(point: Step['point'], obstacle: Obstacle): Step {
  const engine = point === 'waypoint' || point === 'gateway' ? 'istio' : 'kubernetes'
  const { code, outcome, facts, by } = obstacle
  const { layer, ...object } = by ?? {}
  return { hop: 0, point, engine, ...(layer !== undefined && { layer }), outcome, code, ...object, facts }
}

function describeHop(flow: Flow, caller: Caller, route: Route, next: NextHop): Hop {
  const from = caller.kind === 'pod' ? caller.pod.workload : caller.name
  const to = route.pod?.workload ?? route.address?.name ?? route.name
  if (flow.certificate !== undefined && route.pod !== undefined && !isCaptured(caller)) {
    return { from, to, tuple: { ...next.tuple, port: hbonePort, protocol: 'TCP' } }
  }
  if (route.loopback === true) {
    const { src, protocol } = next.tuple
    return { from, to, tuple: { src, dst: src, port: route.port, protocol } }
  }
  return { from, to, tuple: next.tuple, ...(next.as !== undefined && { as: next.as }) }
}

function verdictOf({ flow, caller, route, hop }: Journey, hops: readonly Hop[], steps: readonly Step[]): Verdict {
  const first = steps.findIndex((step) => step.outcome === 'deny')
  const unknown = steps.find((step) => step.outcome === 'unknown')
  const outcome: Outcome = first !== -1 ? 'deny' : unknown !== undefined ? 'unknown' : 'allow'
  const deciding = steps[first] ?? unknown ?? steps.find(({ code }) => code === 'route.redirects')
  const captured = isCaptured(caller) && hop.tuple.protocol === 'TCP' && route.loopback !== true
  return {
    ...(flow.id !== undefined && { id: flow.id }),
    outcome,
    ...(first !== -1 && { decidedBy: { hop: steps[first]?.hop ?? 0, step: first } }),
    symptom: deciding === undefined ? 'ok' : symptomOf(deciding, captured),
    hops,
    steps,
    text: headline(`${caller.name} → ${route.name}:${flow.port}/${hop.tuple.protocol}`, outcome, deciding),
  }
}
