import type { Judge, Snapshot } from '../api.js'
import { headline } from '../messages/headline.js'
import { hboneStep } from '../points/hbone.js'
import { judgeAt } from '../points/judge-at.js'
import type { Flow, Hop, Outcome, Pod, PointVerdict, Step, Verdict } from '../types.js'
import { hbonePort, type NextHop, nextHop } from './next-hop.js'
import { type Caller, resolveSource } from './parties.js'
import { notModelled, type Obstacle, planRoute, type Route } from './route.js'
import { symptomOf } from './symptom.js'

/** The kubelet's probes arrive from here and go past ztunnel (C.8). */
const kubeletProbe = new Set(['169.254.7.127', 'fd16:9254:7127:1337:ffff:ffff:ffff:ffff'])

/**
 * Judges the whole of a flow's connection: every point on its way, in the path's order, also after a deny. The first
 * deny decides. Throws FlowError for a flow that names nothing real.
 */
export const judge: Judge = (flow, snapshot) => {
  const caller = resolveSource(flow.from, snapshot)
  const route = planRoute(flow, caller, snapshot)
  const peer = caller.kind === 'pod' ? caller.pod : { ip: caller.ip }
  const next = nextHop(
    {
      source: peer,
      destination: route.pod ?? { ip: route.address?.ip ?? '' },
      port: route.port,
      protocol: flow.protocol ?? 'TCP',
      ...(route.service && { service: route.service }),
    },
    snapshot,
  )
  const hop = describeHop(flow, caller, route, next)
  const steps = stepsOf(flow, caller, route, next, hop, snapshot)
  return verdictOf(flow, caller, route, hop, steps)
}

function stepsOf(flow: Flow, caller: Caller, route: Route, next: NextHop, hop: Hop, snapshot: Snapshot): Step[] {
  const { tuple } = hop
  if (caller.kind === 'not-modelled') return [obstacleStep('cni-egress', notModelled(caller.found))]
  if (route.loopback === true) return loopbackSteps(caller, route)
  const source = caller.kind === 'pod' ? caller.pod : undefined
  const steps: Step[] = []
  const ask = (verdict: PointVerdict): void => {
    steps.push(...verdict.steps)
  }
  const neverSent = route.before?.code === 'network.no-such-name'
  if (source !== undefined && !neverSent) {
    ask(judgeAt('cni-egress', { pod: source, peer: route.pod ?? { ip: tuple.dst }, tuple }, snapshot))
  }
  if (route.before !== undefined) return [...steps, obstacleStep('cni-egress', route.before)]
  const { pod } = route
  if (pod === undefined) return route.after === undefined ? steps : [...steps, obstacleStep('cni-egress', route.after)]

  if (next.waypoint !== undefined && flow.certificate === undefined) {
    const { name, policy, layer, at } = next.waypoint
    const by = { ...(layer !== undefined && { layer }), policy, at }
    return [
      ...steps,
      obstacleStep('waypoint', { code: 'not-modelled', outcome: 'unknown', facts: { what: `waypoint ${name}` }, by }),
    ]
  }
  ask(judgeAt('cni-ingress', { pod, peer: source ?? { ip: tuple.src }, tuple }, snapshot))
  // The caller dials the HBONE port itself: what it shows there is judged before any policy could be.
  if (flow.certificate !== undefined && pod.mesh) return [...steps, hboneStep(flow.certificate, pod)]
  // Only TCP is ztunnel's.
  if (tuple.protocol === 'TCP' && !kubeletProbe.has(tuple.src)) {
    const ofPeer = { ip: tuple.src, ...(next.as !== undefined && { identity: next.as }) }
    ask(judgeAt('ztunnel', { destination: pod, port: route.port, peer: ofPeer }, snapshot))
  }
  const after = flow.certificate === undefined ? route.after : closedHbonePort(pod)
  return after === undefined ? steps : [...steps, obstacleStep('cni-ingress', after)]
}

/** A pod that is not captured has no HBONE port. */
function closedHbonePort(pod: Pod): Obstacle {
  const facts = { what: pod.workload, port: hbonePort, has: 'no HBONE port: it is not in the mesh' }
  return { code: 'network.nothing-listens', outcome: 'deny', facts }
}

function loopbackSteps(caller: Caller, route: Route): Step[] {
  const facts = { pod: caller.name }
  const free: Step = {
    hop: 0,
    point: 'cni-egress',
    engine: 'kubernetes',
    outcome: 'not-applicable',
    code: 'network.loopback',
    facts,
  }
  return route.after === undefined ? [free] : [free, obstacleStep('cni-ingress', route.after)]
}

function obstacleStep(point: Step['point'], obstacle: Obstacle): Step {
  const engine = point === 'waypoint' ? 'istio' : 'kubernetes'
  const { code, outcome, facts, by } = obstacle
  const { layer, ...object } = by ?? {}
  return { hop: 0, point, engine, ...(layer !== undefined && { layer }), outcome, code, ...object, facts }
}

function describeHop(flow: Flow, caller: Caller, route: Route, next: NextHop): Hop {
  const from = caller.kind === 'pod' ? caller.pod.workload : caller.name
  const to = route.pod?.workload ?? route.address?.name ?? route.name
  if (flow.certificate !== undefined) {
    return { from, to, tuple: { ...next.tuple, port: hbonePort, protocol: 'TCP' } }
  }
  if (route.loopback === true) {
    const { src, protocol } = next.tuple
    return { from, to, tuple: { src, dst: src, port: route.port, protocol } }
  }
  return { from, to, tuple: next.tuple, ...(next.as !== undefined && { as: next.as }) }
}

function verdictOf(flow: Flow, caller: Caller, route: Route, hop: Hop, steps: readonly Step[]): Verdict {
  const first = steps.findIndex((step) => step.outcome === 'deny')
  const unknown = steps.find((step) => step.outcome === 'unknown')
  const outcome: Outcome = first !== -1 ? 'deny' : unknown !== undefined ? 'unknown' : 'allow'
  const deciding = steps[first] ?? unknown
  const captured = caller.kind === 'pod' && caller.pod.mesh && hop.tuple.protocol === 'TCP' && route.loopback !== true
  return {
    ...(flow.id !== undefined && { id: flow.id }),
    outcome,
    ...(first !== -1 && { decidedBy: { hop: 0, step: first } }),
    symptom: deciding === undefined ? 'ok' : symptomOf(deciding, captured),
    hops: [hop],
    steps,
    text: headline(`${caller.name} → ${route.name}:${flow.port}/${hop.tuple.protocol}`, outcome, deciding),
  }
}
