import { ServiceError } from '@bulkhead/service-kit'
import type { z } from 'zod'
import { schedulerErrors } from './errors.js'

/** What is wrong with one field; its name as a path: `intents[0].priority`. */
export interface FieldProblem {
  readonly field: string
  readonly message: string
}

/** A refusal that names the fields. Its sentence has the first of them: of what the manager logs, that is what is read. */
export class InvalidFields extends ServiceError {
  readonly fields: readonly FieldProblem[]

  constructor(code: keyof typeof schedulerErrors.table, fields: readonly FieldProblem[]) {
    const { status, message } = schedulerErrors.table[code]
    const [first] = fields
    super(code, status, first === undefined ? message : `${message}: ${first.field}: ${first.message}`)
    this.fields = fields.map(({ field, message: why }) => ({ field, message: why }))
  }
}

const MOST_FIELDS = 20

/** Holds a body against the schema. @throws InvalidFields INVALID_BODY */
export function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new InvalidFields(
    'INVALID_BODY',
    result.error.issues.slice(0, MOST_FIELDS).map(({ path, message }) => ({
      field: path.length === 0 ? 'body' : path.join('.'),
      message,
    })),
  )
}
