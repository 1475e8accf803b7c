import { createRequire } from 'node:module'
import { isDeepStrictEqual } from 'node:util'
import type { Ajv } from 'ajv'
import type { Document } from 'bson'
import { MongoError } from '../errors.js'
import { compileRegex } from '../query/regex.js'
import { decode, encode } from '../values/decode.js'
import { explain } from './explain.js'
import { addKeywords, boxed } from './keywords.js'
import { translate } from './translate.js'

export interface JsonSchema {
  readonly test: (document: Document) => boolean
  /** `errInfo.details` of a document that is not valid. */
  readonly explain: (document: Document) => Document
}

/** Loaded with the first schema, which most servers never see: it is a fifth of what this package takes to import. */
const loadAjv = (): typeof import('ajv') => createRequire(import.meta.url)('ajv')

/** Patterns of `patternProperties`: they must not hold the server up either. */
const linear = Object.assign((pattern: string) => ({ test: compileRegex(pattern, '') }), { code: 'linear' })

/** How many schemas are kept as made. */
const KEPT = 32

/**
 * What was made of the last schemas, by their bytes: each takes some milliseconds, and who opens one store after the other in
 * a process (tests of what uses a database) has the same ones in all of them.
 */
const kept = new Map<string, JsonSchema>()

/** @throws MongoError FailedToParse, TypeMismatch, BadValue */
export function jsonSchema(schema: Document): JsonSchema {
  const bytes = encode(schema)
  // What bytes do not tell apart (undefined and null) is no key.
  const key = isDeepStrictEqual(decode(bytes), schema) ? Buffer.from(bytes).toString('latin1') : undefined
  const known = key === undefined ? undefined : kept.get(key)
  const made = known ?? make(schema)
  if (key === undefined) return made
  kept.delete(key)
  kept.set(key, made)
  for (const oldest of kept.keys()) {
    if (kept.size <= KEPT) break
    kept.delete(oldest)
  }
  return made
}

function make(schema: Document): JsonSchema {
  const translated = translate(schema)
  // Not strict: a rule for arrays beside one for documents is no mistake here, since the type is another keyword's. What is
  // well formed has been seen to by `translate`.
  const ajv: Ajv = new (loadAjv().Ajv)({
    allErrors: true,
    verbose: true,
    strict: false,
    meta: false,
    validateSchema: false,
    validateFormats: false,
    ownProperties: true,
    code: { regExp: linear },
  })
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
