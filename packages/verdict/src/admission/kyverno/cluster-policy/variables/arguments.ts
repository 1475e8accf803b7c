import { isDict, isList } from '../data.js'

/* The arguments of a function, in Kyverno's words where they are of another type. */

type Given = readonly unknown[]

export function complain(name: string, what: string): never {
  throw new TypeError(`JMESPath function '${name}': ${what}`)
}

function wrong(name: string, index: number, type: string): never {
  return complain(name, `argument #${index + 1} is not of type ${type}`)
}

export function text(name: string, given: Given, index: number): string {
  const value = given[index]
  return typeof value === 'string' ? value : wrong(name, index, 'string')
}

export function number(name: string, given: Given, index: number): number {
  const value = given[index]
  return typeof value === 'number' ? value : wrong(name, index, 'float64')
}

export function textOrNumber(name: string, given: Given, index: number): string {
  const value = given[index]
  if (typeof value === 'string' || typeof value === 'boolean') return String(value)
  return typeof value === 'number' ? plainNumber(value) : wrong(name, index, 'String or Real')
}

export function list(name: string, given: Given, index: number): readonly unknown[] {
  const value = given[index]
  return isList(value) ? value : wrong(name, index, 'Array')
}

export function dict(name: string, given: Given, index: number): Readonly<Record<string, unknown>> {
  const value = given[index]
  return isDict(value) ? value : wrong(name, index, 'Object')
}

/** Without an exponent. */
function plainNumber(value: number): string {
  return Number.isInteger(value) ? BigInt(value).toString() : String(value)
}
