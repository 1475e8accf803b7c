import { isNumeric } from './numbers.js'
import { typeOf } from './types.js'

const LONGEST = 200

/** A value for people, in a message. Never fails: a document may have a field named `toString`. */
export function show(value: unknown): string {
  if (isNumeric(value)) return value.toString()
  if (typeof value === 'boolean' || value === null || value === undefined) return `${value}`
  try {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text
  } catch {
    return `a value of type ${typeOf(value)}`
  }
}

/** NaN: it is no number. */
export const numberOf = (value: unknown): number => (isNumeric(value) ? Number(value) : Number.NaN)
