import type { Snapshot } from '../api.js'
import { hbonePort, ownPortStep } from '../points/hbone.js'
import { refusedStep, whyRefused } from '../points/http/refused.js'
import { judgeAt } from '../points/judge-at.js'
import { isProbeAddress, pastZtunnelStep, whyPastZtunnel } from '../points/past-ztunnel.js'
import type { Flow, Hop, Pod, Protocol, Step } from '../types.js'
import { askName, judgePacket, leavesNode, withQuestion } from './cni.js'
import { listensAt, type NextHop, type WaypointHop } from './next-hop.js'
import { onward } from './onward.js'
import { type Caller, hostOf } from './parties.js'
import { payloadOf, question } from './payload.js'
import { requestOf } from './request.js'
import { notModelled, type Obstacle, type Route } from './route.js'
import { atWaypoint, deadWaypoint, type Leg, walkedPast } from './waypoint.js'

/** One hop of a flow, with all that is known of it before any point is asked. */
export interface Journey {
  readonly flow: Flow
  /** Its place in the path: 0 for the caller's own, then those of the proxies on the way. */
  readonly index: number
  readonly protocol: Protocol
  readonly caller: Caller
  readonly route: Route
  readonly next: NextHop
  readonly hop: Hop
}

/** What is said of one hop, and by a proxy at its end where it goes on to. */
export interface Judged {
  readonly steps: readonly Step[]
  readonly onward?: Leg
}

/** Everything that is said of one hop, in the order of its way, also after a deny. */
export function stepsOf(journey: Journey, snapshot: Snapshot): Judged {
  const { flow, caller, route, next, hop } = journey
  const { tuple } = hop
  if (caller.kind === 'not-modelled') return { steps: [obstacleStep('cni-egress', notModelled(caller.found))] }
  const { steps: asked, learned } = askName(caller, route, snapshot)
  if (route.loopback === true) return { steps: [...asked, ...loopbackSteps(journey)] }
  if (route.via !== undefined) return throughNode(journey, route.via, asked, snapshot)
  const { before, pod, node } = route
  // Which packets leave, and where to, is not known then.
  if (before?.outcome === 'unknown') return { steps: [...asked, obstacleStep(pointOf(before), before)] }
  const source = caller.kind === 'pod' ? caller.pod : undefined
  const steps: Step[] = [...asked]
  if (flow.certificate === undefined) {
    if (next.past !== undefined) steps.push(walkedPast(next.past, snapshot))
    if (next.unread !== undefined && !(pod !== undefined && opensAt(journey, pod, snapshot))) {
      return { steps: [...steps, obstacleStep('waypoint', notModelled(next.unread))] }
    }
    if (next.waypoint !== undefined && source !== undefined && reachesWaypoint(route)) {
      return waypointSteps(journey, next.waypoint, steps, source, snapshot)
    }
  }
  if (before === undefined || before.code === 'network.unreachable') {
    const to = pod ?? { ip: tuple.dst }
    if (source !== undefined) steps.push(...packetSteps(journey, 'cni-egress', source, to, snapshot, learned))
    if (caller.kind === 'node') steps.push(...leavesNode(caller.node, to, tuple, snapshot))
  }
  if (before !== undefined) return { steps: [...steps, obstacleStep(pointOf(before), before)] }
  const peer = source ?? { ip: tuple.src }
  if (pod !== undefined) {
    if (opensAt(journey, pod, snapshot)) return gatewaySteps(journey, steps, pod, peer, snapshot)
    return { steps: [...steps, ...stepsAtPod(journey, pod, peer, snapshot)] }
  }
  if (node !== undefined) {
    steps.push(...packetSteps(journey, 'cni-ingress', hostOf(node), peer, snapshot))
    return { steps: route.after === undefined ? steps : [...steps, obstacleStep(pointOf(route.after), route.after)] }
  }
  if (source !== undefined) return { steps }
  // No pod of the cluster and no node is its destination, and none of the pods its source.
  return { steps: [obstacleStep('cni-egress', notModelled({ what: 'traffic between places outside of the pods' }))] }
}

/** A Service without a pod is the waypoint's to find out; what its name or port lacks is found before. */
export function reachesWaypoint({ before }: Route): boolean {
  return before === undefined || before.code === 'network.no-endpoint'
}

