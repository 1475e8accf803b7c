import { FlowError, nearNames, quote } from './errors.js'

/** Reads a value of one kind at a place; throws FlowError with the place and the value. */
export type Shape<T> = (value: unknown, place: string) => T

type Fields = Readonly<Record<string, Shape<unknown>>>
type Read<F extends Fields> = { readonly [K in keyof F]?: ReturnType<F[K]> }

function wrong(place: string, expected: string, value: unknown): never {
  const got = value === undefined ? 'it is missing' : `not ${quote(value)}`
  throw new FlowError('flow.invalid', `${quote(place)} must be ${expected}, ${got}`)
}

export const text: Shape<string> = (value, place) =>
  typeof value === 'string' && value !== '' ? value : wrong(place, 'a text that is not empty', value)

export const flag: Shape<boolean> = (value, place) =>
  typeof value === 'boolean' ? value : wrong(place, 'true or false', value)

export const anything: Shape<unknown> = (value) => value

export function wholeNumber(from: number, to: number): Shape<number> {
  return (value, place) =>
    typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to
      ? value
      : wrong(place, `a whole number from ${from} to ${to}`, value)
}

export function oneOf<const T extends string>(...words: readonly T[]): Shape<T> {
  return (value, place) => words.find((word) => word === value) ?? wrong(place, `one of ${words.join(', ')}`, value)
}

export function matching(test: (value: string) => boolean, expected: string): Shape<string> {
  return (value, place) => (typeof value === 'string' && test(value) ? value : wrong(place, expected, value))
}

export function listOf<T>(item: Shape<T>): Shape<readonly T[]> {
  return (value, place) =>
    Array.isArray(value)
      ? value.map((entry, index) => item(entry, `${place}[${index}]`))
      : wrong(place, 'a list', value)
}

export function recordOf<T>(item: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return (value, place) =>
    Object.fromEntries(
      Object.entries(objectAt(value, place)).map(([key, entry]) => [key, item(entry, `${place}.${key}`)]),
    )
}

/** The fields that are there; one that the shape does not name is an error. A field that is `undefined` is not there. */
export function fields<F extends Fields>(shapes: F): Shape<Read<F>> {
  return (value, place) => {
    const read: Record<string, unknown> = {}
    for (const [key, entry] of Object.entries(objectAt(value, place))) {
      if (entry === undefined) continue
      const shape = Object.hasOwn(shapes, key) ? shapes[key] : undefined
      const where = place === '' ? key : `${place}.${key}`
      if (shape === undefined) {
        throw new FlowError(
          'flow.unknown-field',
          `${quote(where)} is no field of a flow`,
          nearNames(key, Object.keys(shapes)),
        )
      }
      read[key] = shape(entry, where)
    }
    return read as Read<F>
  }
}

export function objectAt(value: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  return wrong(place === '' ? 'flow' : place, 'an object', value)
}

/** The value of a field that must be there. */
export function needed<T>(value: T | undefined, place: string, expected: string): T {
  return value === undefined ? wrong(place, expected, undefined) : value
}
