import { bracketOf, compare, equal } from '../values/compare.js'
import { isNumeric } from '../values/numbers.js'
import { typeOf } from '../values/types.js'

const isNullish = (value: unknown): boolean => value === null || value === undefined

/** `null` is also equal to no field at all (MongoDB, "Query for Null or Missing Fields"). */
export function equalTo(operand: unknown): (value: unknown) => boolean {
  if (isNullish(operand)) return isNullish
  if (typeof operand === 'string' || typeof operand === 'boolean') return (value) => value === operand
  return (value) => value !== undefined && equal(value, operand)
}

/** `$lt` and its like: values of the same bracket of types only, and NaN is neither less nor greater. */
export function ordered(operand: unknown, passes: (order: number) => boolean): (value: unknown) => boolean {
  const type = typeOf(operand)
  const withEqual = passes(0)
  const bracket = bracketOf(operand)
  const isNumber = isNumeric(operand)
  const nan = isNumber && Number.isNaN(Number(operand))
  // MinKey and MaxKey are made to be compared with everything.
  const everything = type === 'minKey' || type === 'maxKey'
  return (value) => {
    if (value === undefined) return isNullish(operand) && withEqual
    if (everything) return passes(compare(value, operand))
    if (bracketOf(value) !== bracket) return false
    if (isNumber) {
      const other = Number.isNaN(Number(value))
      if (nan || other) return withEqual && nan && other
    }
    return passes(compare(value, operand))
  }
}
