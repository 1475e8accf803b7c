import { CelError } from '../errors.js'
import { define } from '../registry.js'
import { Duration, Timestamp } from '../time.js'
import { Double, int, isList, none, Optional, read, sizeOf, TypeValue, typeName, Uint } from '../values.js'

/* What CEL itself has: conversions, sizes, types, optionals (cel-spec, langdef.md "Standard definitions"). */

const TIMESTAMP = 'google.protobuf.Timestamp'
const DURATION = 'google.protobuf.Duration'
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

export function codePoints(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

function conversion(from: string, to: string): CelError {
  return new CelError(`type conversion error from '${from}' to '${to}'`)
}

for (const name of ['size', '.size']) {
  define(name, ['string'], 'int', ([text]) => BigInt(codePoints(text)))
  define(name, ['bytes'], 'int', ([bytes]) => BigInt(bytes.length))
  define(name, ['list'], 'int', ([list]) => BigInt(list.length))
  define(name, ['map'], 'int', ([map]) => BigInt(sizeOf(map)))
}

define('type', ['dyn'], 'type', ([value]) => new TypeValue(typeName(value)))
define('dyn', ['dyn'], 'dyn', ([value]) => value)

define('int', ['int'], 'int', ([value]) => value)
define('int', ['uint'], 'int', ([{ value }]) => int(value))
define('int', ['double'], 'int', ([{ value }]) => {
  if (!Number.isFinite(value) || Math.abs(value) >= 2 ** 63) throw new CelError('integer overflow')
  return int(BigInt(Math.trunc(value)))
})
define('int', ['string'], 'int', ([text]) => {
  if (!/^[+-]?[0-9]{1,20}$/.test(text)) throw conversion('string', 'int')
  return int(BigInt(text.replace('+', '')))
})
define('int', [TIMESTAMP], 'int', ([time]) => BigInt(Math.floor((time as Timestamp).at().getTime() / 1000)))
define('int', [DURATION], 'int', ([span]) => (span as Duration).nanos)

define('uint', ['uint'], 'uint', ([value]) => value)
define('uint', ['int'], 'uint', ([value]) => new Uint(value))
define('uint', ['double'], 'uint', ([{ value }]) => {
  if (!Number.isFinite(value) || value < 0 || value >= 2 ** 64) throw new CelError('unsigned integer overflow')
  return new Uint(BigInt(Math.trunc(value)))
})
define('uint', ['string'], 'uint', ([text]) => {
  if (!/^[0-9]{1,20}$/.test(text)) throw conversion('string', 'uint')
  return new Uint(BigInt(text))
})

define('double', ['double'], 'double', ([value]) => value)
define('double', ['int'], 'double', ([value]) => new Double(Number(value)))
define('double', ['uint'], 'double', ([{ value }]) => new Double(Number(value)))
define('double', ['string'], 'double', ([text]) => {
  const named = {
    NaN: Number.NaN,
    Inf: Infinity,
    '+Inf': Infinity,
    Infinity,
    '-Inf': -Infinity,
    '-Infinity': -Infinity,
  }
  if (Object.hasOwn(named, text)) return new Double(named[text as keyof typeof named])
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) throw conversion('string', 'double')
  return new Double(Number(text))
})

define('bool', ['bool'], 'bool', ([value]) => value)
define('bool', ['string'], 'bool', ([text]) => {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false
  throw conversion('string', 'bool')
})

/** As Go's shortest form of a double, `%g`. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-4 || size >= 1e21)) {
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
  }
  return Object.is(value, -0) ? '-0' : String(value)
}

define('string', ['string'], 'string', ([text]) => text)
define('string', ['bool'], 'string', ([value]) => String(value))
define('string', ['int'], 'string', ([value]) => String(value))
define('string', ['uint'], 'string', ([{ value }]) => String(value))
define('string', ['double'], 'string', ([{ value }]) => doubleText(value))
define('string', ['bytes'], 'string', ([bytes]) => {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new CelError('invalid UTF-8 in bytes, cannot convert to string')
  }
})
define('string', [TIMESTAMP], 'string', ([time]) => String(time))
define('string', [DURATION], 'string', ([span]) => String(span))

define('bytes', ['bytes'], 'bytes', ([bytes]) => bytes)
define('bytes', ['string'], 'bytes', ([text]) => encoder.encode(text))

define('timestamp', [TIMESTAMP], TIMESTAMP, ([time]) => time)
define('timestamp', ['string'], TIMESTAMP, ([text]) => Timestamp.parse(text))
define('timestamp', ['int'], TIMESTAMP, ([seconds]) => new Timestamp(seconds * 1_000_000_000n))
define('duration', [DURATION], DURATION, ([span]) => span)
define('duration', ['string'], DURATION, ([text]) => Duration.parse(text))
define('duration', ['int'], DURATION, ([nanos]) => new Duration(nanos))

const DAY = 86_400_000
const parts: Readonly<Record<string, (date: Date) => number>> = {
  getFullYear: (date) => date.getUTCFullYear(),
  getMonth: (date) => date.getUTCMonth(),
  getDate: (date) => date.getUTCDate(),
  getDayOfMonth: (date) => date.getUTCDate() - 1,
  getDayOfWeek: (date) => date.getUTCDay(),
  getDayOfYear: (date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY),
  getHours: (date) => date.getUTCHours(),
  getMinutes: (date) => date.getUTCMinutes(),
  getSeconds: (date) => date.getUTCSeconds(),
  getMilliseconds: (date) => date.getUTCMilliseconds(),
}
for (const [name, part] of Object.entries(parts)) {
  define(`.${name}`, [TIMESTAMP], 'int', ([time]) => BigInt(part((time as Timestamp).at())))
  define(`.${name}`, [TIMESTAMP, 'string'], 'int', ([time, zone]) => BigInt(part((time as Timestamp).at(zone))))
}
const spans = { getHours: 3_600_000_000_000n, getMinutes: 60_000_000_000n, getSeconds: 1_000_000_000n }
for (const [name, size] of Object.entries(spans)) {
  define(`.${name}`, [DURATION], 'int', ([span]) => (span as Duration).nanos / size)
}
define('.getMilliseconds', [DURATION], 'int', ([span]) => ((span as Duration).nanos / 1_000_000n) % 1000n)

define('optional.of', ['dyn'], 'optional_type', ([value]) => new Optional(value))
define('optional.none', [], 'optional_type', () => none)
define('optional.ofNonZeroValue', ['dyn'], 'optional_type', ([value]) => (isZero(value) ? none : new Optional(value)))
define('.hasValue', ['optional_type'], 'bool', ([{ value }]) => value !== undefined)
define('.value', ['optional_type'], 'dyn', ([{ value }]) => {
  if (value === undefined) throw new CelError('optional.none() dereference')
  return value
})
define('.first', ['list'], 'optional_type', ([list]) => (list.length === 0 ? none : new Optional(read(list[0]))))
define('.last', ['list'], 'optional_type', ([list]) => (list.length === 0 ? none : new Optional(read(list.at(-1)))))

function isZero(value: unknown): boolean {
  if (value === null || value === false || value === '' || value === 0n) return true
  if (value instanceof Double) return value.value === 0
  if (value instanceof Uint) return value.value === 0n
  if (isList(value) || value instanceof Uint8Array) return value.length === 0
  return typeName(value) === 'map' && sizeOf(value as Map<unknown, unknown>) === 0
}
