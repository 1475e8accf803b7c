import { MongoError } from '../../errors.js'
import { isNumeric } from '../../values/numbers.js'
import { typeOf } from '../../values/types.js'
import { isNothing, type Operator, over } from './types.js'

/* Strings (MongoDB, "String Expression Operators"). Numbers and dates, which MongoDB writes out here, are refused. */

function textOf(value: unknown, name: string): string {
  if (isNothing(value)) return ''
  if (typeof value === 'string') return value
  throw new MongoError('NotImplemented', `${name} of a value of type ${typeOf(value)} is not supported by this server`)
}

/** ASCII's letters and no others, as MongoDB has it. */
const cased = (letters: RegExp, change: (letter: string) => string): Operator =>
  over(1, 1, ([value], { budget }, name) => {
    const text = textOf(value, name)
    budget.text(text.length)
    return text.replace(letters, change)
  })

const length = (code: `Location${number}`, of: (text: string) => number): Operator =>
  over(1, 1, ([value], { budget }, name) => {
    if (typeof value !== 'string')
      throw new MongoError(
        code,
        `${name} requires a string argument, found: ${value === undefined ? 'missing' : typeOf(value)}`,
      )
    budget.tick(1 + value.length / 64)
    return of(value)
  })

const points = (text: string): number => {
  let count = text.length
  for (let at = 0; at < text.length - 1; at++) {
    const pair = text.charCodeAt(at) >= 0xd800 && text.charCodeAt(at) < 0xdc00
    if (pair && text.charCodeAt(at + 1) >= 0xdc00 && text.charCodeAt(at + 1) < 0xe000) count--
  }
  return count
}

function whole(value: unknown, type: `Location${number}`, range: `Location${number}`, what: string): number {
  if (!isNumeric(value)) throw new MongoError(type, `$substrCP: ${what} must be a numeric type (is ${typeOf(value)})`)
  const number = Number(value)
  if ((number | 0) === number) return number
  throw new MongoError(range, `$substrCP: ${what} cannot be represented as a 32-bit integral value: ${number}`)
}

export const strings: Readonly<Record<string, Operator>> = {
  $concat: over(0, Number.POSITIVE_INFINITY, (values, { budget }) => {
    for (const value of values) {
      if (isNothing(value)) return null
      if (typeof value !== 'string')
        throw new MongoError('Location16702', `$concat only supports strings, not ${typeOf(value)}`)
    }
    budget.text(values.reduce<number>((sum, value) => sum + String(value).length, 0))
    return values.join('')
  }),
  $toUpper: cased(/[a-z]+/g, (letters) => letters.toUpperCase()),
  $toLower: cased(/[A-Z]+/g, (letters) => letters.toLowerCase()),
  $strLenCP: length('Location34471', points),
  $strLenBytes: length('Location34473', (text) => Buffer.byteLength(text)),
  $substrCP: over(3, 3, ([value, start, count], { budget }, name) => {
    const text = textOf(value, name)
    const from = whole(start, 'Location34450', 'Location34451', 'starting index')
    const most = whole(count, 'Location34452', 'Location34453', 'length')
    if (most < 0) throw new MongoError('Location34454', '$substrCP: length must be a nonnegative integer.')
    if (from < 0) throw new MongoError('Location34455', '$substrCP: the starting index must be nonnegative integer.')
    budget.text(text.length)
    budget.elements(text.length)
    return [...text].slice(from, from + most).join('')
  }),
  $split: over(2, 2, ([value, separator], { budget }) => {
    if (isNothing(value) || isNothing(separator)) return null
    if (typeof value !== 'string')
      throw new MongoError(
        'Location40085',
        `$split requires an expression that evaluates to a string as a first argument, found: ${typeOf(value)}`,
      )
    if (typeof separator !== 'string')
      throw new MongoError(
        'Location40086',
        `$split requires an expression that evaluates to a string as a second argument, found: ${typeOf(separator)}`,
      )
    if (separator === '') throw new MongoError('Location40087', '$split requires a non-empty separator')
    budget.text(value.length)
    budget.elements(value.length / separator.length)
    return budget.made(value.split(separator))
  }),
}
