import type { Document } from 'bson'
import { MongoError } from '../errors.js'
import type { Schema } from '../store/state.js'
import type { CollectionOptions, Stored } from '../store/types.js'
import { isPlain } from '../values/decode.js'
import { type JsonSchema, jsonSchema } from './json-schema.js'
import { matcherOf } from './matcher.js'

type Validator = JsonSchema

/** Made once for each version of a collection's options. */
const validators = new WeakMap<CollectionOptions, Validator>()

/**
 * Holds a document against its collection's validator.
 *
 * @param old what it takes the place of
 * @throws MongoError DocumentValidationFailure
 */
export function checkValid(
  schema: Schema,
  doc: Document,
  old: Stored | undefined,
  people: { note(text: string): void },
): void {
  const { validationLevel = 'strict', validationAction = 'error' } = schema.options
  const validator = validatorOf(schema.options)
  if (validator === undefined || validationLevel === 'off' || validator.test(doc)) return
  // What was not valid before the validator came may be changed, and stay so.
  if (validationLevel === 'moderate' && old !== undefined && !validator.test(old.doc)) return
  if (validationAction === 'warn') {
    people.note(`a document of ${schema.ns} does not meet the collection's validator, which only warns`)
    return
  }
  throw new MongoError('DocumentValidationFailure', 'Document failed validation', {
    extra: { errInfo: { failingDocumentId: doc._id, details: validator.explain(doc) } },
  })
}

/** @throws MongoError when the validator is none */
export function checkOptions(schema: Schema): void {
  validatorOf(schema.options)
}

function validatorOf(options: CollectionOptions): Validator | undefined {
  const { validator } = options
  if (validator === undefined || Object.keys(validator).length === 0) return undefined
  const made = validators.get(options) ?? make(validator)
  validators.set(options, made)
  return made
}

function make(validator: Document): Validator {
  const schema: unknown = validator.$jsonSchema
  if (Object.keys(validator).length === 1 && isPlain(schema)) return jsonSchema(schema)
  const test = matcherOf(validator)
  return { test, explain: () => ({ operatorName: '$and', reason: 'the document does not match the validator' }) }
}
