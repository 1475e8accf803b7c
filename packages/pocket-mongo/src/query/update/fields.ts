import { Timestamp } from 'bson'
import { MongoError } from '../../errors.js'
import { compare } from '../../values/compare.js'
import { isPlain } from '../../values/decode.js'
import { identical } from '../../values/identical.js'
import { calculate, numeric } from '../arithmetic.js'
import { type Change, KEEP, REMOVE } from './paths.js'

/** Makes the change of one field; errors of the operand are thrown here, before any document is read. */
export interface Operator {
  readonly create: boolean
  change(operand: unknown, field: string): Change
}

const set =
  (operand: unknown): Change =>
  (old) =>
    old !== undefined && identical(old, operand) ? KEEP : operand

/** The operators that change one field by its old value (MongoDB, "Field Update Operators"). */
export const fieldOperators = {
  $set: { create: true, change: set },
  $setOnInsert: { create: true, change: set },
  $unset: { create: false, change: () => (old) => (old === undefined ? KEEP : REMOVE) },
  $inc: {
    create: true,
    change(operand, field) {
      const by = numeric(operand, '$inc', field)
      return (old) => (old === undefined ? by : calculate('add', numeric(old, '$inc', field), by))
    },
  },
  $mul: {
    create: true,
    change(operand, field) {
      const by = numeric(operand, '$mul', field)
      return (old) => calculate('multiply', old === undefined ? 0 : numeric(old, '$mul', field), by)
    },
  },
  $min: {
    create: true,
    change: (operand) => (old) => (old === undefined || compare(operand, old) < 0 ? operand : KEEP),
  },
  $max: {
    create: true,
    change: (operand) => (old) => (old === undefined || compare(operand, old) > 0 ? operand : KEEP),
  },
  $currentDate: {
    create: true,
    change(operand, field) {
      const type: unknown = isPlain(operand)
        ? operand.$type
        : operand === true || operand === false
          ? 'date'
          : undefined
      if (type === 'date') return () => new Date()
      if (type === 'timestamp') return () => new Timestamp({ t: Math.floor(Date.now() / 1000), i: 1 })
      throw new MongoError('BadValue', `$currentDate of '${field}' takes true, {$type: 'date'} or {$type: 'timestamp'}`)
    },
  },
} satisfies Readonly<Record<string, Operator>>
