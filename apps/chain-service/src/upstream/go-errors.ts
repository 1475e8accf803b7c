/** Both ends of a connection, as Go prints them. */
export interface Ends {
  readonly local: string
  readonly remote: string
}

/** undici's and Node's errors, as far as they are looked at here. */
interface NetError {
  readonly name?: string
  readonly code?: string
  readonly message?: string
  readonly address?: string
  readonly port?: number
  readonly hostname?: string
  readonly syscall?: string
  readonly errors?: readonly NetError[]
}

const ERRNO: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by peer',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  ETIMEDOUT: 'connection timed out',
  EPIPE: 'broken pipe',
  EADDRNOTAVAIL: 'cannot assign requested address',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
}

/**
 * The words in which Go's HTTP client, and with it fake-service, tells of a failed connection. Learners meet these
 * words on a cluster, so they meet them here.
 */
export function goError(error: unknown, host: string, ends: Ends | undefined, duringBody: boolean): string {
  const top = error as NetError
  // Node tries a name's addresses in turn, and reports all failures: Go reports one.
  const { name, code = '', message = String(error), address, port, syscall } = top.errors?.at(-1) ?? top
  const errno = ERRNO[code]
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${top.hostname ?? hostName(host)}: no such host`
  if (code === 'EAI_AGAIN')
    return `dial tcp: lookup ${top.hostname ?? hostName(host)}: Temporary failure in name resolution`
  if (code === 'UND_ERR_CONNECT_TIMEOUT')
    return `dial tcp ${address === undefined ? host : `${address}:${port}`}: i/o timeout`
  if (errno !== undefined && syscall === 'connect')
    return `dial tcp ${address === undefined ? host : `${address}:${port}`}: connect: ${errno}`
  if (errno !== undefined) {
    const verb = code === 'EPIPE' || syscall === 'write' ? 'write' : 'read'
    return ends === undefined ? `${verb}: ${errno}` : `${verb} tcp ${ends.local}->${ends.remote}: ${verb}: ${errno}`
  }
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') return 'unexpected EOF'
  if (code === 'UND_ERR_SOCKET' || (name === 'HTTPParserError' && /EOF/.test(message)))
    return duringBody ? 'unexpected EOF' : 'EOF'
  if (name === 'HTTPParserError') return 'net/http: HTTP/1.x transport connection broken: malformed HTTP response'
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return 'net/http: server response headers exceeded the limit; aborted'
  return message
}

function hostName(host: string): string {
  return host.replace(/:\d+$/, '')
}
