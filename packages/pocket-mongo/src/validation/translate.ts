import type { Document } from 'bson'
import { MongoError } from '../errors.js'
import { compileRegex } from '../query/regex.js'
import { isPlain } from '../values/decode.js'
import { isNumeric } from '../values/numbers.js'
import { typesNamed } from '../values/types.js'

/*
 * `$jsonSchema` is draft 4 with BSON's types (MongoDB, "$jsonSchema"). ajv reads a later draft, and knows JSON's types
 * alone: what asks for a type, compares numbers or tells values apart is handed to keywords of our own (keywords.ts), the
 * rest stays what it is.
 */

/** Told in the answer: it stands beside each keyword that was translated. */
export type Translated = Record<string, unknown>

const counts = new Set(['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties'])
const many = new Set(['allOf', 'anyOf', 'oneOf'])
const maps = new Set(['properties', 'patternProperties'])
const words = new Set(['title', 'description'])
const unsupported = new Set(['$ref', '$schema', 'default', 'definitions', 'format', 'id', 'encrypt', 'encryptMetadata'])

/** @throws MongoError FailedToParse, TypeMismatch, BadValue, Location51091 */
export function translate(schema: unknown, at = '$jsonSchema'): Translated {
  if (!isPlain(schema)) throw new MongoError('TypeMismatch', `${at} must be an object`)
  const result: Translated = {}
  for (const [keyword, value] of Object.entries(schema)) Object.assign(result, keywordOf(keyword, value, schema, at))
  return result
}

function keywordOf(keyword: string, value: unknown, schema: Document, at: string): Translated {
  const where = `${at}.${keyword}`
  if (words.has(keyword)) return { [keyword]: text(value, where) }
  if (counts.has(keyword)) return { [keyword]: count(value, where) }
  if (keyword === 'patternProperties') for (const pattern of Object.keys(Object(value))) compileRegex(pattern, '')
  if (maps.has(keyword)) return { [keyword]: mapped(value, where) }
  if (many.has(keyword)) {
    if (!Array.isArray(value) || value.length === 0) throw mismatch(where, 'an array that is not empty')
    return { [keyword]: value.map((item: unknown, index) => translate(item, `${where}[${index}]`)) }
  }
  switch (keyword) {
    case 'bsonType':
      return { bsonType: types(value, where) }
    case 'type':
      return { jsonType: types(value, where) }
    case 'enum':
      if (!Array.isArray(value) || value.length === 0) throw mismatch(where, 'an array that is not empty')
      return { bsonEnum: value }
    case 'minimum':
      return { bsonMinimum: { value: numeric(value, where), exclusive: schema.exclusiveMinimum === true } }
    case 'maximum':
      return { bsonMaximum: { value: numeric(value, where), exclusive: schema.exclusiveMaximum === true } }
    case 'exclusiveMinimum':
    case 'exclusiveMaximum': {
      const bound = keyword === 'exclusiveMinimum' ? 'minimum' : 'maximum'
      if (typeof value !== 'boolean') throw mismatch(where, 'a boolean, as in draft 4')
      if (!Object.hasOwn(schema, bound)) throw new MongoError('FailedToParse', `${where} needs a ${bound} beside it`)
      return {}
    }
    case 'multipleOf':
      return { bsonMultipleOf: numeric(value, where) }
    case 'pattern':
      return { bsonPattern: text(value, where) }
    case 'uniqueItems':
      if (typeof value !== 'boolean') throw mismatch(where, 'a boolean')
      return value ? { bsonUniqueItems: true } : {}
    case 'not':
      return { not: translate(value, where) }
    case 'items':
      return {
        items: Array.isArray(value)
          ? value.map((item: unknown, index) => translate(item, `${where}[${index}]`))
          : translate(value, where),
      }
    case 'additionalItems':
    case 'additionalProperties':
      return { [keyword]: typeof value === 'boolean' ? value : translate(value, where) }
    case 'required':
      return { required: names(value, where) }
    case 'dependencies':
      if (!isPlain(value)) throw mismatch(where, 'an object')
      return {
        dependencies: Object.fromEntries(
          Object.entries(value).map(([name, needs]) => [
            name,
            Array.isArray(needs) ? names(needs, `${where}.${name}`) : translate(needs, `${where}.${name}`),
          ]),
        ),
      }
  }
  throw unsupported.has(keyword)
    ? new MongoError('FailedToParse', `$jsonSchema keyword '${keyword}' is not currently supported`)
    : new MongoError('FailedToParse', `Unknown $jsonSchema keyword: ${keyword}`)
}

const mismatch = (where: string, wanted: string): MongoError =>
  new MongoError('TypeMismatch', `${where} must be ${wanted}`)

function text(value: unknown, where: string): string {
  if (typeof value !== 'string') throw mismatch(where, 'a string')
  return value
}

function count(value: unknown, where: string): number {
  const number = isNumeric(value) ? Number(value) : Number.NaN
  if (!Number.isSafeInteger(number) || number < 0) throw mismatch(where, 'a whole number that is not negative')
  return number
}

function numeric(value: unknown, where: string): unknown {
  if (!isNumeric(value)) throw mismatch(where, 'a number')
  return value
}

function names(value: unknown, where: string): readonly string[] {
  const wellFormed = Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string')
  if (!wellFormed || new Set(value).size < value.length)
    throw mismatch(where, 'an array of names, at least one, each once')
  return value
}

function mapped(value: unknown, where: string): Translated {
  if (!isPlain(value)) throw mismatch(where, 'an object')
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, translate(inner, `${where}.${name}`)]))
}

function types(value: unknown, where: string): readonly string[] {
  const all: unknown = typeof value === 'string' ? [value] : value
  if (!Array.isArray(all) || all.length === 0) throw mismatch(where, 'the name of a type, or an array of names')
  for (const name of all) {
    const known =
      typeof name === 'string' && (where.endsWith('.type') ? jsonTypes.has(name) : typesNamed(name) !== undefined)
    if (!known) throw new MongoError('BadValue', `${where}: unknown type name alias: ${String(name)}`)
  }
  return all
}

const jsonTypes = new Set(['object', 'array', 'string', 'number', 'boolean', 'null'])
