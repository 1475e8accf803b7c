import { MongoError } from '../errors.js'

/** Bytes of `database.collection` (MongoDB, "Limits and Thresholds"). */
const longestNamespace = 255
const longestDatabase = 63

/**
 * Whether `database.collection` may be used as a name.
 *
 * @throws MongoError InvalidNamespace
 */
export function checkNamespace(ns: string): void {
  const dot = ns.indexOf('.')
  const db = dot === -1 ? ns : ns.slice(0, dot)
  const collection = dot === -1 ? '' : ns.slice(dot + 1)
  if (db === '' || Buffer.byteLength(db) > longestDatabase || /[/\\ "$*<>:|?\0]/.test(db)) {
    throw new MongoError(
      'InvalidNamespace',
      `Invalid namespace specified ${JSON.stringify(ns)}: a database's name has 1 to ${longestDatabase} bytes, and none of / \\ . " $ * < > : | ? and blanks`,
    )
  }
  if (collection === '' || /[$\0]/.test(collection) || collection.startsWith('.') || collection.endsWith('.')) {
    throw new MongoError(
      'InvalidNamespace',
      `Invalid namespace specified ${JSON.stringify(ns)}: a collection's name is not empty, does not begin or end with a dot, and has no $ in it`,
    )
  }
  if (Buffer.byteLength(ns) > longestNamespace) {
    throw new MongoError(
      'InvalidNamespace',
      `Invalid namespace specified: it has ${Buffer.byteLength(ns)} bytes, and ${longestNamespace} is the most`,
    )
  }
}
