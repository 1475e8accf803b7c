import { isIP, isIPv4 } from 'node:net'
import type { FlowDestination } from '@bulkhead/verdict'
import { CliError } from './io.js'

/**
 * Where a flow is to go, as typed: what it may mean, in the order in which that is tried. `shop/web-api:8080` is the Service of
 * that name if there is one, else the workload.
 */
export interface Destination {
  readonly candidates: readonly [FlowDestination, ...FlowDestination[]]
  readonly port: number
}

const name = '[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?'
const qualified = new RegExp(`^${name}/${name}$`)

/** `shop/sleep` @throws CliError, saying how it is written */
export function parseSource(text: string): { readonly workload: string } {
  if (qualified.test(text)) return { workload: text }
  throw new CliError(`"${text}" is not a workload; write NAMESPACE/NAME, as in shop/sleep.`)
}

/**
 * `ns/service:port`, `ns/workload:port`, `ip:port`, `[ipv6]:port` or `host:port`.
 * @throws CliError, saying how it is written
 */
export function parseDestination(text: string): Destination {
  const match = /^(?<where>\[[^\]]*\]|[^:]*):(?<port>\d+)$/.exec(text)
  const where = match?.groups?.where
  if (where === undefined || where === '') throw new CliError(howItIsWritten(text))
  const port = Number(match?.groups?.port)
  if (port < 1 || port > 65535) throw new CliError(`"${text}" has port ${port}; ports are 1 to 65535.`)
  if (qualified.test(where)) return { candidates: [{ service: where }, { workload: where }], port }
  if (where.startsWith('[') && isIP(where.slice(1, -1)) === 6) return { candidates: [{ ip: where.slice(1, -1) }], port }
  if (isIPv4(where)) return { candidates: [{ ip: where }], port }
  if (new RegExp(`^${name}\\.?$`).test(where)) return { candidates: [{ host: where }], port }
  throw new CliError(howItIsWritten(text))
}

function howItIsWritten(text: string): string {
  if (qualified.test(text) || isIPv4(text)) return `"${text}" has no port; write ${text}:8080, for instance.`
  if (isIP(text) === 6) return `"${text}" has no port; write [${text}]:8080, for instance.`
  return `"${text}" is not a destination; write NAMESPACE/SERVICE:PORT, NAMESPACE/WORKLOAD:PORT, IP:PORT or HOST:PORT, as in shop/web-api:8080.`
}

/** `GET /orders`; the path is `/` when it is left out. @throws CliError */
export function parseRequest(method: string, path = '/'): { readonly method: string; readonly path: string } {
  if (!/^[A-Za-z][A-Za-z-]*$/.test(method)) throw new CliError(`"${method}" is not an HTTP method, as GET is.`)
  if (!path.startsWith('/')) throw new CliError(`"${path}" is not a path; it begins with a slash, as /${path} does.`)
  return { method: method.toUpperCase(), path }
}
