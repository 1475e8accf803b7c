import type { Document } from 'bson'
import { MongoError } from '../errors.js'
import { isPlain } from '../values/decode.js'
import { isNumeric } from '../values/numbers.js'
import { show } from '../values/show.js'
import { typeOf, typesNamed } from '../values/types.js'
import { own } from './path.js'
import { equalTo, ordered } from './predicates.js'
import { compileRegex, regexOf } from './regex.js'

/**
 * Whether one of the values that a field has passes; `undefined` stands for a field that is not there.
 *
 * @param elements an array is also asked element by element
 */
export type Ask = (elements: boolean, test: (value: unknown) => boolean) => boolean

/** One test of a field. */
export type Matcher = (ask: Ask) => boolean

export interface Tools {
  filter(filter: Document): (document: Document) => boolean
  operators(operand: Document): readonly Matcher[]
}

export type Operator = (operand: unknown, beside: Document, tools: Tools) => Matcher

const matcher =
  (test: (value: unknown) => boolean, elements = true): Matcher =>
  (ask) =>
    ask(elements, test)
const not =
  (positive: Matcher): Matcher =>
  (ask) =>
    !positive(ask)
const together =
  (matchers: readonly Matcher[]): Matcher =>
  (ask) =>
    matchers.every((each) => each(ask))

/** A document whose first name is an operator. A DBRef's `$ref`, `$id`, `$db` are none. */
export function isOperator(value: unknown): value is Document {
  if (!isPlain(value)) return false
  const [first] = Object.keys(value)
  return first?.startsWith('$') === true && first !== '$ref' && first !== '$id' && first !== '$db'
}

/** A whole number out of what a client may send as one. */
export const wholeNumber = (value: unknown): number | undefined => {
  const number = isNumeric(value) ? Number(value) : Number.NaN
  return Number.isInteger(number) ? number : undefined
}

const bad = (message: string): MongoError => new MongoError('BadValue', message)

const $in: Operator = (operand) => {
  if (!Array.isArray(operand)) throw bad('$in needs an array')
  const strings = new Set<string>()
  const tests: ((value: unknown) => boolean)[] = []
  for (const item of operand as unknown[]) {
    const regex = regexOf(item)
    if (typeof item === 'string') strings.add(item)
    else if (regex !== undefined) tests.push(textTest(regex.pattern, regex.options))
    else if (isOperator(item)) throw bad('cannot nest $ under $in')
    else tests.push(equalTo(item))
  }
  return matcher((value) => (typeof value === 'string' && strings.has(value)) || tests.some((test) => test(value)))
}

function textTest(pattern: string, options: string): (value: unknown) => boolean {
  const test = compileRegex(pattern, options)
  return (value) => typeof value === 'string' && test(value)
}

/** Asks one value as if it were a field's. */
const askValue =
  (value: unknown): Ask =>
  (elements, test) =>
    (elements && Array.isArray(value) && value.some(test)) || test(value)

const $elemMatch: Operator = (operand, _beside, tools) => {
  if (!isPlain(operand)) throw bad('$elemMatch needs an Object')
  const [first] = Object.keys(operand)
  const logical = first === '$and' || first === '$or' || first === '$nor' || first === '$expr'
  if (isOperator(operand) && !logical) {
    const matches = together(tools.operators(operand))
    return matcher((value) => Array.isArray(value) && value.some((item) => matches(askValue(item))), false)
  }
  const filter = tools.filter(operand)
  const test = (item: unknown) => (isPlain(item) ? filter(item) : Array.isArray(item) && filter({ ...item }))
  return matcher((value) => Array.isArray(value) && value.some(test), false)
}

export const operators = {
  $eq: (operand) => matcher(equalTo(operand)),
  $ne: (operand) => {
    if (regexOf(operand) !== undefined) throw bad("Can't have regex as arg to $ne.")
    return not(matcher(equalTo(operand)))
  },
  $gt: (operand) => matcher(ordered(operand, (order) => order > 0)),
  $gte: (operand) => matcher(ordered(operand, (order) => order >= 0)),
  $lt: (operand) => matcher(ordered(operand, (order) => order < 0)),
  $lte: (operand) => matcher(ordered(operand, (order) => order <= 0)),
  $in,
  $nin: (operand, beside, tools) =>
    not($in(Array.isArray(operand) ? operand : bad('$nin needs an array'), beside, tools)),
  $exists: (operand) => {
    const wanted =
      typeof operand === 'boolean' ? operand : isNumeric(operand) ? Number(operand) !== 0 : operand !== null
    const there = matcher((value) => value !== undefined, false)
    return wanted ? there : not(there)
  },
  $type: (operand) => {
    const names = (Array.isArray(operand) ? (operand as unknown[]) : [operand]).flatMap((name) => {
      const types = typesNamed(name)
      if (types === undefined) throw bad(`Unknown type name alias: ${show(name)}`)
      return types
    })
    const types = new Set(names)
    return matcher((value) => value !== undefined && types.has(typeOf(value)))
  },
  $size: (operand) => {
    const size = wholeNumber(operand)
    if (size === undefined || size < 0) throw bad('$size may not be negative or a fraction')
    return matcher((value) => Array.isArray(value) && value.length === size, false)
  },
  $mod: (operand) => {
    if (!Array.isArray(operand) || operand.length !== 2) throw bad('malformed mod, not an array of two')
    const [divisor, remainder] = operand.map((item: unknown) => Math.trunc(isNumeric(item) ? Number(item) : Number.NaN))
    if (divisor === undefined || remainder === undefined || Number.isNaN(divisor) || Number.isNaN(remainder))
      throw bad('malformed mod, divisor or remainder not a number')
    if (divisor === 0) throw bad('divisor cannot be 0')
    // A remainder of -0 is one of 0.
    return matcher((value) => isNumeric(value) && (Math.trunc(Number(value)) % divisor) + 0 === remainder)
  },
  $regex: (operand, beside) => {
    const regex = regexOf(operand)
    const given = own(beside, '$options')
    if (given !== undefined && typeof given !== 'string') throw bad('$options has to be a string')
    if (regex === undefined && typeof operand !== 'string') throw bad('$regex has to be a string')
    if (regex !== undefined && regex.options !== '' && given !== undefined)
      throw bad('options set in both $regex and $options')
    return matcher(textTest(regex?.pattern ?? String(operand), given ?? regex?.options ?? ''))
  },
  $not: (operand, _beside, tools) => {
    const regex = regexOf(operand)
    if (regex !== undefined) return not(matcher(textTest(regex.pattern, regex.options)))
    if (!isOperator(operand)) throw bad('$not needs a regex or a document')
    return not(together(tools.operators(operand)))
  },
  $all: (operand, _beside, tools) => {
    if (!Array.isArray(operand)) throw bad('$all needs an array')
    const tests = (operand as unknown[]).map((item) => {
      if (isOperator(item)) {
        if (!Object.hasOwn(item, '$elemMatch')) throw bad('no $ expressions in $all')
        return $elemMatch(item.$elemMatch, item, tools)
      }
      const regex = regexOf(item)
      return matcher(regex === undefined ? equalTo(item) : textTest(regex.pattern, regex.options))
    })
    return tests.length === 0 ? () => false : together(tests)
  },
  $elemMatch,
} satisfies Readonly<Record<string, Operator>>
