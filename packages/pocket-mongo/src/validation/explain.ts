import type { ErrorObject } from 'ajv'
import type { Document } from 'bson'
import { typeOf } from '../values/types.js'
import { opened } from './keywords.js'

/*
 * Why a document is not valid, as `errInfo.details` tells it (MongoDB, "Schema Validation: Document Validation Error
 * Output"): rules that were not met, those of a field inside the rule `properties`, and so on inwards.
 */

interface Node {
  readonly rules: Document[]
  readonly fields: Map<string, Node>
  readonly items: Map<number, Node>
}

const names: Readonly<Record<string, string>> = {
  jsonType: 'type',
  bsonEnum: 'enum',
  bsonMinimum: 'minimum',
  bsonMaximum: 'maximum',
  bsonMultipleOf: 'multipleOf',
  bsonPattern: 'pattern',
  bsonUniqueItems: 'uniqueItems',
}

const reasons: Readonly<Record<string, string>> = {
  bsonType: 'type did not match',
  type: 'type did not match',
  enum: 'value was not found in enum',
  minimum: 'comparison failed',
  maximum: 'comparison failed',
  multipleOf: 'considered value is not a multiple of the specified value',
  pattern: 'regular expression did not match',
  uniqueItems: 'found a duplicate item',
  minLength: 'specified string length was not satisfied',
  maxLength: 'specified string length was not satisfied',
  minItems: 'array did not match specified length',
  maxItems: 'array did not match specified length',
  minProperties: 'specified number of properties was not satisfied',
  maxProperties: 'specified number of properties was not satisfied',
  not: 'child expression matched',
}

/** Rules that are one for several schemas: what each of these misses is not told. */
const inner = /\/(anyOf|oneOf|not|dependencies)\//

export function explain(errors: readonly ErrorObject[], document: Document): Document {
  const root = node()
  for (const error of errors) {
    if (inner.test(error.schemaPath)) continue
    place(root, document, error.instancePath.split('/').slice(1).map(unescaped)).rules.push(error)
  }
  return { operatorName: '$jsonSchema', schemaRulesNotSatisfied: told(root) }
}

const node = (): Node => ({ rules: [], fields: new Map(), items: new Map() })

const unescaped = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~')

function place(from: Node, value: unknown, path: readonly string[]): Node {
  const [name, ...rest] = path
  if (name === undefined) return from
  const isItem = Array.isArray(value)
  const children: Map<string | number, Node> = isItem ? from.items : from.fields
  const key = isItem ? Number(name) : name
  const child = children.get(key) ?? node()
  children.set(key, child)
  return place(child, (value as Readonly<Record<string, unknown>>)[name], rest)
}

function told(from: Node): readonly Document[] {
  const rules: Document[] = []
  if (from.fields.size > 0) {
    rules.push({
      operatorName: 'properties',
      propertiesNotSatisfied: [...from.fields].map(([propertyName, child]) => ({ propertyName, details: told(child) })),
    })
  }
  const missing = from.rules.filter(({ keyword }) => keyword === 'required')
  const [first] = missing
  if (first !== undefined) {
    rules.push({
      operatorName: 'required',
      specifiedAs: { required: first.schema },
      missingProperties: missing.map(({ params }) => params.missingProperty),
    })
  }
  const extra = from.rules.filter(({ keyword }) => keyword === 'additionalProperties')
  if (extra.length > 0) {
    rules.push({
      operatorName: 'additionalProperties',
      specifiedAs: { additionalProperties: false },
      additionalProperties: extra.map(({ params }) => params.additionalProperty),
    })
  }
  for (const error of from.rules) {
    if (error.keyword !== 'required' && error.keyword !== 'additionalProperties') rules.push(rule(error as ErrorObject))
  }
  for (const [itemIndex, child] of from.items) {
    rules.push({
      operatorName: 'items',
      reason: 'At least one item did not match the sub-schema',
      itemIndex,
      details: told(child),
    })
  }
  return rules
}

function rule({ keyword, schema, data }: ErrorObject): Document {
  const operatorName = names[keyword] ?? keyword
  const reason = reasons[operatorName]
  // What is only told in our own words of the schema, is told without them.
  if (reason === undefined || operatorName === 'not')
    return { operatorName, ...(reason === undefined ? {} : { reason }) }
  const considered = opened(data)
  return {
    operatorName,
    specifiedAs: { [operatorName]: specified(operatorName, schema) },
    reason,
    consideredValue: considered,
    ...(operatorName === 'bsonType' || operatorName === 'type' ? { consideredType: typeOf(considered) } : {}),
  }
}

function specified(operatorName: string, schema: unknown): unknown {
  if (operatorName === 'minimum' || operatorName === 'maximum') return (schema as { readonly value: unknown }).value
  return Array.isArray(schema) && schema.length === 1 && operatorName !== 'enum' ? schema[0] : schema
}
