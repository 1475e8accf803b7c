import { type Code, type Kind, rowOf, type State } from '../checks/codes.js'
import type { Report, Status } from './board.js'

/** One entry of `checks`. */
export interface CheckJson {
  readonly id: string
  readonly name: string
  readonly target: string
  readonly kind: Kind
  readonly state: State
  readonly code: Code
  /** The code, said for people. */
  readonly says: string
  readonly hint?: string
  /** Layers whose refusals look like this, the likeliest first. */
  readonly walls: readonly string[]
  /** The HTTP status, where there was one. */
  readonly status?: number
  readonly ms: number
  /** ISO 8601, UTC. */
  readonly since: string
}

/** The answer of GET /api/status. */
export interface StatusJson {
  /** Whether everything can be reached. */
  readonly ok: boolean
  readonly checkedAt: string
  readonly checks: readonly CheckJson[]
}

export function statusJson({ checkedAt, reports }: Status): StatusJson {
  return {
    ok: reports.every(({ state }) => state !== 'unreachable'),
    checkedAt: checkedAt.toISOString(),
    checks: reports.map(checkJson),
  }
}

export function checkJson({ check, code, state, status, ms, since }: Report): CheckJson {
  const { id, name, target, kind } = check
  const row = rowOf(code)
  const hint = row.hint?.[kind]
  return {
    id,
    name,
    target,
    kind,
    state,
    code,
    says: row.says,
    ...(hint === undefined ? {} : { hint }),
    walls: row.walls?.[kind] ?? [],
    ...(status === undefined ? {} : { status }),
    ms,
    since: since.toISOString(),
  }
}
