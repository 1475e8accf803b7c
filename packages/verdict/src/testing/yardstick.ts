/*
 * Test code: how long something takes. How fast this machine is at the moment is none of the engine's: counted is the
 * processor's time of the best of many rounds, in units of a yardstick that is measured between them. A bound is told for
 * a machine of which a yardstick takes YARDSTICK_US.
 */

const YARDSTICK_US = 4_500

/** Plain work of the kind that the engine does, without any of its code: maps, strings, small objects. */
function yardstick(): void {
  const seen = new Map<string, { readonly key: string; readonly parts: readonly string[] }>()
  for (let n = 0; n < 10_000; n++) {
    const key = `ns-${n % 97}/pod-${n % 1009}`
    if (!seen.has(key)) seen.set(key, { key, parts: key.split('/') })
  }
  if (seen.size === 0) throw new RangeError('it was optimised away')
}

/** Microseconds that the work takes where a yardstick takes YARDSTICK_US. */
export function best(rounds: number, work: () => void): number {
  let [least, unit] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let round = 0; round < rounds; round++) {
    unit = Math.min(unit, cost(yardstick))
    least = Math.min(least, cost(work))
  }
  return (least / unit) * YARDSTICK_US
}

/** In microseconds. */
function cost(work: () => void): number {
  const start = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(start)
  return user + system
}

for (let warm = 0; warm < 200; warm++) yardstick()
