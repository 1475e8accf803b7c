/*
 * A schema is data: what an object of a kind may hold, and the checks of single values. validate.ts walks it.
 * Fields, enumerations and bounds follow the CustomResourceDefinition of the kind (a test holds the two together);
 * the checks follow what its admission webhook refuses beyond that.
 */

export interface At {
  error(code: string, message: string): void
  warn(code: string, message: string): void
  /** The same, for a field of this value. */
  at(...path: (string | number)[]): At
}

/** Says what is wrong with a value of the right type, or nothing. */
export type Check<T> = (value: T, at: At) => void

export interface ObjectSchema {
  readonly type: 'object'
  readonly fields: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  /** Fields that are no more, or that belong elsewhere, each with what to do instead: unknown ones with a better sentence. */
  readonly refused?: Readonly<Record<string, string>>
  readonly check?: Check<Readonly<Record<string, unknown>>>
}

export interface MapSchema {
  readonly type: 'map'
  readonly values: Schema
  readonly maxProperties?: number
  readonly check?: Check<Readonly<Record<string, unknown>>>
}

export interface ListSchema {
  readonly type: 'list'
  readonly items: Schema
  readonly minItems?: number
  readonly maxItems?: number
  /** No two entries are alike: as a whole, or in the field of that name. */
  readonly unique?: 'whole' | { readonly field: string }
  readonly check?: Check<readonly unknown[]>
}

export interface StringSchema {
  readonly type: 'string'
  readonly oneOf?: readonly string[]
  readonly minLength?: number
  readonly maxLength?: number
  readonly form?: Form
  readonly check?: Check<string>
}

/** A form that text must have. `says` ends the sentence "it is not ...". */
export interface Form {
  readonly pattern: RegExp
  readonly says: string
}

export interface IntegerSchema {
  readonly type: 'integer'
  readonly oneOf?: readonly number[]
  readonly min?: number
  readonly max?: number
}

/** As the API's IntOrString. The bounds are of a number, the values of text. */
export interface IntegerOrStringSchema {
  readonly type: 'integerOrString'
  readonly min?: number
  readonly max?: number
  readonly oneOf?: readonly string[]
}

/** `open`: anything, unread (a status, managed fields). */
export type Schema =
  | ObjectSchema
  | MapSchema
  | ListSchema
  | StringSchema
  | IntegerSchema
  | IntegerOrStringSchema
  | { readonly type: 'boolean' }
  | { readonly type: 'open' }

type Rest<T> = Omit<T, 'type' | 'fields' | 'values' | 'items'>

export const object = (fields: ObjectSchema['fields'], rest: Rest<ObjectSchema> = {}): ObjectSchema => ({
  type: 'object',
  fields,
  ...rest,
})
export const map = (values: Schema, rest: Rest<MapSchema> = {}): MapSchema => ({ type: 'map', values, ...rest })
export const list = (items: Schema, rest: Rest<ListSchema> = {}): ListSchema => ({ type: 'list', items, ...rest })
export const string = (rest: Rest<StringSchema> = {}): StringSchema => ({ type: 'string', ...rest })
export const boolean: Schema = { type: 'boolean' }
export const integer: Schema = { type: 'integer' }
export const integerOf = (rest: Rest<IntegerSchema>): IntegerSchema => ({ type: 'integer', ...rest })
export const open: Schema = { type: 'open' }
