/** A line longer than this is none that an enforcing point writes of one connection. */
export const longestLine = 64 * 1024

/** What is looked at as a record of names and values; undefined for everything else. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return isRecord(value) ? value : undefined
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Text that says something: a proxy writes `-` where there is nothing. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value !== '-' ? value : undefined
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** JSON of a line, or undefined: half a line, or one that is no JSON, is no record. */
export function jsonOf(line: string): Readonly<Record<string, unknown>> | undefined {
  if (line.length > longestLine || !line.startsWith('{')) return undefined
  try {
    return recordOf(JSON.parse(line))
  } catch {
    return undefined
  }
}

/** RFC 3339 in UTC, as far as milliseconds; undefined for what is no time. */
export function timeOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(value)) return undefined
  const time = Date.parse(value)
  return Number.isNaN(time) ? undefined : new Date(time).toISOString()
}

export interface Address {
  readonly ip: string
  readonly port?: number
}

/** `10.244.1.6:42020`, `[fd00::1]:8080`, `envoy://connect_originate/10.244.0.15:8080`; undefined for what is no address. */
export function addressOf(value: unknown): Address | undefined {
  const text = textOf(value)?.replace(/^envoy:\/\/[^/]*\//, '')
  const found = text === undefined ? null : /^(?:\[([0-9a-f:.]+)\]|([0-9.]+)):(\d{1,5})$/i.exec(text)
  const ip = found?.[1] ?? found?.[2]
  return ip === undefined ? undefined : { ip, ...portOf(found?.[3]) }
}

export function portOf(value: unknown): { readonly port?: number } {
  const port = Number(value)
  return value !== undefined && Number.isInteger(port) && port > 0 && port < 65536 ? { port } : {}
}

/** `namespace/name` of a Service's DNS name. */
export function serviceOf(host: unknown): string | undefined {
  const found = /^([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.|$)/.exec(textOf(host) ?? '')
  return found === null ? undefined : `${found[2]}/${found[1]}`
}

/** Only what is there: optional fields of ours are left out, and never undefined. */
export function present<T extends Readonly<Record<string, unknown>>>(
  fields: T,
): { [K in keyof T]?: NonNullable<T[K]> } {
  const there: { [K in keyof T]?: NonNullable<T[K]> } = {}
  for (const key of Object.keys(fields) as (keyof T)[]) {
    const value = fields[key]
    if (value !== undefined && value !== null) there[key] = value
  }
  return there
}
