import type { Random } from './random.js'

export interface TimingOptions {
  readonly p50Ms: number
  readonly p90Ms: number
  readonly p99Ms: number
  readonly variancePercent: number
  readonly random: Random
}

/** Draws how long a request is to take in all, in ms: the median for 90 of 100, then the other two percentiles, plus up to the variance. */
export function createTiming({ p50Ms, p90Ms, p99Ms, variancePercent, random }: TimingOptions): () => number {
  const ninety = p50Ms > 0 && p90Ms === 0 ? p50Ms : p90Ms
  const ninetyNine = ninety > 0 && p99Ms === 0 ? ninety : p99Ms
  if (p50Ms === 0 && ninety === 0 && ninetyNine === 0) return () => 0
  return () => {
    const extra = variancePercent > 0 ? Math.floor(random() * variancePercent) / 100 : 0
    const draw = Math.floor(random() * 100)
    const base = draw < 90 ? p50Ms : draw < 99 ? ninety : ninetyNine
    return base * (1 + extra)
  }
}
