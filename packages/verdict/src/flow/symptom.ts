import type { Symptom } from '../symptoms.js'
import type { Step } from '../types.js'

/**
 * What the client sees of a step that stops it (semantics D.1). `captured`: the client is in the mesh, so its own
 * ztunnel accepts every connection first and closes it when it learns better. A step that cannot say stops it too:
 * the data plane fails closed.
 */
export function symptomOf(step: Pick<Step, 'point' | 'code' | 'outcome'>, captured: boolean): Symptom {
  if (step.outcome === 'allow' || step.outcome === 'not-applicable') return 'ok'
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
    default:
      // A dropped packet is never answered; a proxy that refuses closes what it had accepted.
      if (step.point === 'cni-egress' || step.point === 'cni-ingress') return captured ? 'late-reset' : 'timeout'
      return 'reset'
  }
}
