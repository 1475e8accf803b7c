/** One row of an error table. `code` is for programs, the sentence for people. */
export interface ErrorRow {
  /** HTTP status that leaves on the wire. */
  readonly status: number
  /** One sentence, for the caller: nothing of the inside of the service. */
  readonly message: string
}

export type ErrorTable = Readonly<Record<string, ErrorRow>>

export interface ServiceErrorOptions {
  readonly cause?: unknown
  /** Response headers that belong to the error, such as Allow or Retry-After. */
  readonly headers?: Readonly<Record<string, string>>
}

/** A failure with a code of an error table. Thrown anywhere in a handler, it becomes the error envelope. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError'
  readonly code: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(code: string, status: number, message: string, options: ServiceErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.status = status
    this.headers = options.headers ?? {}
  }
}

export interface Errors<T extends ErrorTable> {
  readonly table: T
  /** Makes the error of this code; `message` replaces the table's sentence when there is something to quote. */
  error(code: keyof T & string, message?: string, options?: ServiceErrorOptions): ServiceError
}

/** Declares the error codes of one owner (this package, or a service). docs/errors.md has to list them: see errorDocProblems. */
export function defineErrors<const T extends ErrorTable>(table: T): Errors<T> {
  return {
    table,
    error: (code, message, options) => {
      const row = table[code] as ErrorRow
      return new ServiceError(code, row.status, message ?? row.message, options)
    },
  }
}

/**
 * Compares an error table with its section of docs/errors.md, both ways: every code documented, nothing else documented.
 * A section is a heading `## owner` followed by rows `| \`CODE\` | status | sentence |`.
 */
export function errorDocProblems(table: ErrorTable, markdown: string, owner: string): string[] {
  const section = markdown.split(/^## /m).find((part) => part.split('\n', 1)[0]?.trim() === owner)
  if (section === undefined) return [`docs/errors.md has no section "${owner}"`]
  const documented = new Map<string, string>()
  for (const [, code = '', row = ''] of section.matchAll(/^\| `([A-Z0-9_]+)` \| (.*) \|$/gm)) documented.set(code, row)
  const problems: string[] = []
  for (const [code, { status, message }] of Object.entries(table)) {
    const row = documented.get(code)
    if (row === undefined) problems.push(`${code} is not documented`)
    else if (!row.startsWith(`${status} | ${message}`))
      problems.push(`${code} should read "${status} | ${message}", and reads "${row}"`)
  }
  for (const code of documented.keys())
    if (!(code in table)) problems.push(`${code} is documented, and no such code exists`)
  return problems
}
