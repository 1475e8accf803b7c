import type { Snapshot } from '../../api.js'
import type { GatewayEvidence, RequestVerdict } from '../../types.js'

/** A gateway's word on a request: its policies first, then its routes (Envoy's RBAC filter stands before its router). */
export function judgeGateway({ gateway }: GatewayEvidence, _snapshot: Snapshot): RequestVerdict {
  throw new Error(`no Gateway is modelled for ${gateway.key}`)
}
