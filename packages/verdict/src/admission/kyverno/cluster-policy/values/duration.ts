/*
 * Durations as Go writes them: `1h30m`, `1.5s`, `-2ms`. In nanoseconds.
 */

const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}
const longest = (1n << 63n) - 1n
const part = /(\d+)?(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/gy

export const NANOSECONDS_PER_SECOND = 1_000_000_000n

/** undefined: no duration. One that does not fit into 64 bits is none either. */
export function parseDuration(text: string): bigint | undefined {
  if (text.length > 100) return undefined
  const negative = text.startsWith('-')
  const rest = negative || text.startsWith('+') ? text.slice(1) : text
  if (rest === '0') return 0n
  let [sum, end] = [0n, 0]
  part.lastIndex = 0
  while (end < rest.length) {
    const found = part.exec(rest)
    if (found === null) return undefined
    const [, whole = '', fraction = '', unit = ''] = found
    if (whole === '' && fraction === '') return undefined
    const size = units[unit] ?? 0n
    sum += BigInt(whole === '' ? '0' : whole) * size
    if (fraction !== '') sum += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length)
    if (sum > longest) return undefined
    end = part.lastIndex
  }
  return end === 0 ? undefined : negative ? -sum : sum
}

/** As Go prints it: `1h30m0s`, `1.5s`, `0s`. */
export function formatDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s'
  const sign = nanoseconds < 0n ? '-' : ''
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds
  if (size < 1_000n) return `${sign}${size}ns`
  if (size < 1_000_000n) return `${sign}${decimal(size, 1_000n)}µs`
  if (size < NANOSECONDS_PER_SECOND) return `${sign}${decimal(size, 1_000_000n)}ms`
  const [hours, minutes] = [size / 3_600_000_000_000n, (size / 60_000_000_000n) % 60n]
  const seconds = `${decimal(size % 60_000_000_000n, NANOSECONDS_PER_SECOND)}s`
  return `${sign}${hours > 0n ? `${hours}h` : ''}${hours > 0n || minutes > 0n ? `${minutes}m` : ''}${seconds}`
}

function decimal(value: bigint, unit: bigint): string {
  const fraction = (value % unit)
    .toString()
    .padStart(unit.toString().length - 1, '0')
    .replace(/0+$/, '')
  return fraction === '' ? `${value / unit}` : `${value / unit}.${fraction}`
}
