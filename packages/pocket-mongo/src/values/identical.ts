import { compare } from './compare.js'
import { isPlain } from './decode.js'
import { typeOf } from './types.js'

/** Equal, and of the same types all through: written out, they are the same bytes (but for the classes that order alone). */
export function identical(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeOf(a) !== typeOf(b)) return false
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => identical(item, b[index]))
  if (isPlain(a) && isPlain(b)) {
    const [keys, others] = [Object.keys(a), Object.keys(b)]
    return keys.length === others.length && keys.every((key, i) => key === others[i] && identical(a[key], b[key]))
  }
  return !isPlain(a) && compare(a, b) === 0 && String(a) === String(b)
}
