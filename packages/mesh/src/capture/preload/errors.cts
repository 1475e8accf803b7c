import os from 'node:os'

/** What libuv calls the resolver's errors; they are not in os.constants. */
const RESOLVER_ERRNO: Readonly<Record<string, number>> = { EAI_AGAIN: -3001, ENOTFOUND: -3008 }

/** What a lost agent answers to everything, now and later. */
export const GONE = 'the local data plane is gone; has "bulkhead up" ended?'

export interface CaptureError extends NodeJS.ErrnoException {
  address?: string
  port?: number
  hostname?: string
  /** What the data plane says of it; a pod on a cluster would not learn this. */
  reason?: string
}

function errnoOf(code: string): number | undefined {
  const errno = (os.constants.errno as Readonly<Record<string, number>>)[code]
  return errno === undefined ? RESOLVER_ERRNO[code] : -errno
}

function build(message: string, code: string, syscall: string, reason: string | undefined): CaptureError {
  const error: CaptureError = new Error(message)
  const errno = errnoOf(code)
  if (errno !== undefined) error.errno = errno
  error.code = code
  error.syscall = syscall
  if (reason !== undefined) error.reason = reason
  return error
}

/** As Node words a failed connect, bind or listen. */
export function addressError(
  syscall: string,
  code: string,
  address: string,
  port: number | undefined,
  reason?: string,
): CaptureError {
  const detail = syscall === 'listen' && code === 'EADDRINUSE' ? ': address already in use' : ''
  const at = port === undefined ? address : `${address}:${port}`
  const error = build(`${syscall} ${code}${detail} ${at}`, code, syscall, reason)
  error.address = address
  if (port !== undefined) error.port = port
  return error
}

/** As Node words a name that getaddrinfo or a DNS server did not answer. */
export function nameError(syscall: string, code: string, hostname: string, reason?: string): CaptureError {
  const error = build(`${syscall} ${code} ${hostname}`, code, syscall, reason)
  error.hostname = hostname
  return error
}

export function readReset(): CaptureError {
  return build('read ECONNRESET', 'ECONNRESET', 'read', undefined)
}

/** The check, and the words, of Node's own. */
export function portOf(value: unknown, name: string): number {
  const ok =
    (typeof value === 'number' || (typeof value === 'string' && value.trim() !== '')) &&
    +value === +value >>> 0 &&
    +value <= 65535
  if (ok) return +value
  const received = typeof value === 'string' ? `type string ('${value}')` : String(value)
  const error: NodeJS.ErrnoException = new RangeError(`${name} should be >= 0 and < 65536. Received ${received}.`)
  error.code = 'ERR_SOCKET_BAD_PORT'
  throw error
}
