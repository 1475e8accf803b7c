import type { Document } from 'bson'
import { MongoError } from '../errors.js'
import { isPlain } from '../values/decode.js'
import { type Ask, isOperator, type Matcher, type Operator, operators } from './operators.js'
import { someAt } from './path.js'
import { equalTo } from './predicates.js'
import { regexOf } from './regex.js'

/*
 * A filter, read once, asked of many documents (MongoDB, "Query Predicates"). It is written here because the answer depends
 * on BSON's types: a library over JavaScript's values compares Long and Decimal128 as text, orders values of different
 * types otherwise, and treats a field that only some documents of an array have as if none had it not.
 */

export interface FilterContext {
  /** What `$expr` is judged by; absent: it is refused. */
  readonly expression?: (expression: unknown) => (document: Document) => boolean
  /** What `$jsonSchema` is judged by; absent: it is refused. */
  readonly jsonSchema?: (schema: Document) => (document: Document) => boolean
}

export type Filter = (document: Document) => boolean

/** Known to MongoDB, not here. */
const refused = new Set(['$where', '$text', '$function', '$sampleRate', '$_internalSchemaObjectMatch'])

/** @throws MongoError BadValue, NotImplemented */
export function compileFilter(filter: Document, context: FilterContext = {}): Filter {
  const tests = Object.keys(filter).map((key) => compileEntry(key, filter[key], context))
  const [first, second] = tests
  if (first === undefined) return () => true
  if (second === undefined) return first
  return (document) => tests.every((test) => test(document))
}

function compileEntry(key: string, value: unknown, context: FilterContext): Filter {
  if (!key.startsWith('$')) return compileField(key, value, context)
  switch (key) {
    case '$and':
      return all(clauses(key, value, context))
    case '$or':
      return any(clauses(key, value, context))
    case '$nor': {
      const some = any(clauses(key, value, context))
      return (document) => !some(document)
    }
    case '$comment':
      return () => true
    case '$expr':
      if (context.expression === undefined) break
      return context.expression(value)
    case '$jsonSchema':
      if (context.jsonSchema === undefined) break
      if (!isPlain(value)) throw new MongoError('TypeMismatch', '$jsonSchema must be an object')
      return context.jsonSchema(value)
    default:
      if (!refused.has(key))
        throw new MongoError(
          'BadValue',
          `unknown top level operator: ${key}. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.`,
        )
  }
  throw new MongoError('NotImplemented', `${key} is not supported here by this server`)
}

function clauses(key: string, value: unknown, context: FilterContext): readonly Filter[] {
  if (!Array.isArray(value)) throw new MongoError('BadValue', `${key} must be an array`)
  if (value.length === 0) throw new MongoError('BadValue', '$and/$or/$nor must be a nonempty array')
  return value.map((clause: unknown) => {
    if (!isPlain(clause)) throw new MongoError('BadValue', '$or/$and/$nor entries need to be full objects')
    return compileFilter(clause, context)
  })
}

const all =
  (filters: readonly Filter[]): Filter =>
  (document) =>
    filters.every((filter) => filter(document))
const any =
  (filters: readonly Filter[]): Filter =>
  (document) =>
    filters.some((filter) => filter(document))

function compileField(field: string, value: unknown, context: FilterContext): Filter {
  const path = field.split('.')
  if (!isOperator(value) && regexOf(value) === undefined) {
    const test = equalTo(value)
    return (document) => someAt(document, path, true, test)
  }
  const matchers = compileOperand(value, context)
  return (document) => {
    const ask: Ask = (elements, test) => someAt(document, path, elements, test)
    return matchers.every((matcher) => matcher(ask))
  }
}

/** What stands behind a field's name: a regular expression or operators. */
function compileOperand(value: unknown, context: FilterContext): readonly Matcher[] {
  const tools = {
    filter: (filter: Document) => compileFilter(filter, context),
    operators: (operand: Document) => compileOperand(operand, context),
  }
  if (!isOperator(value)) return [operators.$regex(value, {})]
  const matchers: Matcher[] = []
  for (const name of Object.keys(value)) {
    if (name === '$options') {
      if (!Object.hasOwn(value, '$regex')) throw new MongoError('BadValue', '$options needs a $regex')
      continue
    }
    const operator = Object.hasOwn(known, name) ? known[name] : undefined
    if (operator === undefined) throw unknown(name)
    matchers.push(operator(value[name], value, tools))
  }
  return matchers
}

const known: Readonly<Record<string, Operator>> = operators

const others = new Set([
  ...['$geoWithin', '$geoIntersects', '$near', '$nearSphere', '$geoNear', '$within'],
  ...['$bitsAllSet', '$bitsAnySet', '$bitsAllClear', '$bitsAnyClear'],
])

function unknown(name: string): MongoError {
  if (others.has(name)) return new MongoError('NotImplemented', `${name} is not supported by this server`)
  return new MongoError('BadValue', `unknown operator: ${name}`)
}
