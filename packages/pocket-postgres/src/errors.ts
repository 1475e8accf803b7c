/** What can keep a PostgreSQL from running, for those that want to tell one from the other. */
export type PostgresErrorCode =
  /** No PostgreSQL is packaged for this platform, it was not installed, or its programs do not run here. */
  | 'no-platform'
  /** Its libraries' links are missing and cannot be made. */
  | 'not-writable'
  /** PostgreSQL does not run as root, and no way to leave root was found. */
  | 'root'
  /** The data folder cannot be used: not ours, not a data folder, in use. */
  | 'data-folder'
  /** The data is of another major version. */
  | 'version'
  /** A setting that makes no sense. */
  | 'bad-option'
  /** It did not start; its own words are in the message. */
  | 'failed'

/** The message is a whole sentence: what happened, to what, what to do. It never holds a password. */
export class PostgresError extends Error {
  readonly code: PostgresErrorCode

  constructor(code: PostgresErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PostgresError'
    this.code = code
  }
}

/** The system's code of a failed call (`EACCES`, `ENOENT` ...), or the empty string. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
