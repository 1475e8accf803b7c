import type { Document } from 'bson'
import { MongoError } from '../errors.js'
import { isPlain } from '../values/decode.js'
import { MAX_WRITE_BATCH } from '../wire/limits.js'
import type { Call } from './call.js'
import { checkFields } from './fields.js'
import type { FieldType } from './types.js'

/** Statements of one command that failed, as drivers read them. */
export interface WriteFailure {
  readonly index: number
  readonly error: MongoError
}

/**
 * Runs the statements of a write: in order and up to the first that fails, or all of them (`ordered: false`). What failed
 * is told by its place; the others stand. A conflict with another transaction is none of theirs: it ends the command.
 */
export function eachStatement<T>(
  call: Call,
  statements: readonly T[],
  run: (statement: T, index: number) => void,
): readonly WriteFailure[] {
  const ordered = call.fields.bool('ordered') ?? true
  const failures: WriteFailure[] = []
  for (const [index, statement] of statements.entries()) {
    call.tick()
    try {
      run(statement, index)
    } catch (error) {
      if (!(error instanceof MongoError) || endsCommand(error)) throw error
      failures.push({ index, error })
      if (ordered || call.transaction !== undefined) break
    }
  }
  return failures
}

const endsCommand = ({ codeName }: MongoError): boolean =>
  codeName === 'WriteConflict' || codeName === 'MaxTimeMSExpired' || codeName === 'NoSuchTransaction'

export const writeErrors = (failures: readonly WriteFailure[]): Document =>
  failures.length === 0
    ? {}
    : {
        writeErrors: failures.map(({ index, error }) => ({
          index,
          code: error.code,
          ...error.extra,
          errmsg: error.message,
        })),
      }

/** @throws MongoError Location40414, InvalidLength, TypeMismatch, UnrecognizedCommandField */
export function statementsOf(
  call: Call,
  field: string,
  own?: Readonly<Record<string, FieldType>>,
): readonly Document[] {
  const list = call.fields.required(field, call.fields.array(field))
  if (list.length === 0 || list.length > MAX_WRITE_BATCH)
    throw new MongoError(
      'InvalidLength',
      `Write batch sizes must be between 1 and ${MAX_WRITE_BATCH}. Got ${list.length} operations.`,
    )
  return list.map((item, index) => {
    if (!isPlain(item))
      throw new MongoError(
        'TypeMismatch',
        `BSON field '${call.command.name}.${field}.${index}' is the wrong type, expected type 'object'`,
      )
    if (own !== undefined) checkFields(`${call.command.name}.${field}`, item, own, false)
    return item
  })
}
