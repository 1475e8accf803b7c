import { kubectl } from './causes.js'
import type { Report, ScenarioResult } from './result.js'
import type { Witness } from './types.js'

/**
 * A kind of witness that a run on a cluster needed and never heard. One stop that nobody says is a line that came too late, or has no
 * words; where a whole kind is silent, nothing shows that its walls are what stopped anything.
 */
export interface SilentWitness {
  readonly by: readonly Witness[]
  /** What was stopped where that kind should say so. */
  readonly attempts: number
  /** Its records could not be read, at any of them. */
  readonly unread: boolean
  /** A sentence. */
  readonly says: string
  /** What to look at, and with which command. */
  readonly look: string
}

interface Kind {
  readonly name: string
  readonly by: readonly Witness[]
  /** Whose walls it speaks for. */
  readonly layers: readonly string[]
  readonly look: string
}

const kinds: readonly Kind[] = [
  {
    name: 'the API server',
    by: ['api-server', 'kyverno'],
    layers: ['10-admission'],
    look: `whether its refusals come with words: ${kubectl} create -f k8s/layers/10-admission/disallow-root-user/bad.yaml --dry-run=server`,
  },
  {
    name: 'Cilium (Hubble)',
    by: ['hubble'],
    layers: ['20-network', '30-cilium'],
    look: `Hubble is off, or its agents do not answer: ${kubectl} exec -n kube-system ds/cilium -c cilium-agent -- hubble observe --last 5`,
  },
  {
    name: 'ztunnel',
    by: ['ztunnel'],
    layers: ['40-mtls', '50-identity'],
    look: `its access log is off, or cannot be read: ${kubectl} logs -n istio-system ds/ztunnel --tail 5`,
  },
  {
    name: 'the waypoints and gateways',
    by: ['waypoint', 'gateway'],
    layers: ['60-requests', '70-ingress'],
    look: `their access log is off (accessLogFile), or cannot be read: ${kubectl} get configmap -n istio-system istio -o yaml`,
  },
]

/** Fewer may all be of those of which a log has no line in time. With every layer on few calls come as far as ztunnel refuses. */
const enough = 3

/** The kinds of witness that were needed in this run and said nothing; none on the local target, which has records of its own. */
export function silentWitnesses({ target, results }: Pick<Report, 'target' | 'results'>): readonly SilentWitness[] {
  if (target === 'local') return []
  return kinds.flatMap((kind) => {
    const needing = results.filter((result) => needs(result, kind))
    const unread = needing.length > 0 && needing.every((result) => isUnread(result, kind))
    if (results.some((result) => spoke(result, kind)) || (needing.length < enough && !unread)) return []
    return [
      { by: kind.by, attempts: needing.length, unread, says: sentence(kind, needing.length, unread), look: kind.look },
    ]
  })
}

/** It was stopped by a wall of that kind's, and nobody else says why. */
function needs({ expected, observed, sightings = [] }: ScenarioResult, { layers }: Kind): boolean {
  const layer = expected.reason?.layer
  const stopped = expected.outcome === 'stopped' && observed?.outcome === 'stopped'
  const said = sightings.some(({ outcome, code }) => outcome === 'deny' && code?.startsWith('network.') === false)
  return stopped && layer !== undefined && layers.includes(layer) && !said
}

/** What the API server answers is no line of a log. */
function spoke({ observed, sightings = [] }: ScenarioResult, { by }: Kind): boolean {
  const answered = by.includes('api-server') && (observed?.message ?? '') !== ''
  return answered || sightings.some((sighting) => by.includes(sighting.by))
}

const isUnread = ({ unread = [] }: ScenarioResult, { by }: Kind): boolean => by.some((one) => unread.includes(one))

function sentence({ name }: Kind, attempts: number, unread: boolean): string {
  const of = attempts === 1 ? 'the one attempt' : `${attempts} attempts`
  return `${name} said nothing of ${of} that should have been stopped there${unread ? ': what it records could not be read' : ''}; nothing shows that this wall was what stopped them`
}
