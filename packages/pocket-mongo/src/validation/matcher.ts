import type { Document } from 'bson'
import { Query } from 'mingo'

/** Whether a document matches a filter. */
export function matcherOf(filter: Document): (doc: Document) => boolean {
  const query = new Query(filter)
  return (doc) => query.test(doc)
}
