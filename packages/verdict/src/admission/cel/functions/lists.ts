import { CelError, noOverload } from '../errors.js'
import type { Frame } from '../frame.js'
import { operate } from '../operators.js'
import { define } from '../registry.js'
import { compare, equal, isList, read, typeName } from '../values.js'

/* Lists and sets: cel-go's ext.Lists and ext.Sets, and Kubernetes' own list library. */

define('.isSorted', ['list'], 'bool', ([list]) => {
  for (let i = 1; i < list.length; i++) if (order(read(list[i - 1]), read(list[i])) > 0) return false
  return true
})
define('.sum', ['list'], 'dyn', ([list], frame) => {
  let sum: unknown = 0n
  for (const [index, item] of list.entries()) sum = index === 0 ? read(item) : operate('+', sum, read(item), frame)
  return sum
})
define('.min', ['list'], 'dyn', ([list]) => extreme('min', list, -1))
define('.max', ['list'], 'dyn', ([list]) => extreme('max', list, 1))

function extreme(name: string, list: readonly unknown[], wanted: 1 | -1): unknown {
  if (list.length === 0) throw new CelError(`${name} called on empty list`)
  return list.map(read).reduce((best, item) => (order(item, best) * wanted > 0 ? item : best))
}

function order(a: unknown, b: unknown): number {
  const found = typeName(a) === typeName(b) ? compare(a, b) : undefined
  if (found === undefined) throw noOverload()
  return found
}

define('.indexOf', ['list', 'dyn'], 'int', ([list, value]) => BigInt(list.findIndex((item) => equal(item, value))))
define('.lastIndexOf', ['list', 'dyn'], 'int', ([list, value]) =>
  BigInt(list.findLastIndex((item) => equal(item, value))),
)

define('.slice', ['list', 'int', 'int'], 'list', ([list, from, to], frame) => {
  if (from < 0n || to < 0n || from > to || to > BigInt(list.length)) {
    throw new CelError(`cannot slice(${from}, ${to}), list is length ${list.length}`)
  }
  frame.budget.spend(Number(to - from))
  return list.slice(Number(from), Number(to))
})
define('.reverse', ['list'], 'list', ([list]) => [...list].reverse())
define('.distinct', ['list'], 'list', ([list], frame) => distinct(list, frame))
define('.flatten', ['list'], 'list', ([list], frame) => flatten(list, 1, frame))
define('.flatten', ['list', 'int'], 'list', ([list, depth], frame) => {
  if (depth < 0n) throw new CelError('level must be non-negative')
  return flatten(list, Number(depth), frame)
})
define('.sort', ['list'], 'list', ([list], frame) => {
  frame.budget.spend(list.length * 8)
  return list.map(read).sort(order)
})
define('lists.range', ['int'], 'list', ([count], frame) => {
  frame.budget.spend(count < 0n ? 0 : Number(count))
  return Array.from({ length: Math.max(0, Number(count)) }, (_, index) => BigInt(index))
})

function distinct(list: readonly unknown[], frame: Frame): unknown[] {
  const [plain, rest]: [Set<unknown>, unknown[]] = [new Set(), []]
  return list.map(read).filter((item) => {
    if (typeof item === 'string' || typeof item === 'boolean') return !plain.has(item) && plain.add(item)
    frame.budget.spend(rest.length)
    if (rest.some((known) => equal(known, item))) return false
    return rest.push(item) > 0
  })
}

function flatten(list: readonly unknown[], depth: number, frame: Frame): unknown[] {
  frame.budget.spend(list.length)
  const flat: unknown[] = []
  for (const item of list) {
    // By one and one: a spread of very many arguments overflows the stack.
    if (depth > 0 && isList(item)) for (const one of flatten(item, depth - 1, frame)) flat.push(one)
    else flat.push(item)
  }
  return flat
}

/** All pairs are compared, where they are no strings. */
function includes(list: readonly unknown[], frame: Frame): (value: unknown) => boolean {
  if (list.every((item) => typeof item === 'string')) {
    const known = new Set<unknown>(list)
    return (value) => known.has(value)
  }
  return (value) => {
    frame.budget.spend(list.length)
    return list.some((item) => equal(item, value))
  }
}

define('sets.contains', ['list', 'list'], 'bool', ([all, some], frame) => some.every(includes(all, frame)))
define('sets.intersects', ['list', 'list'], 'bool', ([a, b], frame) => a.some(includes(b, frame)))
define('sets.equivalent', ['list', 'list'], 'bool', ([a, b], frame) => {
  return a.every(includes(b, frame)) && b.every(includes(a, frame))
})
