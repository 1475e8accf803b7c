import type { Resource } from '@bulkhead/resources'
import { compile, type Snapshot } from '@bulkhead/verdict'
import { type Brings, type Brought, broughtBy } from './brought.js'

/** What is in force for a scenario: the layers that are on, and what it brings or takes out, before and during. */
function inForce(brings: Brings, on: readonly string[], base: readonly Resource[], brought: Brought) {
  const { given, change } = brings
  const without = new Set([...(given?.without ?? []), ...(change?.without ?? [])])
  const kept = base.filter(({ id, layer }) => (layer === undefined || on.includes(layer)) && !without.has(id))
  const own = broughtBy(brings, brought)
  // What is brought stands in the place of what has its name, as an apply puts it there.
  const names = new Set(own.map(({ id }) => id))
  return [...kept.filter(({ id }) => !names.has(id)), ...own]
}

/** Of what scenarios bring along, as much is kept as those beside each other share. */
const mostKept = 8

/**
 * Most scenarios bring nothing along, so what is in force is compiled once for each combination, and kept. What a scenario
 * brings comes after that, as on a target: a waypoint that was ready before is one that was ready once.
 */
export function snapshotsOf(
  base: readonly Resource[],
  brought: Brought,
): (scenario: Brings, on: readonly string[]) => Snapshot {
  const plain = new Map<string, Snapshot>()
  const changed = new Map<string, Snapshot>()
  return ({ given, change }, on) => {
    const layersKey = on.join()
    const previous = plain.get(layersKey) ?? compile(inForce({}, on, base, brought))
    plain.set(layersKey, previous)
    if (given === undefined && change === undefined) return previous
    const key = JSON.stringify([on, given, change])
    const snapshot = changed.get(key) ?? compile(inForce({ given, change }, on, base, brought), { previous })
    changed.set(key, snapshot)
    const [oldest] = changed.keys()
    if (oldest !== undefined && changed.size > mostKept) changed.delete(oldest)
    return snapshot
  }
}
