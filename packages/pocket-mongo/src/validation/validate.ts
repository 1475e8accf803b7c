import type { Document } from 'bson'
import { MongoError } from '../errors.js'
import type { Schema } from '../store/state.js'
import type { Stored } from '../store/types.js'
import { matcherOf } from './matcher.js'

/**
 * Holds a document against its collection's validator.
 *
 * @throws MongoError DocumentValidationFailure
 */
export function checkValid(
  schema: Schema,
  doc: Document,
  old: Stored | undefined,
  people: { note(text: string): void },
): void {
  const { validator, validationLevel = 'strict', validationAction = 'error' } = schema.options
  if (validator === undefined || validationLevel === 'off') return
  const valid = matcherOf(validator)
  if (valid(doc)) return
  // What was not valid before the validator came may be changed, and stay so.
  if (validationLevel === 'moderate' && old !== undefined && !valid(old.doc)) return
  if (validationAction === 'warn') {
    people.note(`a document of ${schema.ns} does not meet its validator`)
    return
  }
  throw new MongoError('DocumentValidationFailure', 'Document failed validation', {
    extra: { errInfo: { failingDocumentId: doc._id, details: { operatorName: '$expr' } } },
  })
}

/** @throws MongoError when the validator is none */
export function checkOptions(schema: Schema): void {
  if (schema.options.validator !== undefined) matcherOf(schema.options.validator)
}
