import type { Symptom } from '../symptoms.js'
import type { Step } from '../types.js'

/**
 * What the client sees of a step that stops it (semantics D.1). `captured`: the client is in the mesh, so its own
 * ztunnel accepts every connection first and closes it when it learns better. A step that cannot say stops it too:
 * the data plane fails closed. `hop` is the step's in the whole path: what stops a gateway or a waypoint on its way is one
 * thing to its client, whatever it was. `through`: what the first proxy on the way reads; one that reads no HTTP can only
 * close.
 */
export function symptomOf(
  step: Pick<Step, 'point' | 'code' | 'outcome'> & Partial<Pick<Step, 'hop' | 'engine' | 'facts'>>,
  captured: boolean,
  through: 'http' | 'tcp' = 'http',
): Symptom {
  if (step.outcome === 'allow' || step.outcome === 'not-applicable') {
    return step.code === 'route.redirects' ? 'redirected' : 'ok'
  }
  // A proxy that answers a gateway answers its client.
  if (step.code === 'cni.http-denied' && isRequest(step.facts?.request)) return 'cilium-403'
  const behind = (step.hop ?? 0) > 0
  if (behind && through === 'tcp') return isDropped(step) ? 'late-reset' : 'reset'
  if (step.code === 'request.refused') return 'gateway-400'
  // A waypoint that reads requests answers whom it refuses, and a gateway before it passes the answer on.
  if (step.point === 'waypoint' && step.facts?.request !== undefined) return 'rbac-403'
  if (behind) return 'gateway-503'
  if (step.point === 'gateway') return symptomAtGateway(step)
  switch (step.code) {
    case 'network.nothing-listens':
    case 'network.no-endpoint':
      return captured ? 'reset' : 'refused'
    case 'network.no-such-name':
      return 'dns-not-found'
    case 'network.unreachable':
      return captured ? 'late-reset' : 'timeout'
    case 'hbone.no-certificate':
    case 'hbone.untrusted-certificate':
    case 'hbone.expired-certificate':
    case 'hbone.stolen-certificate':
      return 'tls-refused'
    case 'cni.sni-denied':
    case 'cni.http-denied':
      return 'reset'
    case 'cni.dns-denied':
      return 'dns-refused'
    default:
      if (isCni(step) && step.facts?.query !== undefined) return 'dns-timeout'
      // A dropped packet is never answered; a proxy that refuses closes what it had accepted.
      if (isCni(step)) return captured ? 'late-reset' : 'timeout'
      return 'reset'
  }
}

/** `GET /`; what is no request is not answered. */
function isRequest(read: unknown): boolean {
  return typeof read === 'string' && /^\S+ [/*]/.test(read)
}

function isCni({ point }: Pick<Step, 'point'>): boolean {
  return point === 'cni-egress' || point === 'cni-ingress'
}

/** Nobody answers what is dropped: who dialled finds out when it gives up. What was read and refused is cut at once. */
function isDropped(step: Pick<Step, 'point' | 'code'>): boolean {
  return isCni(step) && !/^network\.|^cni\.(sni|http)-denied$/.test(step.code)
}

/** A gateway speaks HTTP: it answers whom it refuses. */
function symptomAtGateway({ code, ...step }: Pick<Step, 'code'> & { readonly engine?: Step['engine'] }): Symptom {
  switch (code) {
    case 'route.no-host':
    case 'route.no-match':
      return 'gateway-404'
    case 'route.no-backend':
      return 'gateway-500'
    case 'not-modelled':
      return step.engine === 'gateway-api' ? 'gateway-500' : 'rbac-403'
    default:
      return 'rbac-403'
  }
}
