import { quote, type Report } from '../diagnostics.js'
import { didYouMean } from '../suggest.js'
import type { FieldPath } from '../types.js'
import { pathText } from '../yaml/positions.js'
import type { At, ObjectSchema, Schema } from './schema.js'

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
      schema.check?.(entries, at)
      break
    }
    case 'list': {
      const items = value as unknown[]
      for (const [index, item] of items.entries()) below(item, schema.items, index)
      if (schema.maxItems !== undefined && items.length > schema.maxItems) {
        report(
          'error',
          'field.too-many',
          path,
          `${pathText(path)} has ${items.length} entries, and at most ${schema.maxItems} are taken`,
        )
      }
      schema.check?.(items, at)
      break
    }
    case 'string': {
      const text = value as string
      if (schema.oneOf !== undefined && !schema.oneOf.includes(text)) {
        const hint = didYouMean(text, schema.oneOf)
        report(
          'error',
          'field.value',
          path,
          `${pathText(path)} is ${quote(text)}, and must be one of ${schema.oneOf.join(', ')}${hint}`,
        )
        return
      }
      if (schema.maxLength !== undefined && text.length > schema.maxLength) {
        report(
          'error',
          'field.value',
          path,
          `${pathText(path)} has ${text.length} characters, and at most ${schema.maxLength} are taken`,
        )
      }
      schema.check?.(text, at)
      break
    }
  }
}

function checkNames(fields: Record<string, unknown>, schema: ObjectSchema, path: FieldPath, report: Report): void {
  for (const name of Object.keys(fields)) {
    if (!Object.hasOwn(schema.fields, name)) {
      report('error', 'field.unknown', [...path, name], unknownMessage(name, path, Object.keys(schema.fields)))
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
