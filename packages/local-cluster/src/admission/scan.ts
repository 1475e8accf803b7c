import type { Held } from './entries.js'
import { type GateEngine, istiod } from './gate.js'
import { isPolicy } from './kinds.js'
import type { Refusal } from './refusal.js'
import { refusalOf } from './refused.js'

/**
 * What would be refused if it were created now, as a background scan reports it: policies act on requests, and not on what
 * is there.
 */
export function scanned({ admit }: Pick<GateEngine, 'admit'>, { entries, made, policies }: Held): readonly Refusal[] {
  if (policies === undefined) return []
  const found: Refusal[] = []
  const look = (held: Held['entries'], user?: typeof istiod) => {
    for (const { stored } of held.values()) {
      if (stored === undefined || isPolicy(stored)) continue
      const operation = 'CREATE'
      const admission = admit({ operation, object: stored, ...(user !== undefined && { user }) }, policies)
      const { outcome, pod } = admission
      if (outcome !== 'allow') found.push(refusalOf(stored, admission, { operation, refused: 'object', stays: true }))
      else if (pod !== undefined && pod.outcome !== 'allow')
        found.push(refusalOf(stored, pod, { operation, refused: 'pods', stays: true }))
    }
  }
  look(entries)
  look(made, istiod)
  return found
}
