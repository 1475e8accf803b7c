import { Ajv } from 'ajv'
import type { Document } from 'bson'
import { MongoError } from '../errors.js'
import { explain } from './explain.js'
import { addKeywords, boxed } from './keywords.js'
import { translate } from './translate.js'

export interface JsonSchema {
  readonly test: (document: Document) => boolean
  /** `errInfo.details` of a document that is not valid. */
  readonly explain: (document: Document) => Document
}

/** @throws MongoError FailedToParse, TypeMismatch, BadValue */
export function jsonSchema(schema: Document): JsonSchema {
  const translated = translate(schema)
  // Not strict: a rule for arrays beside one for documents is no mistake here, since the type is another keyword's.
  const ajv = new Ajv({ allErrors: true, verbose: true, strict: false, validateFormats: false, ownProperties: true })
  addKeywords(ajv)
  let validate: ReturnType<Ajv['compile']>
  try {
    validate = ajv.compile(translated)
  } catch (error) {
    if (error instanceof MongoError) throw error
    throw new MongoError('FailedToParse', `$jsonSchema cannot be read: ${(error as Error).message}`)
  }
  return {
    test: (document) => validate(boxed(document)) === true,
    explain: (document) => {
      validate(boxed(document))
      return explain(validate.errors ?? [], document)
    },
  }
}
