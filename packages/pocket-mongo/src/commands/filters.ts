import type { Document } from 'bson'
import { compileFilter, type Filter, type FilterContext } from '../query/filter.js'

/** What filters of commands may use beside what is in documents. */
const context: FilterContext = {}

/** @throws MongoError as compileFilter */
export const filterOf = (filter: Document): Filter => compileFilter(filter, context)