/** To the waypoint that the destination names, and what it says. */
function waypointSteps(
  journey: Journey,
  way: WaypointHop,
  before: readonly Step[],
  source: Pod,
  snapshot: Snapshot,
): Judged {
  const { flow, caller, route, next } = journey
  const waypoint = way.pod
  if (waypoint === undefined) {
    return { steps: [...before, obstacleStep('cni-egress', deadWaypoint(way.key, snapshot))] }
  }
  const steps = [
    ...before,
    ...packetSteps(journey, 'cni-egress', source, waypoint, snapshot),
    ...packetSteps(journey, 'cni-ingress', waypoint, source, snapshot),
  ]
  const peer = { ip: next.tuple.src, identity: next.as ?? source.identity }
  const said = atWaypoint({ flow, caller, route, hop: way, peer }, waypoint, snapshot)
  return { steps: [...steps, ...said.steps], onward: said.onward }
}

/**
 * By a node's port: the packet that leaves the pod is one to the node, and the one that comes to the Service's pod is the
 * node's. A pod in the mesh speaks plaintext then: its proxy knows no Service by a node's address.
 */
function throughNode(
  journey: Journey,
  { node }: NonNullable<Route['via']>,
  asked: readonly Step[],
  snapshot: Snapshot,
): Judged {
  const { caller, route, next, hop } = journey
  const { before, pod } = route
  const steps = [...asked]
  if (caller.kind === 'pod') {
    steps.push(...packetSteps(journey, 'cni-egress', caller.pod, { ip: node.ip }, snapshot))
    steps.push(...packetSteps(journey, 'cni-ingress', hostOf(node), caller.pod, snapshot))
  }
  if (before !== undefined || pod === undefined) {
    return { steps: before === undefined ? steps : [...steps, obstacleStep(pointOf(before), before)] }
  }
  const from: Caller = { kind: 'node', node, ip: node.ip, name: `node ${node.name}` }
  const onward: Journey = { ...journey, caller: from, hop: { ...hop, tuple: next.tuple } }
  const peer = { ip: node.ip }
  if (opensAt(onward, pod, snapshot)) return gatewaySteps(onward, steps, pod, peer, snapshot)
  return { steps: [...steps, ...stepsAtPod(onward, pod, peer, snapshot)] }
}

/** The CNI's word at one end of the hop. */
function packetSteps(
  { flow, caller, route, next, hop }: Journey,
  point: 'cni-egress' | 'cni-ingress',
  pod: Pod,
  peer: Pod | { readonly ip: string },
  snapshot: Snapshot,
  learned: readonly string[] = [],
): readonly Step[] {
  const { tuple } = hop
  const tunnelled = next.transport === 'hbone' || flow.certificate !== undefined
  const evidence = { pod, peer, tuple, ...(learned.length > 0 && { learned }) }
  const carried = { flow, caller, route, tunnelled }
  const { steps } = judgePacket(point, evidence, (reads) => payloadOf(carried, reads), snapshot)
  return flow.dns === undefined || tunnelled ? steps : withQuestion(steps, question(flow.dns.query).query)
}

function opensAt({ flow, protocol, route }: Journey, { gateway }: Pod, snapshot: Snapshot): boolean {
  if (gateway === undefined || protocol !== 'TCP' || flow.certificate !== undefined) return false
  return listensAt(gateway, route.port, snapshot)
}

function gatewaySteps(
  journey: Journey,
  before: readonly Step[],
  gateway: Pod,
  peer: Pod | { readonly ip: string },
  snapshot: Snapshot,
): Judged {
  const { flow, index, caller, route, next, hop } = journey
  const { tuple } = hop
  const steps = [...before, ...packetSteps(journey, 'cni-ingress', gateway, peer, snapshot)]
  if (index > 0) {
    const { unread = { what: 'a gateway behind a gateway' } } = next
    return { steps: [...steps, obstacleStep('gateway', notModelled(unread))] }
  }
  const request = requestOf(flow, caller, route, tuple.src)
  const why = whyRefused(request)
  if (why !== undefined) {
    const facts = { gateway: `Gateway/${gateway.gateway}`, ip: tuple.src, port: route.port }
    return { steps: [...steps, refusedStep('gateway', why, request, facts)] }
  }
  const ofPeer = { ip: tuple.src, ...(next.as !== undefined && { identity: next.as }) }
  const said = judgeAt('gateway', { gateway, port: route.port, peer: ofPeer, request }, snapshot)
  const sent = onward(said.decision, gateway, snapshot)
  return {
    steps: [...steps, ...said.steps.slice(0, -1), sent.step],
    ...('leg' in sent && { onward: sent.leg }),
  }
}

/** From the packet's arrival at the destination's node to the app. */
function stepsAtPod(journey: Journey, pod: Pod, peer: Pod | { readonly ip: string }, snapshot: Snapshot): Step[] {
  const { flow, protocol, caller, route, next, hop } = journey
  const { tuple } = hop
  const captured = isCaptured(caller)
  const steps = [...packetSteps(journey, 'cni-ingress', pod, peer, snapshot)]
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
export function isCaptured(caller: Caller): boolean {
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
