/*
 * Values as Go prints and reads them, where Kyverno's answers and comparisons hold such text.
 */

const MAX_DEPTH = 200

/** `%v`: `map[a:1 b:[x y]]`, `<nil>`. */
export function goText(value: unknown, depth = 0): string {
  if (value === null || value === undefined) return '<nil>'
  if (typeof value === 'number') return goNumber(value)
  if (typeof value !== 'object') return String(value)
  if (depth > MAX_DEPTH) return '...'
  if (Array.isArray(value)) return `[${value.map((item: unknown) => goText(item, depth + 1)).join(' ')}]`
  const pairs = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `map[${pairs.map(([key, item]) => `${key}:${goText(item, depth + 1)}`).join(' ')}]`
}

/** An integer is one of Go's int64; anything else a float64 in its shortest form. */
export function goNumber(value: number): string {
  if (Number.isSafeInteger(value)) return String(value)
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e')
  const power = Number(exponent)
  if (power >= -4 && power < 21) return Number.isInteger(value) ? BigInt(value).toString() : String(value)
  return `${mantissa}e${exponentText(power)}`
}

/** `FormatFloat(v, 'E', -1, 64)`: `1.5E+00`. */
export function goScientific(value: number): string {
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e')
  return `${mantissa}E${exponentText(Number(exponent))}`
}

function exponentText(power: number): string {
  return `${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}

/** `%f`: six decimals. */
export function goFixed(value: number): string {
  return value.toFixed(6)
}

/** What `%T` says of a value that was read from JSON. */
export function goType(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'object') return 'map[string]interface {}'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return typeof value === 'boolean' ? 'bool' : 'string'
}

/** `ParseInt(text, 10, 64)`. */
export function goInteger(text: string): bigint | undefined {
  if (text.length > 32 || !/^[+-]?\d+$/.test(text)) return undefined
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text)
  return value >= -(1n << 63n) && value < 1n << 63n ? value : undefined
}

/** `ParseFloat(text, 64)`, without its hexadecimal and underscored forms. */
export function goFloat(text: string): number | undefined {
  if (/^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(text)) {
    const value = Number(text)
    return Number.isFinite(value) ? value : undefined
  }
  return undefined
}
