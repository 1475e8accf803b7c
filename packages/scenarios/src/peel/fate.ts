import type { ScenarioResult, View } from '../result.js'
import type { Fate } from './types.js'

/** What a view comes to. @param because why it is unknown, where it is */
export function fateOf(view: View, differences: readonly string[]): Fate {
  if (view.outcome === 'through') return { outcome: 'through', differences }
  if (view.outcome === 'stopped') return { outcome: 'stopped', by: layersOf(view), differences }
  return { outcome: 'unknown', because: view.reason?.code ?? 'the engine does not know', differences }
}

/** The layer that decides; those of all policies that isolate, when a default deny is of several. */
function layersOf({ reason }: View): readonly string[] {
  if (reason === undefined) return []
  if (reason.layer !== undefined) return [reason.layer]
  return [...new Set(reason.policies.flatMap(({ layer }) => layer ?? []))].sort()
}

/** What a scenario that was run came to. */
export function fateOfResult({ status, observed, because = '', differences }: ScenarioResult): Fate {
  if (status === 'not-observed') return { outcome: 'unknown', because, differences }
  if (observed === undefined) return { outcome: 'not-tried', because, differences }
  return fateOf(observed, differences)
}
