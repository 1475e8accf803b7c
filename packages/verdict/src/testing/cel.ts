import { Budget, CelError, CelSyntaxError, compileCel, type Declarations } from '../admission/cel/index.js'
import {
  CelValue,
  Double,
  entry,
  isList,
  isMap,
  keysOf,
  Message,
  Optional,
  TypeValue,
  Uint,
} from '../admission/cel/values.js'

/*
 * Test code: one expression, and what comes of it as text.
 */

export function evaluated(
  source: string,
  roots: Readonly<Record<string, unknown>> = {},
  declared: Partial<Declarations> = {},
): unknown {
  const names = new Map(Object.keys(roots).map((name) => [name, 'dyn'] as const))
  const program = compileCel(source, { roots: names, mixed: true, ...declared })
  if (program.notModelled.length > 0) throw new NotModelled(program.notModelled.join(', '))
  return program.evaluate({ roots: new Map(Object.entries(roots)), budget: new Budget() })
}

class NotModelled extends Error {}

/** The value as CEL would write it; an error as `error: ...`, a mistake as `mistake at 3: ...`. */
export function said(
  source: string,
  roots: Readonly<Record<string, unknown>> = {},
  declared: Partial<Declarations> = {},
): string {
  try {
    return shown(evaluated(source, roots, declared))
  } catch (error) {
    if (error instanceof CelSyntaxError) return `mistake at ${error.offset}: ${error.message}`
    if (error instanceof CelError) return `error: ${error.message}`
    if (error instanceof NotModelled) return `not modelled: ${error.message}`
    throw error
  }
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof Uint8Array) return `b[${[...value].join(' ')}]`
  if (isList(value)) return `[${value.map(shown).join(', ')}]`
  if (isMap(value))
    return `{${keysOf(value)
      .map((key) => `${shown(key)}: ${shown(entry(value, key))}`)
      .join(', ')}}`
  if (value instanceof Double) return Number.isInteger(value.value) ? `${value.value}.0` : String(value.value)
  if (value instanceof Uint) return `${value.value}u`
  if (value instanceof TypeValue) return value.name
  if (value instanceof Optional) return value.value === undefined ? 'none' : `some(${shown(value.value)})`
  if (value instanceof Message) return `${value.type}${shown(value.fields)}`
  return value instanceof CelValue ? `${value.type}(${value})` : String(value)
}
