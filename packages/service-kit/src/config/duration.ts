const UNIT_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3, // U+00B5, the micro sign
  μs: 1e3, // U+03BC, the Greek letter: keyboards give either
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
}
const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y

/**
 * Reads a duration as Go's `time.ParseDuration` does: `30s`, `1m2.5s`, `-1.5h`, `300µs`, and `0` alone.
 * @returns nanoseconds, rounded to a whole number
 * @throws RangeError with the reason, without the text (it may be a secret's neighbour in a log)
 */
export function parseDurationNs(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1
  const rest = /^[+-]/.test(text) ? text.slice(1) : text
  if (rest === '0') return 0
  if (rest === '') throw new RangeError('a duration is a number and a unit, as in 30s, 1m2.5s or 250ms')
  let total = 0
  PART.lastIndex = 0
  while (PART.lastIndex < rest.length) {
    const part = PART.exec(rest)
    if (part === null) throw new RangeError('a duration is a number and a unit, as in 30s, 1m2.5s or 250ms')
    total += Number(part[1]) * (UNIT_NS[part[2] ?? ''] ?? Number.NaN)
  }
  // Above this a double no longer counts nanoseconds: 104 days, longer than any timeout is meant to be.
  if (total > Number.MAX_SAFE_INTEGER) throw new RangeError('the longest duration is 2501h')
  return sign * Math.round(total) || 0
}

/** Writes nanoseconds as Go's `Duration.String()`: `0s`, `999ns`, `198.86µs`, `19.401949ms`, `1m2.5s`, `1h0m0s`. */
export function formatDurationNs(nanoseconds: number): string {
  const sign = nanoseconds < 0 ? '-' : ''
  const ns = Math.abs(Math.round(nanoseconds))
  if (ns === 0) return '0s'
  if (ns < 1e3) return `${sign}${ns}ns`
  if (ns < 1e6) return `${sign}${withFraction(Math.floor(ns / 1e3), ns % 1e3, 3)}µs`
  if (ns < 1e9) return `${sign}${withFraction(Math.floor(ns / 1e6), ns % 1e6, 6)}ms`
  const seconds = Math.floor(ns / 1e9)
  const tail = `${withFraction(seconds % 60, ns % 1e9, 9)}s`
  if (seconds < 60) return sign + tail
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${sign}${minutes}m${tail}`
  return `${sign}${Math.floor(minutes / 60)}h${minutes % 60}m${tail}`
}

/** `whole.fraction` without trailing zeros; `fraction` counts units of 10^-digits. */
function withFraction(whole: number, fraction: number, digits: number): string {
  if (fraction === 0) return String(whole)
  const text = String(fraction).padStart(digits, '0')
  let end = digits
  while (text.charCodeAt(end - 1) === 48) end--
  return `${whole}.${text.slice(0, end)}`
}
