import { CelError } from './errors.js'
import { CelValue } from './values.js'

const SECOND = 1_000_000_000n
const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: SECOND,
  m: 60n * SECOND,
  h: 3_600n * SECOND,
}
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999999Z. */
const [EARLIEST, LATEST] = [-62_135_596_800n * SECOND, 253_402_300_800n * SECOND - 1n]

/** A span of nanoseconds, as Go's time.Duration has it. */
export class Duration extends CelValue {
  readonly type = 'google.protobuf.Duration'
  readonly nanos: bigint

  constructor(nanos: bigint) {
    super()
    if (nanos < -(1n << 63n) || nanos >= 1n << 63n) throw new CelError('range error: duration overflow')
    this.nanos = nanos
  }

  /** `1h30m`, `-1.5s`. */
  static parse(text: string): Duration {
    const parts = /^([+-]?)((?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text)
    if (parts === null || text.length > 200) throw new CelError(`time: invalid duration ${JSON.stringify(text)}`)
    let nanos = 0n
    for (const [, whole = '', fraction = '', unit = ''] of (parts[2] ?? '').matchAll(
      /([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)/g,
    )) {
      const size = units[unit] ?? 0n
      nanos += BigInt(whole || '0') * size
      if (fraction !== '') nanos += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length)
    }
    return new Duration(parts[1] === '-' ? -nanos : nanos)
  }

  plus(other: Duration): Duration {
    return new Duration(this.nanos + other.nanos)
  }
  negated(): Duration {
    return new Duration(-this.nanos)
  }
  override equals(other: CelValue): boolean {
    return other instanceof Duration && other.nanos === this.nanos
  }
  compare(other: CelValue): number {
    const difference = this.nanos - (other as Duration).nanos
    return difference < 0n ? -1 : Number(difference > 0n)
  }
  /** In seconds: `3600s`, `1.5s`. */
  override toString(): string {
    const [sign, size] = this.nanos < 0n ? ['-', -this.nanos] : ['', this.nanos]
    const fraction = String(size % SECOND)
      .padStart(9, '0')
      .replace(/0+$/, '')
    return `${sign}${size / SECOND}${fraction === '' ? '' : `.${fraction}`}s`
  }
}

export class Timestamp extends CelValue {
  readonly type = 'google.protobuf.Timestamp'
  /** Since 1970-01-01T00:00:00Z. */
  readonly nanos: bigint

  constructor(nanos: bigint) {
    super()
    if (nanos < EARLIEST || nanos > LATEST) throw new CelError('range error: timestamp overflow')
    this.nanos = nanos
  }

  /** RFC 3339. */
  static parse(text: string): Timestamp {
    const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text)
    const at = parts === null ? Number.NaN : Date.parse(`${parts[1]}${parts[3]}`)
    if (parts === null || Number.isNaN(at))
      throw new CelError(`type conversion error from 'string' to 'google.protobuf.Timestamp'`)
    return new Timestamp(BigInt(at) * 1_000_000n + BigInt((parts[2] ?? '').padEnd(9, '0')))
  }

  plus(span: Duration): Timestamp {
    return new Timestamp(this.nanos + span.nanos)
  }
  since(other: Timestamp): Duration {
    return new Duration(this.nanos - other.nanos)
  }
  override equals(other: CelValue): boolean {
    return other instanceof Timestamp && other.nanos === this.nanos
  }
  compare(other: CelValue): number {
    const difference = this.nanos - (other as Timestamp).nanos
    return difference < 0n ? -1 : Number(difference > 0n)
  }
  /** In UTC, in the zone of an offset (`+02:00`), or of a name (`Europe/Berlin`): a date whose UTC fields are that zone's. */
  at(zone = 'UTC'): Date {
    const millis = Number(floor(this.nanos, 1_000_000n))
    const offset = /^([+-]?)(\d\d):(\d\d)$/.exec(zone)
    if (offset === null) return new Date(zone === 'UTC' || zone === 'Z' ? millis : inZone(millis, zone))
    const minutes = Number(offset[2]) * 60 + Number(offset[3])
    return new Date(millis + (offset[1] === '-' ? -minutes : minutes) * 60_000)
  }
  override toString(): string {
    const seconds = new Date(Number(floor(this.nanos, SECOND)) * 1000).toISOString().slice(0, 19)
    const rest = this.nanos - floor(this.nanos, SECOND) * SECOND
    const fraction = String(rest).padStart(9, '0').replace(/0+$/, '')
    return `${seconds}${fraction === '' ? '' : `.${fraction}`}Z`
  }
}

function inZone(millis: number, timeZone: string): number {
  let parts: Intl.DateTimeFormatPart[]
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    parts = format.formatToParts(new Date(millis))
  } catch {
    throw new CelError(`unknown time zone ${timeZone}`)
  }
  const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value ?? 0)
  const local = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'))
  return local + (((millis % 1000) + 1000) % 1000)
}

function floor(value: bigint, by: bigint): bigint {
  const whole = value / by
  return value < 0n && whole * by !== value ? whole - 1n : whole
}
