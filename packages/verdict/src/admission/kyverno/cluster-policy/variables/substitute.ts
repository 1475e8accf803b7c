import { isDict, isList, put } from '../data.js'
import { MAX_POLICY_DEPTH, MAX_ROUNDS, MAX_TEXT, NotModelled } from '../limits.js'
import { findVariable } from './braces.js'
import type { Context } from './context.js'
import { QueryError } from './interpreter.js'
import { goJson } from './json.js'
import { resolveReferences } from './references.js'
import { selfPath } from './self.js'

/*
 * Variables and references in what a policy says. A text that is one variable becomes the value, of whatever type; inside of
 * a text a value becomes text. What is put in is looked at again, as Kyverno looks at it: an object's own text can hold
 * variables too.
 */

/** Throws QueryError with Kyverno's words, or NotModelled. */
export function substitute(document: unknown, context: Context): unknown {
  if (!isDynamic(document)) return document
  return walk(resolveReferences(document), '', context, 0)
}

const dynamic = new WeakMap<object, boolean>()

function isDynamic(document: unknown): boolean {
  if (typeof document === 'string') return document.includes('{{') || document.includes('$(')
  if (typeof document !== 'object' || document === null) return false
  const known = dynamic.get(document)
  if (known !== undefined) return known
  const is = Object.entries(document).some(([key, value]) => isDynamic(key) || isDynamic(value))
  dynamic.set(document, is)
  return is
}

function walk(element: unknown, path: string, context: Context, depth: number): unknown {
  context.budget.spend()
  if (depth > MAX_POLICY_DEPTH * 2) throw new NotModelled('a value of a variable that is nested too deep')
  const value = typeof element === 'string' ? resolve(element, path, context) : element
  if (isList(value)) return value.map((item, index) => walk(item, `${path}/${index}`, context, depth + 1))
  if (!isDict(value)) return value
  const made = {}
  for (const [key, item] of Object.entries(value)) {
    const name = resolve(key, path, context)
    if (typeof name !== 'string' && name !== null)
      throw new QueryError(`expected string after substituting variables in key "${key}"`)
    put(made, name ?? key, walk(item, `${path}/${key.replaceAll('/', '\\/')}`, context, depth + 1))
  }
  return made
}

function resolve(written: string, path: string, context: Context): unknown {
  let value = written
  for (let round = 0; ; round++) {
    const found = findVariable(value)
    if (found === undefined) break
    if (round >= MAX_ROUNDS)
      throw new NotModelled(`a text that still holds variables after ${MAX_ROUNDS} have been put in`)
    const given = lookUp(found.text, path, context)
    if (found.start === 0 && found.end === value.length) return given
    const text = typeof given === 'string' ? given : goJson(given, context.budget)
    const put = found.shallow ? text.replaceAll('{{', '\\{{') : text
    value = `${value.slice(0, found.start)}${put}${value.slice(found.end)}`
    if (value.length > MAX_TEXT) throw new NotModelled(`a text of ${value.length} characters, more than ${MAX_TEXT},`)
    if (found.shallow) break
  }
  return value.replaceAll('\\{{', '{{')
}

function lookUp(variable: string, path: string, context: Context): unknown {
  const own = variable === '@' ? selfPath(path, context) : variable
  const name = context.isDelete ? own.replaceAll('request.object', 'request.oldObject') : own
  try {
    return context.query(name)
  } catch (error) {
    if (error instanceof QueryError) throw new QueryError(`failed to resolve ${name} at path ${path}: ${error.message}`)
    throw error
  }
}
