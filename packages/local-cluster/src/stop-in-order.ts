import { setTimeout as delay } from 'node:timers/promises'
import type { MeshApi } from '@bulkhead/mesh'

/** Who calls whom: keys of pods. */
export interface Call {
  readonly from: string
  readonly to: string
}

/** Something that calls others and is to end. */
export interface Stoppable {
  readonly key: string
  stop(graceMs?: number): Promise<void>
}

/** A pod that does not keep its connections shows by the ended ones that it calls another. */
const recentMs = 2000
const defaultPatienceMs = 20_000

/** The calls that are under way, or were a moment ago. */
export function callsOf(mesh: Pick<MeshApi, 'calls' | 'flows'>): readonly Call[] {
  const from = Date.now() - recentMs
  const recent = mesh.flows().flatMap(({ source, destination, outcome, start, durationMs }) => {
    const ended = Date.parse(start) + durationMs
    if (outcome !== 'allow' || ended < from || source.pod === undefined || destination.pod === undefined) return []
    return [{ from: source.pod, to: destination.pod }]
  })
  return [...mesh.calls(), ...recent]
}

/**
 * Ends all of them, callers first. A service that ends answers what it has taken in, and for that it needs those that it
 * calls: were all told at once, the answers would be failures. Kubernetes has no such order, nor does it end a whole
 * namespace at a key press.
 *
 * @param graceMs bounds what each may take.
 * @param patienceMs after this nobody waits for its callers, lest a chain of stuck ones ends one grace period after the
 * other.
 */
export async function stopInOrder(
  all: readonly Stoppable[],
  calls: () => readonly Call[],
  graceMs?: number,
  patienceMs = defaultPatienceMs,
): Promise<void> {
  const left = new Map(all.map((one) => [one.key, one]))
  const ending: Promise<void>[] = []
  const patience = new AbortController()
  const impatient = delay(patienceMs, undefined, { signal: patience.signal }).then(
    () => true,
    () => false,
  )
  let hurry = false
  while (left.size > 0) {
    const called = new Set<string>()
    for (const { from, to } of calls()) if (from !== to && left.has(from)) called.add(to)
    const uncalled = [...left.values()].filter(({ key }) => !called.has(key))
    // Those that call each other in a circle have no first.
    const next: readonly Stoppable[] = hurry || uncalled.length === 0 ? [...left.values()] : uncalled
    for (const { key } of next) left.delete(key)
    const ended = Promise.all(next.map((one) => one.stop(graceMs)))
    ending.push(ended.then(() => undefined))
    hurry = await Promise.race([ended.then(() => false), impatient])
  }
  patience.abort()
  await Promise.all(ending)
}
