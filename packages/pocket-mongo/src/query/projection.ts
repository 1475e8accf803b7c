import type { Document } from 'bson'
import { MongoError } from '../errors.js'
import { isPlain, put } from '../values/decode.js'
import { isNumeric } from '../values/numbers.js'
import { compileFilter } from './filter.js'
import { wholeNumber } from './operators.js'
import { own } from './path.js'

/*
 * What of a document goes into an answer (MongoDB, "Project Fields to Return from Query"): fields named, or all but those
 * named. Fields stay in the order that the document has them in.
 */

export type Projection = (document: Document) => Document

/** What becomes of one field: kept, left out, looked into, or made from what it is. */
type Part = boolean | Tree | ((value: unknown, document: Document) => unknown)
interface Tree {
  readonly parts: Map<string, Part>
}

export interface ProjectionContext {
  /** For computed fields; absent: they are refused. */
  readonly expression?: (expression: unknown) => (document: Document) => unknown
  /** That of a pipeline's stage, which knows expressions alone: `$slice` and `$elemMatch` are a find's. */
  readonly stage?: boolean
}

/** undefined: the whole document. @throws MongoError BadValue, NotImplemented */
export function compileProjection(spec: Document, context: ProjectionContext = {}): Projection | undefined {
  const fields = Object.keys(spec)
  if (fields.length === 0) return undefined
  const tree: Tree = { parts: new Map() }
  const computed: { readonly path: readonly string[]; readonly value: (document: Document) => unknown }[] = []
  let including: boolean | undefined
  for (const field of fields) {
    const path = field.split('.')
    if (path.some((part) => part === '' || part.startsWith('$')))
      throw new MongoError('NotImplemented', `the projection '${field}' is not supported by this server`)
    const value: unknown = spec[field]
    const flag = flagOf(value)
    if (flag !== undefined) {
      if (field !== '_id') {
        if (including !== undefined && including !== flag)
          throw new MongoError(
            flag ? 'Location31253' : 'Location31254',
            `Cannot do ${flag ? 'inclusion' : 'exclusion'} on field ${field} in ${flag ? 'exclusion' : 'inclusion'} projection`,
          )
        including = flag
      }
      place(tree, path, flag, field)
      continue
    }
    const shaped = context.stage === true ? undefined : shapeOf(value)
    if (shaped !== undefined) {
      if (isPlain(value) && Object.hasOwn(value, '$elemMatch')) including ??= true
      place(tree, path, shaped, field)
      continue
    }
    if (isPlain(value) && !Object.keys(value).some((key) => key.startsWith('$')) && Object.keys(value).length > 0) {
      // A document of fields is the same as dotted names.
      const nested = compileNested(path, value)
      return compileProjection(without(spec, field, nested), context)
    }
    if (context.expression === undefined)
      throw new MongoError(
        'NotImplemented',
        `an expression in a projection ('${field}') is not supported by this server`,
      )
    if (including === false)
      throw new MongoError('Location31252', `Cannot use an expression ${field} in an exclusion projection`)
    including = true
    computed.push({ path, value: expressionOf(context.expression, value) })
  }
  const id = flagOf(spec._id)
  including ??= id === true
  const keeps = including
  if (keeps && id === undefined && !tree.parts.has('_id')) tree.parts.set('_id', true)
  return (document) => {
    const kept = shape(document, tree, keeps, document)
    for (const { path, value } of computed) setComputed(kept, path, value(document))
    return kept
  }
}

function expressionOf(compile: NonNullable<ProjectionContext['expression']>, value: unknown) {
  try {
    return compile(value)
  } catch (error) {
    if (!(error instanceof MongoError) || error.codeName !== 'InvalidPipelineOperator') throw error
    throw new MongoError('Location31325', `Invalid projection: ${error.message}`)
  }
}

function compileNested(path: readonly string[], value: Document): Document {
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [[...path, key].join('.'), inner as unknown]))
}

function without(spec: Document, field: string, instead: Document): Document {
  const next: Document = {}
  for (const key of Object.keys(spec)) {
    if (key === field) Object.assign(next, instead)
    else put(next, key, spec[key])
  }
  return next
}

function flagOf(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value
  return isNumeric(value) ? Number(value) !== 0 : undefined
}

function shapeOf(value: unknown): ((value: unknown) => unknown) | undefined {
  if (!isPlain(value)) return undefined
  if (Object.hasOwn(value, '$slice')) return isExpression(value.$slice) ? undefined : sliceOf(value.$slice)
  if (!Object.hasOwn(value, '$elemMatch')) return undefined
  const criteria: unknown = value.$elemMatch
  if (!isPlain(criteria)) throw new MongoError('BadValue', '$elemMatch needs an object')
  const matches = compileFilter({ item: { $elemMatch: criteria } })
  return (array) => {
    const found: unknown = Array.isArray(array) ? array.find((item) => matches({ item: [item] })) : undefined
    return found === undefined ? undefined : [found]
  }
}

/** `{ $slice: ['$tags', 2] }` is one in a find too. */
const isExpression = (operand: unknown): boolean => Array.isArray(operand) && !isNumeric(operand[0])

function sliceOf(operand: unknown): (value: unknown) => unknown {
  const [first, second] = (Array.isArray(operand) ? operand : [operand]).map(wholeNumber)
  if (first === undefined || (Array.isArray(operand) && (second === undefined || second <= 0)))
    throw new MongoError('BadValue', '$slice takes a number, or [skip, limit] with a limit above 0')
  return (array) => {
    if (!Array.isArray(array)) return array
    if (second === undefined) return first >= 0 ? array.slice(0, first) : array.slice(first)
    const from = first >= 0 ? first : Math.max(array.length + first, 0)
    return array.slice(from, from + second)
  }
}

function place(tree: Tree, path: readonly string[], part: Part, field: string): void {
  let at = tree
  for (const name of path.slice(0, -1)) {
    const next = at.parts.get(name) ?? { parts: new Map() }
    if (typeof next !== 'object') throw collision(field)
    at.parts.set(name, next)
    at = next
  }
  const last = path.at(-1) ?? ''
  if (at.parts.has(last)) throw collision(field)
  at.parts.set(last, part)
}

const collision = (field: string): MongoError => new MongoError('Location31250', `Path collision at ${field}`)

function shape(node: Document, tree: Tree, keeps: boolean, root: Document): Document {
  const result: Document = {}
  for (const key of Object.keys(node)) {
    const part = tree.parts.get(key)
    const value: unknown = node[key]
    const next = part === undefined ? (keeps ? undefined : value) : partOf(part, value, keeps, root)
    if (next !== undefined) put(result, key, next)
  }
  return result
}

function partOf(part: Part, value: unknown, keeps: boolean, root: Document): unknown {
  if (typeof part === 'boolean') return part ? value : undefined
  if (typeof part === 'function') return part(value, root)
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown) => {
      if (isPlain(item) || Array.isArray(item)) return [partOf(part, item, keeps, root)]
      return keeps ? [] : [item]
    })
  }
  if (isPlain(value)) return shape(value, part, keeps, root)
  return keeps ? undefined : value
}

function setComputed(target: Document, path: readonly string[], value: unknown): void {
  if (value === undefined) return
  let at = target
  for (const name of path.slice(0, -1)) {
    const next: unknown = own(at, name)
    const inner: Document = isPlain(next) ? { ...next } : {}
    put(at, name, inner)
    at = inner
  }
  put(at, path.at(-1) ?? '', value)
}
