import { CelError } from './errors.js'

/*
 * What CEL's values are here. A number of a Kubernetes object is read as it is met: a whole one is an int (bigint), any
 * other a double, so no object is copied before it is asked about. Lists are arrays; maps are plain objects (the
 * objects') or Maps (those that an expression makes).
 */

/** A value that has a type of its own: equality, order and fields are its class's. */
export abstract class CelValue {
  /** As CEL's `type()` and its messages name it. */
  abstract readonly type: string
  /** Of two of the same type. */
  equals(other: CelValue): boolean {
    return this === other
  }
  /** The field of this name; `undefined` where there is none. */
  field(_name: string): unknown {
    return undefined
  }
}

export class Double extends CelValue {
  readonly type = 'double'
  readonly value: number
  constructor(value: number) {
    super()
    this.value = value
  }
}

export class Uint extends CelValue {
  readonly type = 'uint'
  readonly value: bigint
  constructor(value: bigint) {
    super()
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw new CelError('unsigned integer overflow')
    this.value = value
  }
}

export class TypeValue extends CelValue {
  readonly type = 'type'
  readonly name: string
  constructor(name: string) {
    super()
    this.name = name
  }
  override equals(other: CelValue): boolean {
    return other instanceof TypeValue && other.name === this.name
  }
}

export class Optional extends CelValue {
  readonly type = 'optional_type'
  readonly value: unknown
  /** `undefined`: none. */
  constructor(value?: unknown) {
    super()
    this.value = value
  }
  override equals(other: CelValue): boolean {
    if (!(other instanceof Optional)) return false
    if (this.value === undefined || other.value === undefined) return this.value === other.value
    return equal(this.value, other.value)
  }
}

export const none = new Optional()

/** `Object.spec{replicas: 3}`, `JSONPatch{op: "add"}`: what a mutating policy's expression makes. */
export class Message extends CelValue {
  readonly type: string
  readonly fields: ReadonlyMap<string, unknown>
  constructor(type: string, fields: ReadonlyMap<string, unknown>) {
    super()
    this.type = type
    this.fields = fields
  }
  override equals(other: CelValue): boolean {
    return other instanceof Message && other.type === this.type && equal(this.fields, other.fields)
  }
  override field(name: string): unknown {
    return this.fields.get(name)
  }
}

export type Plain = Readonly<Record<string, unknown>>

export const MIN_INT = -9_223_372_036_854_775_808n
export const MAX_INT = 9_223_372_036_854_775_807n

/** An int within 64 bits, or CEL's error. */
export function int(value: bigint): bigint {
  if (value < MIN_INT || value > MAX_INT) throw new CelError('integer overflow')
  return value
}

/** What a field of plain data is in CEL. */
export function read(value: unknown): unknown {
  if (typeof value !== 'number') return value
  return Number.isInteger(value) ? BigInt(value) : new Double(value)
}

export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

/** Plain data that is a map. */
export function isPlain(value: unknown): value is Plain {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Map) &&
    !(value instanceof CelValue) &&
    !(value instanceof Uint8Array)
  )
}

export function isMap(value: unknown): value is Plain | ReadonlyMap<unknown, unknown> {
  return value instanceof Map || isPlain(value)
}

/** The entry of a map; `undefined` where there is none. Whole numbers of all types are one key. */
export function entry(map: Plain | ReadonlyMap<unknown, unknown>, key: unknown): unknown {
  if (map instanceof Map) return map.get(mapKey(key))
  const name = mapKey(key)
  return typeof name === 'string' && Object.hasOwn(map, name) ? read((map as Plain)[name]) : undefined
}

/** As a Map has it: a uint and a whole double are the int of the same value. */
export function mapKey(key: unknown): unknown {
  if (key instanceof Uint) return key.value
  if (key instanceof Double) return Number.isInteger(key.value) ? BigInt(key.value) : key
  return typeof key === 'number' ? mapKey(read(key)) : key
}

