const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 }

/**
 * A duration of Gateway API in milliseconds: up to four parts, each of at most five digits, as in `1h30m` or `500ms`
 * (GEP-2257). `undefined` for anything else, and for zero, which switches a timeout off.
 */
export function durationMs(text: string): number | undefined {
  if (!/^([0-9]{1,5}(h|m|s|ms)){1,4}$/.test(text)) return undefined
  let sum = 0
  for (const [, digits, unit] of text.matchAll(/([0-9]+)(ms|h|m|s)/g)) sum += Number(digits) * (units[unit ?? ''] ?? 0)
  return sum === 0 ? undefined : sum
}
