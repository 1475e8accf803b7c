import type { ReasonCode } from '../reasons.js'
import type { ForgedCertificate, Pod, Step } from '../types.js'

/** The port that every mesh connection arrives at. */
export const hbonePort = 15008

/** Ports that ztunnel itself listens on inside a pod (C.1). */
const ownPorts: readonly number[] = [15001, 15006, hbonePort]

const codes: Readonly<Record<ForgedCertificate, ReasonCode>> = {
  none: 'hbone.no-certificate',
  'self-signed': 'hbone.untrusted-certificate',
  'other-domain': 'hbone.untrusted-certificate',
  expired: 'hbone.expired-certificate',
  stolen: 'hbone.stolen-certificate',
}

export interface Knock {
  readonly destination: Pod
  readonly port: number
  /** What the caller shows when it dials the HBONE port itself. */
  readonly certificate: ForgedCertificate | undefined
  /** The caller is in the mesh: its own ztunnel takes every connection of its. */
  readonly captured: boolean
}

/**
 * What is said to a call of ztunnel's own ports; undefined when it is none. No layer says it, and none could allow it
 * (C.1).
 */
export function ownPortStep({ destination, port, certificate, captured }: Knock): Step | undefined {
  if (destination.waypoint !== undefined) return knockAtWaypoint(destination, port, certificate)
  if (!destination.mesh || (certificate === undefined && !ownPorts.includes(port))) return undefined
  // Of a captured caller nothing gets to the TLS of the far side: its ztunnel asks the other for a port that is not to be had.
  if (captured || (certificate === undefined && port !== hbonePort)) {
    const asked = certificate === undefined ? port : hbonePort
    return denial('hbone.own-port', { pod: destination.workload, port: asked })
  }
  // Plain text at the HBONE port shows no certificate.
  const shown = certificate ?? 'none'
  return denial(codes[shown], { pod: destination.workload, certificate: shown })
}

/**
 * A waypoint takes certificates and CONNECT, and nothing else (C.7). It is not captured: what a pod of the mesh sends to
 * its HBONE port comes there as the application wrote it.
 */
function knockAtWaypoint(
  { workload }: Pod,
  port: number,
  certificate: ForgedCertificate | undefined,
): Step | undefined {
  if (certificate === undefined && port !== hbonePort) return undefined
  const shown = certificate ?? 'none'
  return denial(codes[shown], { pod: workload, certificate: shown }, 'waypoint')
}

function denial(code: ReasonCode, facts: NonNullable<Step['facts']>, point: Step['point'] = 'ztunnel'): Step {
  return { hop: 0, point, engine: 'istio', outcome: 'deny', code, facts }
}
