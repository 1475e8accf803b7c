import { isIP } from 'node:net'
import * as z from 'zod/mini'
import { parseDurationNs } from './duration.js'

/** A schema for one environment variable: it is given the variable's text, or undefined when that is absent or empty. */
export type Setting<T> = z.ZodMiniType<T, string | undefined>

/** Where to listen. */
export interface Address {
  readonly host: string
  readonly port: number
}

const secrets = new WeakSet<object>()
const defaults = new WeakMap<object, string>()

/** Marks a setting whose value must never be printed: not in the effective config, not in a message about a bad value. */
export function secret<S extends object>(setting: S): S {
  secrets.add(setting)
  return setting
}

/** Whether {@link secret} marked this setting. */
export const isSecret = (setting: object): boolean => secrets.has(setting)

/** The text that stands for this setting when its variable is absent. */
export const defaultOf = (setting: object): string | undefined => defaults.get(setting)

/**
 * A setting from a function that reads the text and throws, with the reason, what it cannot read.
 * @param fallback the text that stands for an absent variable; without one the variable is required
 */
export function setting<T>(read: (text: string) => T, fallback?: string): Setting<T> {
  const schema = z.pipe(
    z.string({ error: 'it is not set, and it has no default' }),
    z.transform((text: string, context) => {
      try {
        return read(text)
      } catch (error) {
        context.issues.push({
          code: 'custom',
          message: error instanceof Error ? error.message : String(error),
          input: text,
        })
        return z.NEVER
      }
    }),
  )
  if (fallback === undefined) return schema as unknown as Setting<T>
  const withDefault = z.prefault(schema, fallback)
  defaults.set(withDefault, fallback)
  return withDefault as unknown as Setting<T>
}

export const text = (fallback?: string): Setting<string> => setting((value) => value, fallback)

/** A variable that may be absent. */
export function optional<T>(read: (text: string) => T): Setting<T | undefined> {
  return z.optional(setting(read)) as unknown as Setting<T | undefined>
}

export function oneOf<const T extends string>(values: readonly T[], fallback?: T): Setting<T> {
  return setting((value) => {
    const found = values.find((candidate) => candidate === value)
    if (found === undefined) throw new RangeError(`it must be one of ${values.join(', ')}`)
    return found
  }, fallback)
}

const TRUE = ['1', 't', 'T', 'true', 'TRUE', 'True']
const FALSE = ['0', 'f', 'F', 'false', 'FALSE', 'False']

/** The spellings of Go's strconv.ParseBool, which the seeds' manifests use. */
export function boolean(fallback?: 'true' | 'false'): Setting<boolean> {
  return setting((value) => {
    if (TRUE.includes(value)) return true
    if (FALSE.includes(value)) return false
    throw new RangeError('it must be true or false')
  }, fallback)
}

export function integer(
  fallback?: string,
  { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = {},
): Setting<number> {
  return setting((value) => {
    if (!/^[+-]?\d{1,16}$/.test(value)) throw new RangeError('it must be a whole number')
    return within(Number(value), min, max)
  }, fallback)
}

export function decimal(fallback?: string, { min = -Number.MAX_VALUE, max = Number.MAX_VALUE } = {}): Setting<number> {
  return setting((value) => {
    if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i.test(value)) throw new RangeError('it must be a number')
    return within(Number(value), min, max)
  }, fallback)
}

/** `25` or `25%`, from 0 to 100. */
export function percentage(fallback?: string): Setting<number> {
  return setting((value) => {
    const number = /^(\d+\.?\d*|\.\d+)%?$/.exec(value)?.[1]
    if (number === undefined) throw new RangeError('it must be a percentage, as in 25 or 25%')
    return within(Number(number), 0, 100)
  }, fallback)
}

/** A timer of Node's that is to wait longer than 2^31 ms, 596 hours, does not wait at all. */
const LONGEST_HOURS = 500

/** A Go duration (`30s`, `1m2.5s`), in milliseconds. Not negative. */
export function duration(fallback?: string): Setting<number> {
  return setting((value) => {
    const ns = parseDurationNs(value)
    if (ns < 0) throw new RangeError('it must not be negative')
    if (ns > LONGEST_HOURS * 3600e9) throw new RangeError(`it must be at most ${LONGEST_HOURS}h`)
    return ns / 1e6
  }, fallback)
}

/** Comma-separated, trimmed, blanks dropped. */
export function list(fallback?: string): Setting<readonly string[]> {
  return setting(splitList, fallback)
}

export const splitList = (value: string): readonly string[] =>
  value
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')

export const port = (fallback?: string): Setting<number> => integer(fallback, { min: 0, max: 65535 })

/** `0.0.0.0:8080`, `:8080`, `[::]:8080`, `localhost:8080`. Port 0 asks for any free one. */
export function address(fallback?: string): Setting<Address> {
  return setting((value) => {
    const parts = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(value)
    if (parts === null) throw new RangeError('it must be host:port, as in 0.0.0.0:8080 or [::]:8080')
    const [, bracketed, plain, digits] = parts
    if (bracketed !== undefined && isIP(bracketed) !== 6)
      throw new RangeError('only an IPv6 address stands in brackets')
    const host = bracketed ?? plain ?? ''
    if (isIP(host) === 0 && !/^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)?$/.test(host)) {
      throw new RangeError('the host is neither an IP address nor a host name')
    }
    return { host: host === '' ? '0.0.0.0' : host, port: within(Number(digits), 0, 65535, 'the port') }
  }, fallback)
}

/** An absolute http or https URL. */
export function httpUrl(fallback?: string): Setting<URL> {
  return setting((value) => {
    const url = URL.canParse(value) ? new URL(value) : undefined
    if (url === undefined || !/^https?:$/.test(url.protocol))
      throw new RangeError('it must be an http:// or https:// URL')
    return url
  }, fallback)
}

function within(value: number, min: number, max: number, what = 'it'): number {
  if (value < min || value > max) {
    if (max >= Number.MAX_SAFE_INTEGER) throw new RangeError(`${what} must be at least ${min}`)
    throw new RangeError(`${what} must be from ${min} to ${max}`)
  }
  return value
}
