import type { IncomingMessage } from 'node:http'
import { connectionNames, type HttpRequest } from '@bulkhead/verdict'
import type { Pairs } from './headers.js'
import { MAX_HEADERS, MAX_PATH_BYTES } from './limits.js'

/** A request that can be read in one way only. */
export interface ReadRequest {
  readonly request: HttpRequest
  /** The headers of `request`, as they go on when nobody changes them; without Host. */
  readonly pairs: Pairs
  /** Whether a body comes. */
  readonly body: boolean
  /** Its Content-Length, as it was sent. */
  readonly length: string | undefined
}

/** One that cannot, and why. */
export interface Refused {
  readonly status: number
  readonly why: string
}

/** What a Host may hold (RFC 9112, 3.2): no user, no path, no list. */
const AUTHORITY = /^(?:[A-Za-z0-9._~!$&'()*+;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/
const ESCAPED_NUL = /^[^?]*%00/
const refuse = (status: number, why: string): Refused => ({ status, why })
const quoted = (text: string): string => JSON.stringify(text.slice(0, 100))

/**
 * Reads a request as Envoy's connection manager does before any filter: what is of the connection only is taken off. What
 * two proxies could read in two ways is refused: the parser sees to Content-Length and folded lines, this to the rest.
 *
 * @param keeps whether a header of that name (in lower case) goes on; framing is not asked about
 */
export function readMessage(message: IncomingMessage, keeps: (name: string) => boolean): ReadRequest | Refused {
  const { rawHeaders, httpVersionMinor } = message
  // As Envoy answers unless it is told to take it.
  if (httpVersionMinor === 0) return refuse(426, 'HTTP/1.0 is not spoken here')
  if (rawHeaders.length > MAX_HEADERS * 2) return refuse(431, `more than ${MAX_HEADERS} headers`)
  const url = message.url ?? ''
  if (url.length > MAX_PATH_BYTES) return refuse(414, `a path of more than ${MAX_PATH_BYTES} bytes`)

  const headers: Record<string, string> = Object.create(null)
  const pairs: Pairs = []
  let host: string | undefined
  let chunked = false
  let length: string | undefined
  let taken: readonly string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase()
    const value = rawHeaders[index + 1] ?? ''
    switch (name) {
      case 'host':
        if (host !== undefined) return refuse(400, 'two Host headers')
        host = value
        continue
      case 'transfer-encoding':
        // Two lines, or another coding before it: where does the body end, then?
        if (chunked || value.toLowerCase() !== 'chunked') return refuse(501, `Transfer-Encoding ${quoted(value)}`)
        chunked = true
        continue
      case 'content-length':
        length = value
        break
      case 'connection':
        if (value !== 'keep-alive' && value !== 'close') taken = [...taken, ...connectionNames(value)]
        continue
      default:
        if (!keeps(name)) continue
    }
    const before = headers[name]
    headers[name] = before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ','}${value}`
    pairs.push(name, value)
  }
  if (chunked && length !== undefined) return refuse(400, 'Content-Length beside Transfer-Encoding')

  let path = url
  if (!url.startsWith('/')) {
    // Absolute form: its authority is the one that counts (RFC 9112, 3.2.2).
    const [, authority, rest] = /^http:\/\/([^/?#]*)([^#]*)$/i.exec(url) ?? []
    if (authority === undefined || rest === undefined) return refuse(400, `request target ${quoted(url)}`)
    host = authority
    path = rest.startsWith('/') ? rest : `/${rest}`
  }
  if (path.includes('#')) return refuse(400, 'a fragment in the path')
  // As Envoy's normalize_path does; the query is not its business.
  if (ESCAPED_NUL.test(path)) return refuse(400, 'an escaped NUL (%00) in the path')
  if (host === undefined) return refuse(400, 'no Host header')
  if (!AUTHORITY.test(host)) return refuse(400, `Host ${quoted(host)}`)

  for (const name of taken) removeHeader(headers, pairs, name)
  const body = chunked || (length !== undefined && length !== '0')
  return { request: { method: message.method ?? '', host, path, headers }, pairs, body, length }
}

/** Takes a header off, in both forms in which they are kept. */
export function removeHeader(headers: Record<string, string>, pairs: Pairs, name: string): void {
  if (headers[name] === undefined) return
  delete headers[name]
  for (let index = pairs.length - 2; index >= 0; index -= 2) if (pairs[index] === name) pairs.splice(index, 2)
}
