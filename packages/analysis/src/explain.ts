import { type Flow, judge, type Snapshot, type Verdict } from '@bulkhead/verdict'
import { smallestFix } from './fix/fix.js'
import type { Fix } from './fix/types.js'

/** One flow judged, and for a denied one the smallest change that would allow it, where the engine confirms one. */
export interface Explanation {
  readonly verdict: Verdict
  readonly fix?: Fix
}

/**
 * What a person asks of one flow.
 * @throws {FlowError} for a flow that names nothing real
 */
export function explain(flow: Flow, snapshot: Snapshot): Explanation {
  const verdict = judge(flow, snapshot)
  const fix = verdict.outcome === 'deny' ? smallestFix(flow, snapshot) : undefined
  return { verdict, ...(fix !== undefined && { fix }) }
}
