import { CelError } from '../errors.js'
import type { Frame } from '../frame.js'
import { define } from '../registry.js'
import { Duration, Timestamp } from '../time.js'
import {
  CelValue,
  compareStrings,
  Double,
  entry,
  isList,
  isMap,
  keysOf,
  none,
  Optional,
  read,
  TypeValue,
  typeName,
  Uint,
} from '../values.js'
import { doubleText } from './core.js'

/* `'%s has %d'.format([...])` of cel-go's ext.Strings, and Kubernetes' format library. */

const verb = /%(%|(?:\.(\d{1,3}))?([sdfexXob]))/g
const MAX_DEPTH = 100

define('.format', ['string', 'list'], 'string', ([text, args], frame) => {
  let next = 0
  const made = text.replace(verb, (_found, sign: string, precision: string | undefined, kind: string | undefined) => {
    if (sign === '%' || kind === undefined) return '%'
    if (next >= args.length) throw new CelError(`index ${next} out of range`)
    const value = formatted(kind, precision === undefined ? 6 : Number(precision), read(args[next++]), frame)
    frame.budget.text(value.length)
    return value
  })
  if (/%(?![%sdfexXob.])/.test(text.replaceAll('%%', ''))) {
    throw new CelError('could not parse formatting clause: unrecognized formatting clause')
  }
  frame.budget.text(made.length)
  return made
})

function formatted(kind: string, precision: number, value: unknown, frame: Frame): string {
  switch (kind) {
    case 's':
      return shown(value, frame, 0)
    case 'd':
      if (typeof value === 'bigint') return String(value)
      if (value instanceof Uint) return String(value.value)
      if (value instanceof Double && !Number.isFinite(value.value)) return doubleName(value.value)
      throw wrong('decimal', value)
    case 'f':
      return fixed(value, precision)
    case 'e':
      return scientific(value, precision)
    case 'b':
      if (typeof value === 'boolean') return value ? '1' : '0'
      return whole('binary', value).toString(2)
    case 'o':
      return whole('octal', value).toString(8)
    default: {
      const text = hexadecimal(value)
      return kind === 'X' ? text.toUpperCase() : text
    }
  }
}

function wrong(clause: string, value: unknown): CelError {
  return new CelError(`error during formatting: ${clause} clause cannot be used on ${typeName(value)}`)
}

function whole(clause: string, value: unknown): bigint {
  if (typeof value === 'bigint') return value
  if (value instanceof Uint) return value.value
  throw wrong(clause, value)
}

function real(clause: string, value: unknown): number {
  if (value instanceof Double) return value.value
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Uint) return Number(value.value)
  throw wrong(clause, value)
}

function doubleName(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity'
}

function fixed(value: unknown, precision: number): string {
  const number = real('fixed-point', value)
  return Number.isFinite(number) ? evenly(number, Math.min(precision, 100)) : doubleName(number)
}

/** A half goes to the even digit, as in Go. */
function evenly(number: number, precision: number): string {
  const scaled = Math.abs(number) * 10 ** Math.min(precision, 15)
  const even = scaled % 1 === 0.5 && scaled < 2 ** 50 && Math.floor(scaled) % 2 === 0
  const near = even ? Math.sign(number) * (Math.floor(scaled) / 10 ** Math.min(precision, 15)) : number
  return near.toFixed(precision)
}

function scientific(value: unknown, precision: number): string {
  const number = real('scientific', value)
  if (!Number.isFinite(number)) return doubleName(number)
  return number.toExponential(Math.min(precision, 100)).replace(/e([+-])(\d)$/, 'e$10$2')
}

const encoder = new TextEncoder()

function hexadecimal(value: unknown): string {
  const bytes = typeof value === 'string' ? encoder.encode(value) : value
  if (bytes instanceof Uint8Array) return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return whole('hex', value).toString(16)
}

/** `%s`: strings as they are, lists and maps with what is in them. */
function shown(value: unknown, frame: Frame, depth: number): string {
  frame.budget.spend(1)
  if (depth > MAX_DEPTH) throw new CelError('error during formatting: a value is nested too deeply')
  if (typeof value === 'string') return value
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (value === null || value === undefined) return 'null'
  if (value instanceof Double) return Number.isFinite(value.value) ? doubleText(value.value) : doubleName(value.value)
  if (value instanceof Uint) return String(value.value)
  if (value instanceof Uint8Array) return new TextDecoder().decode(value)
  if (value instanceof TypeValue) return value.name
  if (isList(value)) return `[${value.map((item) => shown(read(item), frame, depth + 1)).join(', ')}]`
  if (isMap(value)) {
    const pairs = keysOf(value).map(
      (key) => [shown(key, frame, depth + 1), shown(entry(value, key), frame, depth + 1)] as const,
    )
    return `{${pairs
      .sort(([a], [b]) => compareStrings(a, b))
      .map(([key, item]) => `${key}: ${item}`)
      .join(', ')}}`
  }
  if (value instanceof CelValue && (value instanceof Timestamp || value instanceof Duration)) return String(value)
  throw new CelError(
    `error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given ${typeName(value)}`,
  )
}

/** Kubernetes' named formats. `validate` is none for what fits, else the list of what does not. */
class Format extends CelValue {
  readonly type = 'kubernetes.NamedFormat'
  readonly name: string
  readonly #fits: RegExp
  readonly #longest: number
  constructor(name: string, fits: RegExp, longest: number) {
    super()
    this.name = name
    this.#fits = fits
    this.#longest = longest
  }
  problems(text: string): readonly string[] {
    if (text.length > this.#longest) return [`must be no more than ${this.#longest} characters`]
    return this.#fits.test(text) ? [] : [`does not match ${this.#fits.source}`]
  }
}

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const formats = [
  new Format('dns1123Label', new RegExp(`^${label}$`), 63),
  new Format('dns1123Subdomain', new RegExp(`^${label}(\\.${label})*$`), 253),
  new Format('dns1035Label', /^[a-z]([-a-z0-9]*[a-z0-9])?$/, 63),
  new Format('labelValue', /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/, 63),
  new Format('uuid', /^[0-9A-Fa-f]{8}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{12}$/, 36),
]
for (const format of formats) define(`format.${format.name}`, [], 'opaque', () => format)
define('format.named', ['string'], 'optional_type', ([name]) => {
  const format = formats.find((one) => one.name === name)
  return format === undefined ? none : new Optional(format)
})
define('.validate', ['kubernetes.NamedFormat', 'string'], 'optional_type', ([format, text]) => {
  const problems = (format as Format).problems(text)
  return problems.length === 0 ? none : new Optional(problems)
})
