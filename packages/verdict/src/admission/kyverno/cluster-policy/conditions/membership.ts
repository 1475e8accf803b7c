import { isDict, isList } from '../data.js'
import type { Budget } from '../limits.js'
import { operatorOf, valueMatches } from '../pattern/value.js'
import { goText } from '../values/go.js'
import { wildcardMatches } from '../values/wildcard.js'

/*
 * In and its kin. Wildcards count on both sides; a text may be a list as JSON, or a range.
 */

export type Quantifier = 'any-in' | 'all-in' | 'any-not-in' | 'all-not-in'

export function listed(value: unknown): number {
  return isList(value) ? value.length : 1
}

/** Whether one value is among the others. undefined: those are nothing to be among. */
export function oneIn(key: unknown, value: unknown, ranges: boolean): boolean | undefined {
  if (key === null || key === undefined || isDict(key)) return undefined
  const text = goText(key)
  if (isList(value)) return value.some((one) => fits(text, goText(one)))
  if (typeof value !== 'string') return undefined
  if (wildcardMatches(value, text)) return true
  if (ranges && operatorOf(value) === '-') return valueMatches(text, value)
  const list = textList(value, ranges)
  return list?.includes(text)
}

/** Of several values; what Kyverno calls In and NotIn. Wildcards do not count here, and numbers are no texts. */
export function setIn(key: readonly unknown[], value: unknown, asked: 'in' | 'not-in'): boolean {
  const keys = key.filter((one) => typeof one === 'string')
  if (keys.length !== key.length) return false
  if (typeof value === 'string' && keys.length === 1 && keys[0] === value) return true
  const values = isList(value) ? texts(value) : typeof value === 'string' ? textList(value, false) : undefined
  if (values === undefined) return false
  const known = new Set(values)
  return asked === 'in' ? keys.every((one) => known.has(one)) : keys.some((one) => !known.has(one))
}

export function anyIn(key: readonly unknown[], value: unknown, asked: Quantifier, budget: Budget): boolean {
  const keys = key.map((one) => goText(one))
  if (typeof value === 'string') {
    if (keys.length === 1 && keys[0] === value) return asked === 'any-in' || asked === 'all-in'
    if (operatorOf(value) === '-') return quantified(keys, asked, (one) => valueMatches(one, value))
  }
  const values = valuesOf(value, asked)
  if (values === undefined) return false
  budget.spend(keys.length * values.length)
  return quantified(keys, asked, (one) => values.some((other) => fits(one, other)))
}

/** A number or a truth value stands for a list of one, where any of the keys is enough. */
function valuesOf(value: unknown, asked: Quantifier): readonly string[] | undefined {
  if (isList(value)) return value.map((one) => goText(one))
  if (typeof value === 'string') return textList(value, true)
  const alone = typeof value === 'number' || typeof value === 'boolean'
  return alone && (asked === 'any-in' || asked === 'any-not-in') ? [goText(value)] : undefined
}

function quantified(keys: readonly string[], asked: Quantifier, test: (key: string) => boolean): boolean {
  switch (asked) {
    case 'any-in':
      return keys.some(test)
    case 'all-in':
      return keys.every(test)
    case 'any-not-in':
      return keys.some((key) => !test(key))
    case 'all-not-in':
      return !keys.some(test)
  }
}

function fits(key: string, value: string): boolean {
  return wildcardMatches(key, value) || wildcardMatches(value, key)
}

function texts(values: readonly unknown[]): readonly string[] | undefined {
  const found = values.filter((one) => typeof one === 'string')
  return found.length === values.length ? found : undefined
}

/** A list written as JSON. What is no JSON at all is one value, where ranges count; JSON of another kind is nothing. */
function textList(value: string, plain: boolean): readonly string[] | undefined {
  let read: unknown
  try {
    read = JSON.parse(value)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return plain ? [value] : undefined
  }
  return read === null ? [] : isList(read) ? texts(read) : undefined
}
