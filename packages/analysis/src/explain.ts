import { type Flow, judge, type Snapshot, type Verdict } from '@bulkhead/verdict'
import { type Proposal, proposeFix } from './fix/fix.js'

/**
 * One flow judged, and for a denied one the smallest change that would allow it, where the engine confirms one, or why
 * there is none.
 */
export interface Explanation extends Proposal {
  readonly verdict: Verdict
}

/**
 * What a person asks of one flow.
 * @throws {FlowError} for a flow that names nothing real
 */
export function explain(flow: Flow, snapshot: Snapshot): Explanation {
  const verdict = judge(flow, snapshot)
  return { verdict, ...(verdict.outcome === 'deny' && proposeFix(flow, snapshot)) }
}
