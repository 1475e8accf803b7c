import { CelError } from '../../cel/errors.js'
import type { Budget } from '../../cel/frame.js'
import { Double, entry, isList, isPlain, keysOf, Message, Optional, typeName, Uint } from '../../cel/values.js'

/** Deeper than this is no object of Kubernetes. */
const maxDepth = 128

/**
 * What an expression came to as an object of Kubernetes has it: ints are numbers, messages and maps are plain objects.
 * Throws CelError for what no manifest can hold.
 */
export function plainOf(value: unknown, budget: Budget, depth = 0): unknown {
  if (depth > maxDepth) throw new CelError(`the expression makes something of more than ${maxDepth} levels`)
  budget.spend(1)
  const inside = (entries: readonly (readonly [string, unknown])[]): Readonly<Record<string, unknown>> =>
    Object.fromEntries(
      entries.flatMap(([key, one]) => {
        const made = plainOf(one, budget, depth + 1)
        return made === undefined ? [] : [[key, made]]
      }),
    )
  if (value === null || value === undefined || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'bigint' || typeof value === 'number') return Number(value)
  if (value instanceof Double) return value.value
  if (value instanceof Uint) return Number(value.value)
  // An optional that holds nothing leaves its field out.
  if (value instanceof Optional) return value.value === undefined ? undefined : plainOf(value.value, budget, depth)
  if (value instanceof Message) return inside([...value.fields])
  if (isList(value)) return value.map((item) => plainOf(item, budget, depth + 1))
  if (value instanceof Map || isPlain(value))
    return inside(keysOf(value).map((key) => [String(key), entry(value, key)]))
  throw new CelError(`a ${typeName(value)} is no value of an object`)
}
