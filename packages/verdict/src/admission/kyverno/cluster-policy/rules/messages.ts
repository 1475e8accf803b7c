import { pathText } from '../pattern/problem.js'
import type { Context } from '../variables/context.js'
import { QueryError } from '../variables/interpreter.js'
import { substitute } from '../variables/substitute.js'

/*
 * Kyverno's sentences (semantics D.2).
 */

type Path = readonly (string | number)[]

/** Of a pattern that does not fit; without a path where Kyverno has none. */
export function patternMessage(
  rule: string,
  written: string,
  path: Path | undefined,
  why: string,
  context: Context,
): string {
  const end = path === undefined ? `execution error: ${why}` : `failed at path ${pathText(path)}`
  if (written === '') return `validation error: rule ${rule} ${end}`
  const message = put(written, context)
  if (message === undefined)
    return `validation error: variables substitution error in rule ${rule} execution error: ${why}`
  return `validation error: ${message.endsWith('.') ? message : `${message}.`} rule ${rule} ${end}`
}

export function anyPatternMessage(
  rule: string,
  written: string,
  failures: readonly string[],
  context: Context,
): string {
  const list = failures.join(' ')
  if (written === '') return `validation error: ${list}`
  const message = put(written, context)
  if (message === undefined)
    return `validation error: variables substitution error in rule ${rule} execution error: ${list}`
  return `validation error: ${message.endsWith('.') ? message : `${message}.`} ${list}`
}

/** @param more what the conditions themselves say. */
export function denyMessage(rule: string, written: string, more: string, context: Context): string {
  if (written === '' && more === '') return `validation error: rule ${rule} failed`
  try {
    const message = substitute([written, more].filter((one) => one !== '').join('; '), context)
    return typeof message === 'string'
      ? message
      : "the produced message didn't resolve to a string, check your policy definition."
  } catch (error) {
    if (error instanceof QueryError) return more
    throw error
  }
}

/** undefined: a variable in it has no value. */
function put(written: string, context: Context): string | undefined {
  try {
    const message = substitute(written, context)
    return typeof message === 'string' ? message : undefined
  } catch (error) {
    if (error instanceof QueryError) return undefined
    throw error
  }
}
