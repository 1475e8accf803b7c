import type { Resource } from '@bulkhead/resources'
import type { Snapshot } from '../api.js'
import { judge } from '../flow/judge.js'
import { compile } from '../model/compile.js'
import type { Flow, FlowDestination, FlowSource, Verdict } from '../types.js'
import { ambient, namespace, service, workload } from './objects.js'

/*
 * Test code: the topology of the golden vectors. `app` and `other` are in the mesh, `plain` is not. `app/dst` is called
 * on 8080 (80 on its Service), 8081, 9090 and 18080.
 */

const ports = [8080, 8081, 9090, 18080].map((containerPort) => ({ containerPort }))

export const scene: readonly Resource[] = [
  ambient('app'),
  ambient('other'),
  namespace('plain'),
  namespace('istio-system'),
  workload('app/src'),
  workload('app/src2'),
  workload('app/dst', { ports }),
  workload('app/uncaptured', { ports, labels: { app: 'uncaptured', 'istio.io/dataplane-mode': 'none' } }),
  workload('other/src'),
  workload('plain/src'),
  service('app/dst', { port: 80, targetPort: 8080 }),
]

export const src: FlowSource = { workload: 'app/src' }
export const plain: FlowSource = { workload: 'plain/src' }
export const outside: FlowSource = { external: '203.0.113.7' }
export const dst: FlowDestination = { workload: 'app/dst' }
/** Selects app/dst. */
export const onDst = { matchLabels: { app: 'dst' } }
export const srcPrincipal = 'cluster.local/ns/app/sa/src'

export function snapshotWith(...more: readonly Resource[]): Snapshot {
  return compile([...scene, ...more])
}

/** The verdict on one flow to app/dst:8080 beside these policies. */
export function verdict(
  policies: readonly Resource[],
  from: FlowSource,
  to: FlowDestination = dst,
  port = 8080,
  rest: Partial<Flow> = {},
): Verdict {
  return judge({ from, to, port, ...rest }, snapshotWith(...policies))
}

/** What decided: outcome, symptom, and the code of the deciding step (of the last one when nothing denies). */
export function short(of: Verdict): { outcome: string; symptom: string; code: string } {
  const unknown = of.steps.find((step) => step.outcome === 'unknown')
  const deciding = of.decidedBy === undefined ? (unknown ?? of.steps.at(-1)) : of.steps[of.decidedBy.step]
  return { outcome: of.outcome, symptom: of.symptom, code: deciding?.code ?? 'none' }
}
