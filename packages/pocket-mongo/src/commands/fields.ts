import { type Document, Long } from 'bson'
import { MongoError } from '../errors.js'
import { isPlain } from '../values/decode.js'
import { isNumeric } from '../values/numbers.js'
import { show } from '../values/show.js'
import { typeOf } from '../values/types.js'
import type { FieldType } from './types.js'

/** Fields that every command may have (MongoDB, "Generic arguments"). */
const generic: Readonly<Record<string, FieldType>> = {
  $db: 'string',
  $clusterTime: 'passed over',
  $readPreference: 'passed over',
  $configServerState: 'passed over',
  lsid: 'object',
  txnNumber: 'number',
  autocommit: 'bool',
  startTransaction: 'bool',
  readConcern: 'object',
  writeConcern: 'object',
  maxTimeMS: 'number',
  comment: 'passed over',
  apiVersion: 'string',
  apiStrict: 'bool',
  apiDeprecationErrors: 'bool',
}

/**
 * Holds a command's fields against what is known of it.
 *
 * @param name of the command, or of the statement in it: for people
 * @param own undefined: any field will do
 * @throws MongoError UnrecognizedCommandField, TypeMismatch, NotImplemented
 */
export function checkFields(
  name: string,
  document: Document,
  own: Readonly<Record<string, FieldType>> | undefined,
  isCommand = true,
): void {
  for (const field of Object.keys(document)) {
    const type = lookUp(own, field) ?? (isCommand ? lookUp(generic, field) : undefined)
    if (type === undefined) {
      if (own === undefined || (isCommand && field === name)) continue
      throw new MongoError('UnrecognizedCommandField', `BSON field '${name}.${field}' is an unknown field.`)
    }
    checkField(name, field, type, document[field])
  }
}

const lookUp = (types: Readonly<Record<string, FieldType>> | undefined, field: string): FieldType | undefined =>
  types !== undefined && Object.hasOwn(types, field) ? types[field] : undefined

const types: Readonly<Record<Exclude<FieldType, 'refused' | 'passed over'>, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  object: isPlain,
  array: Array.isArray,
  number: isNumeric,
  bool: (value) => typeof value === 'boolean' || isNumeric(value),
  any: () => true,
}

function checkField(name: string, field: string, type: FieldType, value: unknown): void {
  // MongoDB reads null as no value at all.
  if (type === 'passed over' || value === null || value === undefined) return
  if (type === 'refused') {
    if (value === false) return
    throw new MongoError('NotImplemented', `'${field}' of ${name} is not supported by this server`)
  }
  if (!types[type](value))
    throw new MongoError(
      'TypeMismatch',
      `BSON field '${name}.${field}' is the wrong type '${typeOf(value)}', expected type '${type}'`,
    )
}

/** Reads fields whose types `checkFields` has seen; null is as good as nothing. */
export class Fields {
  readonly document: Document
  readonly #name: string

  constructor(document: Document, name: string) {
    this.document = document
    this.#name = name
  }

  any(field: string): unknown {
    const value: unknown = Object.hasOwn(this.document, field) ? this.document[field] : undefined
    return value === null ? undefined : value
  }

  string(field: string): string | undefined {
    const value = this.any(field)
    return typeof value === 'string' ? value : undefined
  }

  object(field: string): Document | undefined {
    const value = this.any(field)
    return isPlain(value) ? value : undefined
  }

  array(field: string): readonly unknown[] | undefined {
    const value = this.any(field)
    return Array.isArray(value) ? value : undefined
  }

  bool(field: string): boolean | undefined {
    const value = this.any(field)
    return value === undefined ? undefined : isNumeric(value) ? Number(value) !== 0 : value === true
  }

  bigint(field: string): bigint | undefined {
    const value = this.any(field)
    if (!isNumeric(value)) return undefined
    if (value instanceof Long) return value.toBigInt()
    if (!Number.isInteger(Number(value))) throw this.#wrong(field, value, 'a whole number')
    return BigInt(typeof value === 'number' ? value : value.toString())
  }

  /** A whole number from 0 up. @throws MongoError BadValue */
  count(field: string): number | undefined {
    const value = this.any(field)
    if (!isNumeric(value)) return undefined
    const number = Number(value)
    if (!Number.isInteger(number)) throw this.#wrong(field, value, 'a whole number')
    if (number < 0)
      throw new MongoError('Location51024', `BSON field '${field}' value must be >= 0, actual value '${number}'`)
    return number
  }

  /** @throws MongoError Location40414 */
  required<T>(field: string, value: T | undefined): T {
    if (value !== undefined) return value
    throw new MongoError('Location40414', `BSON field '${this.#name}.${field}' is missing but a required field`)
  }

  #wrong(field: string, value: unknown, wanted: string): MongoError {
    return new MongoError('BadValue', `BSON field '${this.#name}.${field}' has to be ${wanted}: ${show(value)}`)
  }
}
