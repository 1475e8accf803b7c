import { quote, type Report } from '../diagnostics.js'
import { isObject } from '../plain.js'
import { didYouMean } from '../suggest.js'
import type { FieldPath } from '../types.js'
import { pathText } from '../yaml/positions.js'
import type {
  At,
  IntegerOrStringSchema,
  IntegerSchema,
  ListSchema,
  ObjectSchema,
  Schema,
  StringSchema,
} from './schema.js'

/** What a scalar looks like in the file, where that differs from its value (`on` is read as true). */
export type Written = (path: FieldPath) => string | undefined

/** Holds a value against a schema and reports everything that is wrong, not only the first. A null field counts as missing. */
export function validate(value: unknown, schema: Schema, path: FieldPath, report: Report, written: Written): void {
  if (schema.type === 'open') return
  if (!hasType(value, schema)) {
    report('error', 'field.type', path, typeMessage(value, typeNames[schema.type], path, written))
    return
  }
  const at = placeOf(path, report)
  const below = (item: unknown, itemSchema: Schema, step: string | number) =>
    validate(item, itemSchema, [...path, step], report, written)
  switch (schema.type) {
    case 'object': {
      const fields = value as Record<string, unknown>
      checkNames(fields, schema, path, report)
      for (const [name, fieldSchema] of Object.entries(schema.fields)) {
        if (Object.hasOwn(fields, name) && fields[name] !== null) below(fields[name], fieldSchema, name)
      }
      schema.check?.(fields, at)
      break
    }
    case 'map': {
      const entries = value as Record<string, unknown>
      for (const [name, item] of Object.entries(entries)) below(item, schema.values, name)
      checkCount(Object.keys(entries).length, 0, schema.maxProperties, path, report)
      schema.check?.(entries, at)
      break
    }
    case 'list': {
      const items = value as unknown[]
      for (const [index, item] of items.entries()) below(item, schema.items, index)
      checkCount(items.length, schema.minItems, schema.maxItems, path, report)
      if (schema.unique !== undefined) checkUnique(items, schema.unique, path, report)
      schema.check?.(items, at)
      break
    }
    case 'string': {
      const text = value as string
      if (!checkText(text, schema, path, report)) return
      schema.check?.(text, at)
      break
    }
    case 'integer':
      checkInteger(value as number, schema, path, report)
      break
    case 'integerOrString':
      if (typeof value === 'number') checkInteger(value, { type: 'integer', ...bounds(schema) }, path, report)
      else checkText(value as string, { type: 'string', ...values(schema) }, path, report)
      break
  }
}

const bounds = ({ min, max }: IntegerOrStringSchema) => ({
  ...(min === undefined ? {} : { min }),
  ...(max === undefined ? {} : { max }),
})
const values = ({ oneOf }: IntegerOrStringSchema) => (oneOf === undefined ? {} : { oneOf })

function checkCount(
  count: number,
  least: number | undefined,
  most: number | undefined,
  path: FieldPath,
  report: Report,
): void {
  const entries = `${pathText(path)} has ${count} ${count === 1 ? 'entry' : 'entries'}`
  if (most !== undefined && count > most) {
    report('error', 'field.too-many', path, `${entries}, and at most ${most} are taken`)
  } else if (least !== undefined && count < least) {
    report('error', 'field.too-few', path, `${entries}, and at least ${least} must be there`)
  }
}

function checkUnique(
  items: readonly unknown[],
  unique: NonNullable<ListSchema['unique']>,
  path: FieldPath,
  report: Report,
): void {
  const seen = new Set<unknown>()
  for (const [index, item] of items.entries()) {
    const value = unique === 'whole' ? item : isObject(item) ? item[unique.field] : undefined
    if (typeof value !== 'string' && typeof value !== 'number') continue
    if (seen.has(value)) {
      const what = unique === 'whole' ? quote(value) : `the ${unique.field} ${quote(value)}`
      report('error', 'field.repeated', [...path, index], `${pathText(path)} has ${what} twice`)
    }
    seen.add(value)
  }
}

