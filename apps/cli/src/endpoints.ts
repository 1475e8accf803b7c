import { isIP, isIPv4 } from 'node:net'
import type { Flow, FlowDestination, FlowSource, Protocol } from '@bulkhead/verdict'
import { CliError } from './io.js'

/**
 * Where a flow is to go, as typed: what it may mean, in the order in which that is tried. `shop/web-api:8080` is the Service of
 * that name if there is one, else the workload, else the gateway.
 */
export interface Destination {
  readonly candidates: readonly [FlowDestination, ...FlowDestination[]]
  readonly port: number
  readonly protocol?: Protocol
  /** Of `http://host/path`: what is asked for. A gateway may answer for the host. */
  readonly url?: { readonly host: string; readonly path: string }
  /** Of `https://host/path`: the name that the ClientHello gives. What is asked for is not seen. */
  readonly sni?: string
}

export type Request = NonNullable<Flow['http']>

const name = '[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?'
const qualified = new RegExp(`^${name}/${name}$`)

/** `shop/sleep`, `node/bulkhead-worker`, or `outside`: a caller that is no pod of the cluster. @throws CliError, saying how it is written */
export function parseSource(text: string): Extract<FlowSource, { workload: string } | { node: string }> | 'outside' {
  if (text === 'outside') return text
  if (qualified.test(text)) return nodeNamed(text) ?? { workload: text }
  throw new CliError(`"${text}" is not a caller; write NAMESPACE/NAME, as in shop/sleep, or node/NAME, or outside.`)
}

/** `node/bulkhead-worker` */
function nodeNamed(text: string): { readonly node: string } | undefined {
  return text.startsWith('node/') ? { node: text.slice('node/'.length) } : undefined
}

/**
 * `ns/service:port`, `ns/workload:port`, `node/name:port`, `ip:port`, `[ipv6]:port`, `host:port`, each with `/UDP` behind it or not,
 * `http://host/path` or `https://host/`.
 * @throws CliError, saying how it is written
 */
export function parseDestination(text: string): Destination {
  if (/^https?:/i.test(text)) return parseUrl(text)
  const match = /^(?<where>\[[^\]]*\]|[^:]*):(?<port>\d+)(?:\/(?<protocol>TCP|UDP|SCTP))?$/i.exec(text)
  const where = match?.groups?.where
  if (where === undefined || where === '') throw new CliError(howItIsWritten(text))
  const number = Number(match?.groups?.port)
  if (number < 1 || number > 65535) throw new CliError(`"${text}" has port ${number}; ports are 1 to 65535.`)
  return { candidates: candidatesFor(text, where), port: number, ...protocolOf(match?.groups?.protocol) }
}

function protocolOf(word: string | undefined): { readonly protocol?: Protocol } {
  const protocol = (['UDP', 'SCTP'] as const).find((one) => one === word?.toUpperCase())
  return protocol === undefined ? {} : { protocol }
}

function candidatesFor(text: string, where: string): Destination['candidates'] {
  // Last a Gateway's own name: its Service is called as istiod calls it.
  const node = qualified.test(where) ? nodeNamed(where) : undefined
  if (node !== undefined) return [node]
  if (qualified.test(where)) return [{ service: where }, { workload: where }, { service: `${where}-istio` }]
  if (where.startsWith('[') && isIP(where.slice(1, -1)) === 6) return [{ ip: where.slice(1, -1) }]
  if (isIPv4(where)) return [{ ip: where }]
  if (new RegExp(`^${name}\\.?$`).test(where)) return [{ host: where }]
  throw new CliError(howItIsWritten(text))
}

function parseUrl(text: string): Destination {
  const url = URL.canParse(text) ? new URL(text) : undefined
  // A host of a URL may be an address; brackets are its own.
  const host = url?.hostname.replace(/^\[(.*)\]$/, '$1') ?? ''
  if (url === undefined || !(isIP(host) !== 0 || new RegExp(`^${name}\\.?$`).test(host)) || url.username !== '') {
    throw new CliError(`"${text}" is not a URL as http://istioexplained.io/ is one.`)
  }
  const to = isIP(host) === 0 ? { host } : { ip: host }
  if (url.protocol === 'https:') {
    const sni = isIP(host) === 0 ? { sni: host } : {}
    return { candidates: [to], port: url.port === '' ? 443 : Number(url.port), ...sni }
  }
  const path = `${url.pathname}${url.search}`
  return { candidates: [to], port: url.port === '' ? 80 : Number(url.port), url: { host: url.host, path } }
}

function howItIsWritten(text: string): string {
  if (qualified.test(text) || isIPv4(text)) return `"${text}" has no port; write ${text}:8080, for instance.`
  if (isIP(text) === 6) return `"${text}" has no port; write [${text}]:8080, for instance.`
  return `"${text}" is not a destination; write NAMESPACE/SERVICE:PORT, NAMESPACE/WORKLOAD:PORT, node/NAME:PORT, IP:PORT, HOST:PORT, http://HOST/PATH or https://HOST/, as in shop/web-api:8080.`
}

/** What is typed of an HTTP request. */
export interface TypedRequest {
  readonly method?: string | undefined
  readonly path?: string | undefined
  readonly host?: string | undefined
  /** `Name: value` */
  readonly headers?: readonly string[] | undefined
  readonly url?: Destination['url']
}

/**
 * The request of a flow; undefined when nothing of one is typed. `GET`, `/` and, for a URL, its host and path are what is
 * left out.
 * @throws CliError
 */
export function parseRequest({ method, path, host, headers = [], url }: TypedRequest): Request | undefined {
  if (method === undefined && host === undefined && headers.length === 0 && url === undefined) return undefined
  const verb = method ?? 'GET'
  if (!/^[A-Za-z][A-Za-z-]*$/.test(verb)) throw new CliError(`"${verb}" is not an HTTP method, as GET is.`)
  if (path !== undefined && url !== undefined) throw new CliError(`the path stands in the URL; leave "${path}" out.`)
  const where = path ?? url?.path ?? '/'
  if (!where.startsWith('/')) throw new CliError(`"${where}" is not a path; it begins with a slash, as /${where} does.`)
  const named = new Map<string, string>()
  for (const header of headers) {
    const { name: field, value } = parseHeader(header)
    const before = named.get(field)
    named.set(field, before === undefined ? value : `${before},${value}`)
  }
  const authority = host ?? named.get('host') ?? url?.host
  named.delete('host')
  if (authority !== undefined && !/^[A-Za-z0-9_.:[\]-]+$/.test(authority)) {
    throw new CliError(`"${authority}" is not a host, as istioexplained.io is one.`)
  }
  return {
    method: verb.toUpperCase(),
    path: where,
    ...(authority !== undefined && { host: authority }),
    ...(named.size > 0 && { headers: Object.fromEntries(named) }),
  }
}

/** `X-User: admin` @throws CliError */
function parseHeader(text: string): { readonly name: string; readonly value: string } {
  const [, field, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\p{Cc}]*?)[ \t]*$/u.exec(text) ?? []
  if (field === undefined || value === undefined) {
    throw new CliError(`"${text}" is not a header; write 'NAME: VALUE', as in 'x-user: admin'.`)
  }
  return { name: field.toLowerCase(), value }
}