export function keysOf(map: Plain | ReadonlyMap<unknown, unknown>): readonly unknown[] {
  if (map instanceof Map) return [...map.keys()]
  return Object.keys(map).filter((key) => (map as Plain)[key] !== undefined)
}

export function sizeOf(map: Plain | ReadonlyMap<unknown, unknown>): number {
  return map instanceof Map ? map.size : keysOf(map).length
}

export function typeName(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'bigint':
      return 'int'
    case 'boolean':
      return 'bool'
    case 'number':
      return Number.isInteger(value) ? 'int' : 'double'
    default:
      if (value === null || value === undefined) return 'null_type'
      if (value instanceof CelValue) return value.type
      if (Array.isArray(value)) return 'list'
      return value instanceof Uint8Array ? 'bytes' : 'map'
  }
}

/** A number's value for comparing it with one of another type; `undefined` for what is no number. */
function numeric(value: unknown): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value
  return value instanceof Double || value instanceof Uint ? value.value : undefined
}

/** CEL's `==`: values of different types are not equal, numbers are compared by value. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  const [left, right] = [numeric(a), numeric(b)]
  if (left !== undefined && right !== undefined) return sameNumber(left, right)
  if (left !== undefined || right !== undefined) return false
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (a instanceof CelValue || b instanceof CelValue) {
    return a instanceof CelValue && b instanceof CelValue && a.type === b.type && a.equals(b)
  }
  if (a instanceof Uint8Array || b instanceof Uint8Array) {
    return a instanceof Uint8Array && b instanceof Uint8Array && a.length === b.length && a.every((x, i) => x === b[i])
  }
  if (isList(a) || isList(b)) {
    return isList(a) && isList(b) && a.length === b.length && a.every((item, index) => equal(item, b[index]))
  }
  return equalMaps(a as Plain, b as Plain)
}

/** NaN is neither less, nor more, nor the same. */
function sameNumber(a: bigint | number, b: bigint | number): boolean {
  const [left, right] = comparable(a, b)
  return !Number.isNaN(Number(left)) && !Number.isNaN(Number(right)) && !(left < right) && !(left > right)
}

/** An int is compared with a double as a double, as in cel-go. */
function comparable(a: bigint | number, b: bigint | number): readonly [bigint | number, bigint | number] {
  return typeof a === typeof b ? [a, b] : [Number(a), Number(b)]
}

function equalMaps(a: Plain, b: Plain): boolean {
  const keys = keysOf(a)
  if (keys.length !== sizeOf(b)) return false
  return keys.every((key) => {
    const [left, right] = [entry(a, key), entry(b, key)]
    return right !== undefined && equal(left, right)
  })
}

/** Values that have an order beside numbers and strings. */
export interface Ordered {
  compare(other: CelValue): number
}

export function isOrdered(value: unknown): value is CelValue & Ordered {
  return value instanceof CelValue && 'compare' in value
}

/** Negative, zero or positive; NaN where a NaN is asked; `undefined` where the two have no order. */
export function compare(a: unknown, b: unknown): number | undefined {
  const left = numeric(a)
  const right = numeric(b)
  if (left !== undefined && right !== undefined) {
    const [first, second] = comparable(left, right)
    if (first < second) return -1
    if (first > second) return 1
    return sameNumber(left, right) ? 0 : Number.NaN
  }
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b)
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b)
  if (isOrdered(a) && b instanceof CelValue && a.type === b.type) return a.compare(b)
  return undefined
}

/** By code points, as Go orders strings by their bytes. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const [left, right] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (left === right) continue
    // A surrogate stands for a code point above every other unit.
    const [highLeft, highRight] = [left >= 0xd800 && left < 0xe000, right >= 0xd800 && right < 0xe000]
    if (highLeft !== highRight) return highLeft ? 1 : -1
    return left - right
  }
  return a.length - b.length
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
