import type { Document } from 'bson'
import { MongoError } from '../../errors.js'
import { compare, equal } from '../../values/compare.js'
import { isPlain } from '../../values/decode.js'
import { show } from '../../values/show.js'
import { typeOf } from '../../values/types.js'
import { compileFilter } from '../filter.js'
import { isOperator, wholeNumber } from '../operators.js'
import { regexOf } from '../regex.js'
import { sorted } from '../sort.js'
import type { Operator } from './fields.js'
import { KEEP } from './paths.js'

/** The operators of arrays (MongoDB, "Array Update Operators"). */
export const arrayOperators = {
  $push: {
    create: true,
    change(operand, field) {
      const { items, position, slice, sort } = pushed(operand)
      return (old) => {
        const array = [...arrayOf(old, '$push', field)]
        array.splice(position ?? array.length, 0, ...items)
        const ordered = sort === undefined ? array : sort(array)
        if (slice === undefined) return ordered
        return slice >= 0 ? ordered.slice(0, slice) : ordered.slice(slice)
      }
    },
  },
  $addToSet: {
    create: true,
    change(operand, field) {
      const items = eachOf(operand, '$addToSet', ['$each']) ?? [operand]
      return (old) => {
        const array = [...arrayOf(old, '$addToSet', field)]
        const before = array.length
        for (const item of items) if (!array.some((has) => equal(has, item))) array.push(item)
        return array.length === before && old !== undefined ? KEEP : array
      }
    },
  },
  $pull: {
    create: false,
    change(operand, field) {
      const goes = pulled(operand)
      return (old) => without(old, '$pull', field, goes)
    },
  },
  $pullAll: {
    create: false,
    change(operand, field) {
      if (!Array.isArray(operand))
        throw new MongoError('BadValue', `$pullAll requires an array argument for '${field}'`)
      return (old) => without(old, '$pullAll', field, (item) => operand.some((other) => equal(item, other)))
    },
  },
  $pop: {
    create: false,
    change(operand, field) {
      const side = wholeNumber(operand)
      if (side !== 1 && side !== -1)
        throw new MongoError('FailedToParse', `$pop expects 1 or -1, found: ${show(operand)}`)
      return (old) => {
        if (old === undefined) return KEEP
        const array = arrayOf(old, '$pop', field)
        if (array.length === 0) return KEEP
        return side === 1 ? array.slice(0, -1) : array.slice(1)
      }
    },
  },
} satisfies Readonly<Record<string, Operator>>

function arrayOf(old: unknown, operator: string, field: string): readonly unknown[] {
  if (old === undefined) return []
  if (Array.isArray(old)) return old
  const what = operator === '$push' ? 'must be an array but is of type' : 'is not an array but of type'
  throw new MongoError('BadValue', `The field '${field}' ${what} ${typeOf(old)} (${operator})`)
}

function without(old: unknown, operator: string, field: string, goes: (item: unknown) => boolean): unknown {
  if (old === undefined) return KEEP
  const array = arrayOf(old, operator, field)
  const rest = array.filter((item) => !goes(item))
  return rest.length === array.length ? KEEP : rest
}

function pulled(operand: unknown): (item: unknown) => boolean {
  if (isOperator(operand) || regexOf(operand) !== undefined) {
    const filter = compileFilter({ item: operand })
    return (item) => filter({ item })
  }
  if (!isPlain(operand)) return (item) => equal(item, operand)
  const filter = compileFilter(operand)
  return (item) => isPlain(item) && filter(item)
}

/** The items of `$each`; undefined: there is none, and the operand is the item. */
function eachOf(operand: unknown, operator: string, known: readonly string[]): readonly unknown[] | undefined {
  if (!isPlain(operand) || !Object.hasOwn(operand, '$each')) return undefined
  const other = Object.keys(operand).find((key) => !known.includes(key))
  if (other !== undefined) throw new MongoError('BadValue', `Unrecognized clause in ${operator}: ${other}`)
  const items: unknown = operand.$each
  if (!Array.isArray(items)) throw new MongoError('BadValue', `The argument to $each in ${operator} must be an array`)
  return items
}

interface Pushed {
  readonly items: readonly unknown[]
  readonly position?: number | undefined
  readonly slice?: number | undefined
  readonly sort?: ((items: unknown[]) => unknown[]) | undefined
}

function pushed(operand: unknown): Pushed {
  const items = eachOf(operand, '$push', ['$each', '$position', '$slice', '$sort'])
  if (items === undefined || !isPlain(operand)) return { items: [operand] }
  return {
    items,
    position: numberOf(operand, '$position'),
    slice: numberOf(operand, '$slice'),
    sort: operand.$sort === undefined ? undefined : sortOf(operand.$sort),
  }
}

function numberOf(operand: Document, name: string): number | undefined {
  if (!Object.hasOwn(operand, name)) return undefined
  const number = wholeNumber(operand[name])
  if (number === undefined) throw new MongoError('BadValue', `The value for ${name} must be an integer value`)
  return number
}

function sortOf(sort: unknown): (items: unknown[]) => unknown[] {
  if (isPlain(sort)) return (items) => sorted(items, (item) => (isPlain(item) ? item : {}), sort, { strict: false })
  const direction = wholeNumber(sort)
  if (direction !== 1 && direction !== -1)
    throw new MongoError('BadValue', 'The $sort element value must be either 1 or -1')
  return (items) => items.sort((a, b) => direction * compare(a, b))
}
