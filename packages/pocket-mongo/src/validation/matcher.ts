import type { Document } from 'bson'
import { compileFilter } from '../query/filter.js'
import { jsonSchema } from './json-schema.js'

/**
 * Whether a document matches a filter that is kept with a collection: a validator's, a partial index's.
 *
 * @throws MongoError when it is none
 */
export function matcherOf(filter: Document): (doc: Document) => boolean {
  return compileFilter(filter, { jsonSchema: (schema) => jsonSchema(schema).test })
}
