import { Decimal128, Double, Int32, Long } from 'bson'
import { MongoError } from '../errors.js'
import { isInt32 } from '../values/decode.js'
import { isNumeric, type Numeric } from '../values/numbers.js'
import { typeOf } from '../values/types.js'

/** A double as documents hold it: a whole one is bson's class, or it would be written as an int. */
export const double = (value: number): number | Double => (isInt32(value) ? new Double(value) : value)

/**
 * `$inc` and `$mul`: the result has the wider type of the two, an int that grows too large becomes a long.
 *
 * @throws MongoError BadValue (a long that overflows), NotImplemented (Decimal128)
 */
export function calculate(operation: 'add' | 'multiply', a: Numeric, b: Numeric): Numeric {
  if (a instanceof Decimal128 || b instanceof Decimal128)
    throw new MongoError('NotImplemented', 'arithmetic with Decimal128 is not supported by this server')
  if (typeOf(a) === 'double' || typeOf(b) === 'double') {
    const [x, y] = [Number(a), Number(b)]
    return double(operation === 'add' ? x + y : x * y)
  }
  const [x, y] = [BigInt(whole(a)), BigInt(whole(b))]
  const result = operation === 'add' ? x + y : x * y
  if (BigInt.asIntN(64, result) !== result)
    throw new MongoError(
      'BadValue',
      `Failed to apply ${operation === 'add' ? '$inc' : '$mul'}: the result has no 64 bits`,
    )
  const fits = BigInt.asIntN(32, result) === result
  return fits && typeOf(a) === 'int' && typeOf(b) === 'int' ? Number(result) : Long.fromBigInt(result)
}

const whole = (value: Exclude<Numeric, Decimal128>): string =>
  value instanceof Int32 || value instanceof Double ? String(value.value) : value.toString()

/** @throws MongoError TypeMismatch */
export function numeric(value: unknown, operator: string, field: string): Numeric {
  if (isNumeric(value)) return value
  throw new MongoError(
    'TypeMismatch',
    `Cannot apply ${operator} to a value of non-numeric type: the field '${field}' has type ${typeOf(value)}`,
  )
}
