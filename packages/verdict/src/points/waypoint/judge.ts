import type { Snapshot } from '../../api.js'
import type { WaypointEvidence, WaypointVerdict } from '../../types.js'
import { istioStep } from '../policy/step.js'

/** A waypoint's word on a request, or on a connection that carries none. */
export function judgeWaypoint({ waypoint }: WaypointEvidence, _snapshot: Snapshot): WaypointVerdict {
  const step = istioStep('waypoint', 'unknown', 'not-modelled', { what: `waypoint ${waypoint.workload}` })
  return { point: 'waypoint', outcome: 'unknown', steps: [step] }
}
