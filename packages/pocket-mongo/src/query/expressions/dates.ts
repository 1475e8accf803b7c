import { MongoError } from '../../errors.js'
import { isPlain } from '../../values/decode.js'
import { typeOf } from '../../values/types.js'
import { named } from './logic.js'
import { isNothing, type Operator, overOne } from './types.js'

/* Parts of dates, in UTC (MongoDB, "Date Expression Operators"). Time zones are refused. */

function dateOf(value: unknown): Date {
  if (value instanceof Date) return value
  const type = typeOf(value)
  if (type === 'timestamp' || type === 'objectId')
    throw new MongoError(
      'NotImplemented',
      `a part of a date out of a value of type ${type} is not supported by this server`,
    )
  throw new MongoError('Location16006', `can't convert from BSON type ${type} to Date`)
}

const part =
  (of: (date: Date) => number): Operator =>
  (operand, compile, name) => {
    if (isPlain(operand) && Object.keys(operand)[0]?.startsWith('$') !== true)
      throw new MongoError('NotImplemented', `${name} with an object of options is not supported by this server`)
    return overOne((value) => of(dateOf(value)))(operand, compile, name)
  }

const digits = (number: number, length: number): string => String(number).padStart(length, '0')

const parts: Readonly<Record<string, (date: Date) => string>> = {
  Y: (date) => digits(date.getUTCFullYear(), 4),
  m: (date) => digits(date.getUTCMonth() + 1, 2),
  d: (date) => digits(date.getUTCDate(), 2),
  H: (date) => digits(date.getUTCHours(), 2),
  M: (date) => digits(date.getUTCMinutes(), 2),
  S: (date) => digits(date.getUTCSeconds(), 2),
  L: (date) => digits(date.getUTCMilliseconds(), 3),
  '%': () => '%',
}

const DEFAULT = '%Y-%m-%dT%H:%M:%S.%LZ'

const $dateToString: Operator = (operand, compile, name) => {
  if (isPlain(operand) && Object.hasOwn(operand, 'timezone'))
    throw new MongoError('NotImplemented', "'timezone' of $dateToString is not supported by this server")
  const spec = named(name, operand, {
    codes: ['Location18629', 'Location18534'],
    fields: { date: 'Location18628' },
    optional: ['format', 'onNull'],
  })
  const format = spec.format ?? DEFAULT
  if (typeof format !== 'string' || format.startsWith('$'))
    throw new MongoError('NotImplemented', "'format' of $dateToString is a string here")
  const other = [...format.matchAll(/%(.?)/gs)].find(([, letter = '']) => !Object.hasOwn(parts, letter))
  if (other !== undefined)
    throw new MongoError('NotImplemented', `'${other[0]}' in a format of $dateToString is not supported by this server`)
  const date = compile(spec.date)
  const onNull = compile(spec.onNull ?? null)
  return (scope) => {
    const value = date(scope)
    if (isNothing(value)) return onNull(scope)
    const found = dateOf(value)
    const year = found.getUTCFullYear()
    if (year < 0 || year > 9999)
      throw new MongoError(
        'Location18537',
        `Could not convert date to string: date component was outside the supported range of 0-9999: ${year}`,
      )
    scope.budget.text(format.length * 2)
    return format.replace(/%(.)/gs, (_all, letter: string) => parts[letter]?.(found) ?? '')
  }
}

export const dates: Readonly<Record<string, Operator>> = {
  $year: part((date) => date.getUTCFullYear()),
  $month: part((date) => date.getUTCMonth() + 1),
  $dayOfMonth: part((date) => date.getUTCDate()),
  $hour: part((date) => date.getUTCHours()),
  $minute: part((date) => date.getUTCMinutes()),
  $second: part((date) => date.getUTCSeconds()),
  $millisecond: part((date) => date.getUTCMilliseconds()),
  // Sunday is 1.
  $dayOfWeek: part((date) => date.getUTCDay() + 1),
  $dateToString,
}
