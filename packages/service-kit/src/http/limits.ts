/**
 * Bounds on what a client can make a service hold or wait for. Each answers an attack; a service may tighten them, and
 * loosen them where its contract needs it.
 */
export interface Limits {
  readonly maxBodyBytes: number
  readonly maxUrlChars: number
  readonly maxHeaderBytes: number
  readonly maxHeaders: number
  readonly headersTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly keepAliveTimeoutMs: number
  readonly inactivityTimeoutMs: number
  readonly maxConnections: number
  readonly maxPipelined: number
}

/** Memory: without it one client posts gigabytes, and the process dies for everyone. */
export const MAX_BODY_BYTES = 1024 * 1024

/** Log and router work: without it every request can carry a URL that is costly to match, and to write down. */
export const MAX_URL_CHARS = 8 * 1024

/** Memory before any handler runs: Node buffers a request's head, for every connection at once. */
export const MAX_HEADER_BYTES = 16 * 1024

/** CPU: thousands of one-letter headers are cheap to send. Node would drop those above its own limit silently, and with them perhaps the one that a policy looks at. */
export const MAX_HEADERS = 100

/** Slowloris: a head sent a byte at a time holds a connection for as long as its sender likes. */
export const HEADERS_TIMEOUT_MS = 10_000

/** The same with a body that never ends. */
export const REQUEST_TIMEOUT_MS = 30_000

/** Idle connections cost memory and a descriptor each. Longer than the clients' own, so that it is the client that closes: a server's close can cross a request on its way. */
export const KEEP_ALIVE_TIMEOUT_MS = 30_000

/** Slow read: a client that asks and never reads holds the response. Counts from the last byte in either direction. */
export const INACTIVITY_TIMEOUT_MS = 120_000

/** Descriptors: above this, new connections are refused, and those that are open go on working. */
export const MAX_CONNECTIONS = 1_000

/** Memory, and every upstream's: each of the requests that one connection sends without waiting for answers is answered at the same time. */
export const MAX_PIPELINED = 64

/** How often Node looks for connections past their timeouts; by default it looks every 30 s, and a 10 s limit lasts 40. */
export const TIMEOUT_CHECK_MS = 2_000

export const defaultLimits: Limits = {
  maxBodyBytes: MAX_BODY_BYTES,
  maxUrlChars: MAX_URL_CHARS,
  maxHeaderBytes: MAX_HEADER_BYTES,
  maxHeaders: MAX_HEADERS,
  headersTimeoutMs: HEADERS_TIMEOUT_MS,
  requestTimeoutMs: REQUEST_TIMEOUT_MS,
  keepAliveTimeoutMs: KEEP_ALIVE_TIMEOUT_MS,
  inactivityTimeoutMs: INACTIVITY_TIMEOUT_MS,
  maxConnections: MAX_CONNECTIONS,
  maxPipelined: MAX_PIPELINED,
}
