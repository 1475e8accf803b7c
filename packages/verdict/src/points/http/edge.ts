/*
 * What Envoy's connection manager does to a request's headers before any filter sees them, as istiod sets it up for a
 * gateway: `use_remote_address`, no internal addresses, client certificates' header sanitised, external request ids not
 * kept. The running gateway and judge() read requests by the same rules.
 */

type Headers = Readonly<Record<string, string>>

/**
 * Headers that are of one connection and no other (RFC 9110, 7.6.1), and Expect, which the gateway answers itself as Envoy
 * does. Content-Length is kept: the body is the same.
 */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

export const isHopByHop = (name: string): boolean => hopByHop.has(name)

/** What no client may tell: what Envoy says of itself, of the certificate that a client showed, and of who asked. */
const isProxysOwn = (name: string): boolean =>
  name.startsWith('x-envoy-') || name === 'x-forwarded-client-cert' || name === 'x-request-id'

/** Whether a client's header of that name (in lower case) goes past the gateway's door, changed or not. */
export const isForwarded = (name: string): boolean => !hopByHop.has(name) && !isProxysOwn(name)

/** Names that a Connection header takes along. Framing is not its to take: `Connection: content-length` changes no body. */
export function connectionNames(value: string): readonly string[] {
  return value
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'content-length' && name !== 'host')
}

/** X-Forwarded-For with the caller at its end: what is before that is the client's own word, and believed by nobody. */
export const forwardedFor = (before: string | undefined, client: string): string =>
  before === undefined || before === '' ? client : `${before},${client}`

/** The request id is new for each request; here one that no policy can have meant. */
const someRequestId = '00000000-0000-4000-8000-000000000000'

/** The headers of a request by the time that policies and routes read them. Names in lower case; without Host. */
export function asReceived(sent: Headers, client: string): Headers {
  const taken = new Set(sent.connection === undefined ? [] : connectionNames(sent.connection))
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(sent))
    if (isForwarded(name) && name !== 'x-forwarded-proto' && !taken.has(name)) headers[name] = value
  headers['x-forwarded-for'] = forwardedFor(headers['x-forwarded-for'], client)
  headers['x-forwarded-proto'] = 'http'
  headers['x-request-id'] = someRequestId
  return headers
}
