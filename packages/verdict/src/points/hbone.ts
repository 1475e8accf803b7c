import type { ReasonCode } from '../reasons.js'
import type { ForgedCertificate, Pod, Step } from '../types.js'

const codes: Readonly<Record<ForgedCertificate, ReasonCode>> = {
  none: 'hbone.no-certificate',
  'self-signed': 'hbone.untrusted-certificate',
  'other-domain': 'hbone.untrusted-certificate',
  expired: 'hbone.expired-certificate',
  stolen: 'hbone.stolen-certificate',
}

/** What a pod's HBONE port says to a certificate that is not the caller's own. The mesh refuses it, no layer does. */
export function hboneStep(certificate: ForgedCertificate, destination: Pod): Step {
  return {
    hop: 0,
    point: 'ztunnel',
    engine: 'istio',
    outcome: 'deny',
    code: codes[certificate],
    facts: { pod: destination.workload, certificate },
  }
}
