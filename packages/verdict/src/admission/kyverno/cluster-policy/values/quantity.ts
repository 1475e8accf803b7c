/*
 * Kubernetes' quantities (`100Mi`, `500m`, `1.5`, `2e3`), compared by value and exactly: in billionths, which is what
 * Kubernetes keeps of them.
 */

const syntax = /^([+-]?)(\d*)(?:\.(\d*))?(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|[eE][+-]?\d{1,9})?$/
const decimalExponents: Readonly<Record<string, number>> = {
  '': 0,
  n: -9,
  u: -6,
  m: -3,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
}
const binaryExponents: Readonly<Record<string, bigint>> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n }
const NANO = 1_000_000_000n
/** What does not fit into 64 bits is the largest that does, as in Kubernetes. */
const largest = ((1n << 63n) - 1n) * NANO

export type QuantityFormat = 'decimal' | 'binary' | 'exponent'

export interface Quantity {
  /** In billionths. */
  readonly nano: bigint
  readonly format: QuantityFormat
}

export function parseQuantity(text: string): Quantity | undefined {
  const found = text.length > 200 ? null : syntax.exec(text)
  if (found === null) return undefined
  const [, sign = '', whole = '', fraction = '', suffix = ''] = found
  if (whole === '' && fraction === '') return undefined
  const digits = BigInt(`${whole}${fraction}`)
  const binary = binaryExponents[suffix]
  const size =
    binary === undefined
      ? scaled(digits, exponentOf(suffix) - fraction.length)
      : divideUp((digits << binary) * NANO, 10n ** BigInt(fraction.length))
  const capped = size > largest ? largest : size
  const format = binary !== undefined ? 'binary' : /^[eE]./.test(suffix) ? 'exponent' : 'decimal'
  return { nano: sign === '-' ? -capped : capped, format }
}

function exponentOf(suffix: string): number {
  return decimalExponents[suffix] ?? Number(suffix.slice(1))
}

/** In billionths, rounded away from zero. */
function scaled(digits: bigint, exponent: number): bigint {
  if (digits === 0n) return 0n
  const power = exponent + 9
  if (power > 60) return largest
  if (power >= 0) return digits * 10n ** BigInt(power)
  return power < -300 ? 1n : divideUp(digits, 10n ** BigInt(-power))
}

function divideUp(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by
}

/** Below zero, zero or above it; undefined where one of them is no quantity. */
export function compareQuantities(one: string, other: string): number | undefined {
  const [left, right] = [parseQuantity(one), parseQuantity(other)]
  if (left === undefined || right === undefined) return undefined
  return left.nano < right.nano ? -1 : left.nano > right.nano ? 1 : 0
}

const decimalSuffixes = [
  ['E', 18],
  ['P', 15],
  ['T', 12],
  ['G', 9],
  ['M', 6],
  ['k', 3],
  ['', 0],
  ['m', -3],
  ['u', -6],
  ['n', -9],
] as const

/** The canonical form: no fraction, the largest suffix that allows that. */
export function formatQuantity({ nano, format }: Quantity): string {
  if (nano === 0n) return '0'
  const [sign, size] = nano < 0n ? ['-', -nano] : ['', nano]
  if (format === 'binary' && size % NANO === 0n && size / NANO >= 1024n) {
    for (const [suffix, power] of Object.entries(binaryExponents).reverse()) {
      const whole = size / NANO
      if (whole % (1n << power) === 0n) return `${sign}${whole >> power}${suffix}`
    }
    return `${sign}${size / NANO}`
  }
  for (const [suffix, power] of decimalSuffixes) {
    const unit = 10n ** BigInt(power + 9)
    if (size % unit === 0n)
      return `${sign}${size / unit}${format === 'exponent' ? (power === 0 ? '' : `e${power}`) : suffix}`
  }
  return `${sign}${size}n`
}
