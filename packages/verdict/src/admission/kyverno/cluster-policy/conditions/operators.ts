import { isDict, isList } from '../data.js'
import type { Budget } from '../limits.js'
import { NANOSECONDS_PER_SECOND, parseDuration } from '../values/duration.js'
import { goFloat, goInteger } from '../values/go.js'
import { compareQuantities, parseQuantity } from '../values/quantity.js'
import { compareVersions, parseVersion } from '../values/semver.js'
import { wildcardMatches } from '../values/wildcard.js'
import { same } from '../variables/interpreter.js'
import { anyIn, listed, oneIn, setIn } from './membership.js'

/*
 * The operators of preconditions, deny conditions and exceptions' conditions. What cannot be compared does not hold, and of
 * a negated operator it does.
 */

type Test = (key: unknown, value: unknown, budget: Budget) => boolean

const numeric =
  (holds: (difference: number) => boolean): Test =>
  (key, value) => {
    const difference = differenceOf(key, value)
    return difference !== undefined && holds(difference)
  }

const timed =
  (holds: (difference: number) => boolean): Test =>
  (key, value) => {
    const [left, right] = [secondsOf(key), secondsOf(value)]
    return left !== undefined && right !== undefined && holds(left < right ? -1 : left > right ? 1 : 0)
  }

const tests: Readonly<Record<string, Test>> = {
  equal: equals,
  equals,
  notequal: (key, value, budget) => comparable(key) && !equals(key, value, budget),
  notequals: (key, value, budget) => comparable(key) && !equals(key, value, budget),
  in: (key, value) => (isList(key) ? setIn(key, value, 'in') : oneIn(key, value, false) === true),
  notin: (key, value) => (isList(key) ? setIn(key, value, 'not-in') : oneIn(key, value, false) === false),
  anyin: (key, value, budget) => (isList(key) ? anyIn(key, value, 'any-in', budget) : oneIn(key, value, true) === true),
  allin: (key, value, budget) => (isList(key) ? anyIn(key, value, 'all-in', budget) : oneIn(key, value, true) === true),
  anynotin: (key, value, budget) =>
    isList(key) ? anyIn(key, value, 'any-not-in', budget) : oneIn(key, value, true) === false,
  allnotin: (key, value, budget) =>
    isList(key) ? anyIn(key, value, 'all-not-in', budget) : oneIn(key, value, true) === false,
  greaterthan: numeric((difference) => difference > 0),
  greaterthanorequals: numeric((difference) => difference >= 0),
  lessthan: numeric((difference) => difference < 0),
  lessthanorequals: numeric((difference) => difference <= 0),
  durationgreaterthan: timed((difference) => difference > 0),
  durationgreaterthanorequals: timed((difference) => difference >= 0),
  durationlessthan: timed((difference) => difference < 0),
  durationlessthanorequals: timed((difference) => difference <= 0),
}

export const operatorNames: readonly string[] = [
  'Equal',
  'Equals',
  'NotEqual',
  'NotEquals',
  'In',
  'AnyIn',
  'AllIn',
  'NotIn',
  'AnyNotIn',
  'AllNotIn',
  'GreaterThan',
  'GreaterThanOrEquals',
  'LessThan',
  'LessThanOrEquals',
  'DurationGreaterThan',
  'DurationGreaterThanOrEquals',
  'DurationLessThan',
  'DurationLessThanOrEquals',
]

/** undefined: there is no such operator. */
export function operatorHolds(operator: string, key: unknown, value: unknown, budget: Budget): boolean | undefined {
  const name = operator.toLowerCase()
  const test = Object.hasOwn(tests, name) ? tests[name] : undefined
  budget.spend(1 + listed(key) + listed(value))
  return test?.(key, value, budget)
}

/** A missing key is neither equal nor unequal to anything. */
function comparable(key: unknown): boolean {
  return key !== null && key !== undefined
}

function equals(key: unknown, value: unknown, budget: Budget): boolean {
  if (typeof key === 'boolean') return key === value
  if (typeof key === 'number') return numberEquals(key, value)
  if (typeof key === 'string') return textEquals(key, value)
  if (isList(key)) return isList(value) && same(key, value, budget)
  return isDict(key) && isDict(value) && same(key, value, budget)
}

function numberEquals(key: number, value: unknown): boolean {
  if (typeof value === 'number') return key === value
  if (typeof value !== 'string') return false
  if (!Number.isInteger(key)) return goFloat(value) === key
  const whole = goInteger(value)
  return whole !== undefined && whole === BigInt(key)
}

function textEquals(key: string, value: unknown): boolean {
  const durations = durationsOf(key, value)
  if (durations !== undefined) return durations[0] === durations[1]
  if (typeof value !== 'string') return false
  if (parseQuantity(key) !== undefined) return compareQuantities(key, value) === 0
  return wildcardMatches(value, key)
}

/** Both as nanoseconds, when one of them is a duration and the other one too, or a number of seconds. */
function durationsOf(key: unknown, value: unknown): readonly [bigint, bigint] | undefined {
  const [left, right] = [durationOf(key), durationOf(value)]
  if (left === undefined && right === undefined) return undefined
  const [from, to] = [left ?? wholeSeconds(key), right ?? wholeSeconds(value)]
  return from === undefined || to === undefined ? undefined : [from, to]
}

function durationOf(value: unknown): bigint | undefined {
  return typeof value === 'string' && value !== '0' ? parseDuration(value) : undefined
}

function wholeSeconds(value: unknown): bigint | undefined {
  return typeof value === 'number' && Number.isFinite(value)
    ? BigInt(Math.trunc(value)) * NANOSECONDS_PER_SECOND
    : undefined
}

/** For the operators that are for durations alone. */
function secondsOf(value: unknown): bigint | undefined {
  return typeof value === 'string' ? parseDuration(value) : wholeSeconds(value)
}

/** Below zero, zero or above it; a text may be a duration, a quantity, a number or a version, in this order. */
function differenceOf(key: unknown, value: unknown): number | undefined {
  if (typeof key !== 'string' && typeof key !== 'number') return undefined
  const durations = durationsOf(key, value)
  if (durations !== undefined) return ordered(durations[0], durations[1])
  if (typeof key === 'number') return againstNumber(key, value)
  if (typeof value === 'string') {
    const difference = compareQuantities(key, value)
    if (difference !== undefined) return difference
  }
  const number = goFloat(key)
  if (number !== undefined) return againstNumber(number, value)
  const [left, right] = [parseVersion(key), typeof value === 'string' ? parseVersion(value) : undefined]
  return left === undefined || right === undefined ? undefined : compareVersions(left, right)
}

function againstNumber(key: number, value: unknown): number | undefined {
  const other = typeof value === 'string' ? goFloat(value) : value
  return typeof other === 'number' ? ordered(key, other) : undefined
}

function ordered<T extends number | bigint>(one: T, other: T): number {
  return one < other ? -1 : one > other ? 1 : 0
}
