import { ServiceError } from '@bulkhead/service-kit'
import type { z } from 'zod'
import { managerErrors } from './errors.js'

type ErrorCode = keyof typeof managerErrors.table

/** What is wrong with one field; its name as a path: `rolePolicies[0].permissionKey`. */
export interface FieldProblem {
  readonly field: string
  readonly message: string
}

/** A refusal that names the fields. */
export class InvalidFields extends ServiceError {
  readonly fields: readonly FieldProblem[]

  constructor(code: ErrorCode, fields: readonly FieldProblem[]) {
    const { status, message } = managerErrors.table[code]
    super(code, status, message)
    this.fields = fields
  }
}

/** A page of problems is enough to go on with. */
const MOST_FIELDS = 20

const MOST_WORDS = 400

/** Marks a rule of a schema as one of the value's type: a breach is a 400, as if the JSON could not be read. */
export const ofType = { wire: true } as const

/** For a schema's `error`: these words (and the status of their code) when the field is missing or empty. */
export const missing =
  (code: ErrorCode) =>
  (issue: { readonly input?: unknown }): string | undefined =>
    issue.input === undefined || issue.input === '' ? managerErrors.table[code].message : undefined

/** The words of this code, for a rule of a schema whose breach is answered with it. */
export const saying = (code: ErrorCode): string => managerErrors.table[code].message

/**
 * Holds what came against the schema.
 * @throws InvalidFields: INVALID_BODY (400) when a value has the wrong type; the code whose words the broken rule has
 *   (`missing`, `saying`); VALIDATION_FAILED (422) otherwise
 */
export function check<T>(schema: z.ZodType<T>, value: unknown, from: 'params' | 'query' | 'body'): T {
  const result = schema.safeParse(value, { reportInput: true })
  if (result.success) return result.data
  const { issues } = result.error
  const wrongTypes = from === 'body' ? issues.filter(isOfType) : []
  if (wrongTypes.length > 0) throw new InvalidFields('INVALID_BODY', problems(wrongTypes))
  const code = issues.map(({ message }) => codeOf.get(message)).find((known) => known !== undefined)
  throw new InvalidFields(code ?? 'VALIDATION_FAILED', problems(issues))
}

type Issue = z.core.$ZodIssue

const codeOf: ReadonlyMap<string, ErrorCode> = new Map(
  Object.entries(managerErrors.table).map(([code, { message }]) => [message, code as ErrorCode]),
)

function isOfType(issue: Issue): boolean {
  if (issue.code === 'invalid_type') return issue.input !== undefined
  if (issue.code === 'custom') return issue.params?.wire === true
  if (issue.code === 'invalid_union')
    return issue.errors.length > 0 && issue.errors.every((each) => each.some(isOfType))
  return false
}

const problems = (issues: readonly Issue[]): FieldProblem[] =>
  issues.slice(0, MOST_FIELDS).map(({ path, message }) => ({ field: short(nameOf(path)), message: short(message) }))

/** Names of a caller's own, of members that there are not, may be long, and many: he is not told all of them back. */
const short = (text: string): string => (text.length <= MOST_WORDS ? text : `${text.slice(0, MOST_WORDS)}...`)

function nameOf(path: readonly PropertyKey[]): string {
  let name = ''
  for (const part of path)
    name += typeof part === 'number' ? `[${part}]` : name === '' ? String(part) : `.${String(part)}`
  return name === '' ? 'body' : name
}
