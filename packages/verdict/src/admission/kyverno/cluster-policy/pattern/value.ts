import { isDict } from '../data.js'
import { parseDuration } from '../values/duration.js'
import { goFixed, goFloat, goInteger, goNumber, goScientific } from '../values/go.js'
import { compareQuantities } from '../values/quantity.js'
import { wildcardMatches } from '../values/wildcard.js'

/*
 * One value held against one value of a pattern. Kyverno's order: the whole text first, then `|` of `&` of terms, each with
 * an operator; durations before quantities before wildcards.
 */

type Operator = '' | '!' | '>' | '<' | '>=' | '<=' | '-' | '!-'

const number = String.raw`([-|+]?\d+(?:\.\d+)?[A-Za-z]*)`
const inside = new RegExp(`^${number}-${number}$`)
const outside = new RegExp(`^${number}!-${number}$`)
/** Longer than any range that means something; the expressions above would go over it again and again. */
const LONGEST_RANGE = 200

/** @param value null and undefined are the same: Kyverno sees no difference between a missing field and a null one. */
export function valueMatches(value: unknown, pattern: unknown): boolean {
  if (typeof pattern === 'string') return textMatches(value, pattern)
  if (typeof pattern === 'boolean') return value === pattern
  if (typeof pattern === 'number') return numberMatches(value, pattern)
  if (pattern === null || pattern === undefined) return isNothing(value)
  // Only that there is an object is asked, and nothing of what it holds.
  return isDict(pattern) && isDict(value)
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || value === 0 || value === '' || value === false
}

function numberMatches(value: unknown, pattern: number): boolean {
  if (typeof value === 'number') return value === pattern
  if (typeof value !== 'string') return false
  if (!Number.isInteger(pattern)) return goFloat(value) === pattern
  const whole = goInteger(value)
  return whole !== undefined && whole === BigInt(pattern)
}

function textMatches(value: unknown, pattern: string): boolean {
  if (value === pattern) return true
  return pattern.split('|').some((either) =>
    trimSpaces(either)
      .split('&')
      .every((term) => termMatches(value, trimSpaces(term))),
  )
}

function trimSpaces(text: string): string {
  return text.replace(/^ +/, '').replace(/ +$/, '')
}

export function operatorOf(pattern: string): Operator {
  if (pattern.length < 2) return ''
  if (pattern.startsWith('>=')) return '>='
  if (pattern.startsWith('<=')) return '<='
  if (pattern.startsWith('>')) return '>'
  if (pattern.startsWith('<')) return '<'
  if (pattern.startsWith('!')) return '!'
  if (pattern.length > LONGEST_RANGE) return ''
  return outside.test(pattern) ? '!-' : inside.test(pattern) ? '-' : ''
}

function termMatches(value: unknown, term: string): boolean {
  const operator = operatorOf(term)
  if (operator === '-') {
    const [, from = '', to = ''] = inside.exec(term) ?? []
    return termMatches(value, `>= ${from}`) && termMatches(value, `<= ${to}`)
  }
  if (operator === '!-') {
    const [, from = '', to = ''] = outside.exec(term) ?? []
    return termMatches(value, `< ${from}`) || termMatches(value, `> ${to}`)
  }
  return compare(value, term.slice(operator.length).trim(), operator)
}

function compare(value: unknown, pattern: string, operator: Operator): boolean {
  const given = measurable(value)
  if (given !== undefined) {
    const [left, right] = [parseDuration(given), parseDuration(pattern)]
    if (left !== undefined && right !== undefined) return holds(operator, left < right ? -1 : left > right ? 1 : 0)
    const difference = compareQuantities(given, pattern)
    if (difference !== undefined) return holds(operator, difference)
  }
  if (operator !== '' && operator !== '!') return false
  const text = asText(value)
  return text !== undefined && wildcardMatches(pattern, text) === (operator === '')
}

function holds(operator: Operator, difference: number): boolean {
  switch (operator) {
    case '>':
      return difference > 0
    case '<':
      return difference < 0
    case '>=':
      return difference >= 0
    case '<=':
      return difference <= 0
    case '!':
      return difference !== 0
    default:
      return difference === 0
  }
}

/** A missing value counts as 0 where it is measured. */
function measurable(value: unknown): string | undefined {
  if (value === null || value === undefined) return '0'
  if (typeof value === 'string') return value
  return typeof value === 'number' ? (Number.isInteger(value) ? goNumber(value) : goFixed(value)) : undefined
}

function asText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  return typeof value === 'number' ? (Number.isInteger(value) ? goNumber(value) : goScientific(value)) : undefined
}
