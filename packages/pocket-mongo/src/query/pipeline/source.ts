import type { Document } from 'bson'
import type { ReadUnit } from '../../store/types.js'
import { jsonSchema } from '../../validation/json-schema.js'
import type { Budget } from '../budget.js'
import { isTrue } from '../expressions/types.js'
import { compileExpression, type Variables } from '../expressions.js'
import { compileFilter, type Filter } from '../filter.js'

/** What the stages of one pipeline share. */
export interface Run {
  readonly unit: ReadUnit
  readonly db: string
  /** Called for each document that is looked at. */
  readonly tick: (work?: number) => void
  /** Asked for the memory of what a stage makes. */
  readonly budget: Budget
  /** Documents that came from the store as they are, and their bytes. */
  readonly raw: WeakMap<Document, Uint8Array>
  readonly variables: Variables
  /** A pipeline in a stage. */
  readonly nested: (documents: Source, stages: readonly unknown[], variables: Variables) => readonly Document[]
}

/** Documents, or a collection whose documents they are: then the first stages may use its indexes. */
export type Source = readonly Document[] | { readonly ns: string }

export const isNamespace = (source: Source): source is { readonly ns: string } => !Array.isArray(source)

/** A filter that may hold expressions, and a schema. @throws MongoError as compileFilter */
export const filterWith = (filter: Document, variables: Variables = {}, budget?: Budget): Filter =>
  compileFilter(filter, {
    expression: (expression) => {
      const value = compileExpression(expression, variables, budget)
      return (document) => isTrue(value(document))
    },
    jsonSchema: (schema) => jsonSchema(schema).test,
  })
