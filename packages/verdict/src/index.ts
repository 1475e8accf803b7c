export * from './api.js'
export { type BatchLine, type BatchOptions, type VerdictBatch, verdictBatch, verdictLine } from './batch/batch.js'
export { FlowError, type FlowErrorCode, flowErrorCodes } from './flow/errors.js'
export { judge } from './flow/judge.js'
export { lookUp, type Target } from './flow/look-up.js'
export {
  type HopRequest,
  type NextHop,
  nextHop,
  type PastReason,
  type PastWaypoint,
  type WaypointHop,
} from './flow/next-hop.js'
export { hostOf } from './flow/parties.js'
export { readFlow } from './flow/read.js'
export { symptomOf } from './flow/symptom.js'
export { servedAt, walkedPast } from './flow/waypoint.js'
export * from './flow-record.js'
export { compile } from './model/compile.js'
export { CompileError } from './model/compile-error.js'
export { gatewayObjects } from './model/gateways/gateways.js'
export { istioVersion, proxyImage } from './model/gateways/proxy.js'
export { outsideAddress } from './model/outside.js'
export { hbonePort } from './points/hbone.js'
export { asReceived, connectionNames, forwardedFor, isForwarded, isHopByHop } from './points/http/edge.js'
export { whyRefused, withoutAbsoluteForm } from './points/http/refused.js'
export { asReceivedByWaypoint, isForwardedByWaypoint } from './points/http/waypoint-edge.js'
export { judgeAt } from './points/judge-at.js'
export * from './reasons.js'
export { changeHeaders } from './routes/headers.js'
export { splitPath } from './routes/path.js'
export * from './routes/types.js'
export * from './symptoms.js'
export * from './types.js'
export * from './words.js'
