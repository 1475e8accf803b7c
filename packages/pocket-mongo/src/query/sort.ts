import type { Document } from 'bson'
import { MongoError } from '../errors.js'
import { compare } from '../values/compare.js'
import { wholeNumber } from './operators.js'
import { valuesAt } from './path.js'

/** @throws MongoError BadValue (a direction that is none), NotImplemented (`$meta`) */
export function readSort(sort: Document): Readonly<Record<string, 1 | -1>> {
  const read: Record<string, 1 | -1> = {}
  for (const field of Object.keys(sort)) {
    const direction = wholeNumber(sort[field])
    if (typeof sort[field] === 'object' && direction === undefined)
      throw new MongoError('NotImplemented', `$sort by '${field}': an expression is not supported by this server`)
    if (direction !== 1 && direction !== -1)
      throw new MongoError('BadValue', '$sort key ordering must be 1 (for ascending) or -1 (for descending)')
    if (field === '' || field.startsWith('$'))
      throw new MongoError('BadValue', `FieldPath field names may not be empty or start with '$': '${field}'`)
    Object.defineProperty(read, field, { value: direction, enumerable: true })
  }
  return read
}

/** An order of documents. An array counts as its smallest element, or as its largest when the order is descending. */
export function compileSort(sort: Document): (a: Document, b: Document) => number {
  const fields = Object.entries(readSort(sort)).map(([field, direction]) => ({ path: field.split('.'), direction }))
  return (a, b) => {
    for (const { path, direction } of fields) {
      const found = compare(keyOf(a, path, direction), keyOf(b, path, direction))
      if (found !== 0) return found * direction
    }
    return 0
  }
}

function keyOf(document: Document, path: readonly string[], direction: 1 | -1): unknown {
  const values = valuesAt(document, path)
  let key = values[0]
  for (const value of values) if (compare(value, key) * direction < 0) key = value
  return key
}