/** Whether it may be looked into further. */
function checkText(text: string, schema: StringSchema, path: FieldPath, report: Report): boolean {
  const refuse = (message: string): false => {
    report('error', 'field.value', path, `${pathText(path)} ${message}`)
    return false
  }
  const { oneOf, minLength = 0, maxLength = Number.POSITIVE_INFINITY, form } = schema
  if (oneOf !== undefined && !oneOf.includes(text))
    return refuse(`is ${quote(text)}, and must be one of ${oneOf.join(', ')}${didYouMean(text, oneOf)}`)
  if (text.length < minLength) return refuse('is empty, and must not be')
  if (text.length > maxLength) return refuse(`has ${text.length} characters, and at most ${maxLength} are taken`)
  if (form !== undefined && !form.pattern.test(text)) return refuse(`is ${quote(text)}, which is not ${form.says}`)
  return true
}

function checkInteger(value: number, { oneOf, min, max }: IntegerSchema, path: FieldPath, report: Report): void {
  const low = min !== undefined && value < min
  const high = max !== undefined && value > max
  if (oneOf === undefined ? !low && !high : oneOf.includes(value)) return
  const range = min === undefined ? `at most ${max}` : max === undefined ? `at least ${min}` : `from ${min} to ${max}`
  const wanted = oneOf === undefined ? range : `one of ${oneOf.join(', ')}`
  report('error', 'field.value', path, `${pathText(path)} is ${value}, and must be ${wanted}`)
}

function checkNames(fields: Record<string, unknown>, schema: ObjectSchema, path: FieldPath, report: Report): void {
  for (const name of Object.keys(fields)) {
    if (!Object.hasOwn(schema.fields, name)) {
      const { refused = {} } = schema
      const message = Object.hasOwn(refused, name)
        ? `${pathText([...path, name])} is not taken: ${refused[name]}`
        : unknownMessage(name, path, Object.keys(schema.fields))
      report('error', 'field.unknown', [...path, name], message)
    }
  }
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(fields, name) || fields[name] === null) {
      report('error', 'field.missing', path, `${pathText([...path, name])} is missing, and must be set`)
    }
  }
}

export function unknownMessage(name: string, parent: FieldPath, known: readonly string[]): string {
  const where = parent.length === 0 ? 'the object' : pathText(parent)
  const hint = didYouMean(name, known)
  const fields = hint === '' && known.length > 0 && known.length <= 16 ? `; it takes ${known.join(', ')}` : ''
  return `unknown field ${quote(name)} in ${where}${hint}${fields}`
}

export function typeMessage(value: unknown, needed: string, path: FieldPath, written: Written): string {
  const name = path.length === 0 ? 'the object' : pathText(path)
  if (value === null) return `${name} is empty (null), and must be ${needed}`
  const source = written(path)
  const isText = typeof value === 'string'
  if (needed.includes('string') && source !== undefined && !isText) {
    const readAs = source === String(value) ? '' : ` (read as ${quote(value)}, as Kubernetes does)`
    return `${name} is ${source}${readAs}, a ${typeof value}, and must be ${needed}; put it in quotes: "${source}"`
  }
  const unquote = isText && needed.includes('integer') && /^[0-9]+$/.test(value) ? '; take the quotes away' : ''
  return `${name} is ${kindOf(value)}${typeof value === 'object' ? '' : ` ${quote(value)}`}, and must be ${needed}${unquote}`
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `the ${typeof value}`
}

const typeNames = {
  object: 'an object',
  map: 'an object',
  list: 'a list',
  string: 'a string',
  boolean: 'true or false',
  integer: 'an integer',
  integerOrString: 'an integer or a string',
} as const

function hasType(value: unknown, schema: Exclude<Schema, { type: 'open' }>): boolean {
  switch (schema.type) {
    case 'object':
    case 'map':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
    case 'list':
      return Array.isArray(value)
    case 'integer':
      return Number.isInteger(value)
    case 'integerOrString':
      return typeof value === 'string' || Number.isInteger(value)
    default:
      return typeof value === schema.type
  }
}

/** What a check says is told with the field it says it of. */
function placeOf(path: FieldPath, report: Report): At {
  const say = (message: string) => (path.length === 0 ? message : `${pathText(path)}: ${message}`)
  return {
    error: (code, message) => report('error', code, path, say(message)),
    warn: (code, message) => report('warning', code, path, say(message)),
    at: (...steps) => placeOf([...path, ...steps], report),
  }
}
