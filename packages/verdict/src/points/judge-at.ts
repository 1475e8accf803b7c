import type { JudgeAt, Snapshot } from '../api.js'
import type { EvidenceAt, VerdictAt } from '../types.js'
import { judgeCni } from './cni.js'
import { judgeGateway } from './gateway/judge.js'
import { judgeWaypoint } from './waypoint/judge.js'
import { judgeZtunnel } from './ztunnel/judge.js'

const points: { [P in keyof EvidenceAt]: (evidence: EvidenceAt[P], snapshot: Snapshot) => VerdictAt[P] } = {
  waypoint: judgeWaypoint,
  gateway: judgeGateway,
  ztunnel: judgeZtunnel,
  'cni-egress': (evidence, snapshot) => judgeCni('cni-egress', evidence, snapshot),
  'cni-ingress': (evidence, snapshot) => judgeCni('cni-ingress', evidence, snapshot),
}

/** What one enforcement point says of what it could have learned. Pure: the same evidence, the same answer. */
export const judgeAt: JudgeAt = (point, evidence, snapshot) => points[point](evidence, snapshot)
