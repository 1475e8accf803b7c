import { readFileSync } from 'node:fs'

/** `verify-full` as libpq means it: the certificate and its name are checked. There is nothing between that and no TLS. */
export type SslMode = 'disable' | 'verify-full'

/** How to reach the database, whichever variables said it. */
export interface DatabaseConfig {
  /** A name, an address, or, beginning with `/`, the folder of a unix socket. */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  readonly sslmode: SslMode
  /** Certificate authorities instead of the system's, in PEM. */
  readonly ca?: string
}

/**
 * @throws RangeError for the modes that fall back to plaintext when the other side says so. `require` and `verify-ca`,
 * which encrypt to anybody, are taken as `verify-full`.
 */
export function readSslMode(value: string): SslMode {
  if (value === 'disable') return 'disable'
  if (value === 'verify-full' || value === 'verify-ca' || value === 'require') return 'verify-full'
  throw new RangeError(
    value === 'prefer' || value === 'allow'
      ? `${value} lets whoever is in between choose plaintext; take disable (inside the mesh, which encrypts) or verify-full`
      : 'it must be disable or verify-full',
  )
}

/** @throws RangeError when it cannot be read */
export function readCertificates(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new RangeError(`it cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`)
  }
}

/**
 * `postgresql://user:password@host:5432/database?sslmode=verify-full&sslrootcert=/file`; `?host=/folder` for a unix socket.
 * What the URL leaves out is as in the DB_ variables' defaults.
 * @throws RangeError without quoting the URL: it holds a password
 */
export function readDatabaseUrl(text: string): DatabaseConfig {
  // A URL with a user needs a host; libpq's does not, when the host is a folder.
  const value = text.replace(/^(postgres(?:ql)?:\/\/[^/?#]*@)(?=[/?])/, '$1socket.invalid')
  if (!/^postgres(ql)?:\/\//.test(value) || !URL.canParse(value))
    throw new RangeError('it must be a URL, as in postgresql://user:password@host:5432/database?sslmode=verify-full')
  const url = new URL(value)
  const known = ['sslmode', 'sslrootcert', 'host', 'application_name']
  for (const name of url.searchParams.keys())
    if (!known.includes(name))
      throw new RangeError(`${JSON.stringify(name)} is not supported in it; ${known.join(', ')} are`)
  const query = (name: string): string | undefined => url.searchParams.get(name) || undefined
  const host = query('host') ?? (url.hostname === 'socket.invalid' ? '' : decoded(url.hostname))
  if (host === '') throw new RangeError('it names no host')
  const rootCertificate = query('sslrootcert')
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  return {
    host: bare,
    port: url.port === '' ? 5432 : Number(url.port),
    user: decoded(url.username) || 'hello',
    password: decoded(url.password),
    database: decoded(url.pathname.slice(1)) || 'hellodb',
    sslmode: readSslMode(query('sslmode') ?? 'disable'),
    ...(rootCertificate === undefined ? {} : { ca: readCertificates(rootCertificate) }),
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new RangeError('it holds an invalid percent-encoding; a % in a password is written %25')
  }
}
