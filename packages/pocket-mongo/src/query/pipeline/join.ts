import type { Document } from 'bson'
import { MongoError } from '../../errors.js'
import { isPlain } from '../../values/decode.js'
import { show } from '../../values/show.js'
import type { Budget } from '../budget.js'
import { compileExpression, type Variables } from '../expressions.js'
import { valuesAt } from '../path.js'
import { select } from '../select.js'
import { filterWith, type Run } from './source.js'

/**
 * `$lookup`: by equal fields, by a pipeline with variables, or by both. The other collection's indexes are used.
 *
 * @throws MongoError FailedToParse
 */
export function lookup(spec: unknown, documents: readonly Document[], run: Run): Document[] {
  const { from, as, localField, foreignField, let: given, pipeline, ...others }: Document = isPlain(spec) ? spec : {}
  const [odd] = Object.keys(others)
  if (odd !== undefined) throw new MongoError('FailedToParse', `unknown argument to $lookup: ${odd}`)
  if (typeof from !== 'string' || typeof as !== 'string')
    throw new MongoError('FailedToParse', "$lookup needs 'from' and 'as'")
  if (from.startsWith('system.')) throw new MongoError('Unauthorized', `not authorized to read ${from} in a pipeline`)
  const byFields = typeof localField === 'string' && typeof foreignField === 'string'
  if (!byFields && !Array.isArray(pipeline))
    throw new MongoError('FailedToParse', "$lookup needs 'localField' and 'foreignField', or 'pipeline'")
  const names = isPlain(given)
    ? Object.keys(given).map((name) => ({ name, value: compileExpression(given[name], run.variables, run.budget) }))
    : []
  const ns = `${run.db}.${from}`
  const path = as.split('.')
  return documents.map((document) => {
    run.tick()
    const equal = byFields ? { [String(foreignField)]: { $in: localValues(document, String(localField)) } } : undefined
    const joined = Array.isArray(pipeline)
      ? viaPipeline(pipeline, ns, equal, document, names, run)
      : matching(ns, equal ?? {}, run)
    run.budget.elements(joined.length)
    return run.budget.made(placed(document, path, joined))
  })
}

/** A field that is not there is equal to one that is null. */
const localValues = (document: Document, field: string): unknown[] =>
  valuesAt(document, field.split('.')).map((value) => value ?? null)

function matching(ns: string, filter: Document, run: Run): readonly Document[] {
  return select(run.unit, ns, { filter, matches: filterWith(filter, {}, run.budget), tick: run.tick }).map(
    ({ doc }) => doc,
  )
}

function viaPipeline(
  pipeline: readonly unknown[],
  ns: string,
  equal: Document | undefined,
  document: Document,
  names: readonly { readonly name: string; readonly value: (document: Document) => unknown }[],
  run: Run,
): readonly Document[] {
  const own: Variables = Object.fromEntries(names.map(({ name, value }) => [name, value(document) ?? null]))
  const stages = equal === undefined ? pipeline : [{ $match: equal }, ...pipeline]
  return run.nested({ ns }, stages, { ...run.variables, ...own })
}

/** A copy with a value at a path; what is on the way and no document becomes one. */
export function placed(document: Document, path: readonly string[], value: unknown): Document {
  const [first = '', ...rest] = path
  const inner: unknown = Object.hasOwn(document, first) ? document[first] : undefined
  if (rest.length > 0 && Array.isArray(inner))
    return { ...document, [first]: inner.map((item: unknown) => placed(isPlain(item) ? item : {}, rest, value)) }
  const next = rest.length === 0 ? value : placed(isPlain(inner) ? inner : {}, rest, value)
  if (next !== undefined) return { ...document, [first]: next }
  const { [first]: _gone, ...others } = document
  return others
}

/**
 * `$unwind`: a document for each element of an array.
 *
 * @throws MongoError Location28812 and its neighbours (a path that is none)
 */
export function unwind(spec: unknown, documents: readonly Document[], budget: Budget): Document[] {
  const { path, includeArrayIndex, preserveNullAndEmptyArrays }: Document = isPlain(spec) ? spec : { path: spec }
  if (typeof path !== 'string' || !path.startsWith('$'))
    throw new MongoError('Location28818', `path option to $unwind stage should be prefixed with a '$': ${show(path)}`)
  const parts = path.slice(1).split('.')
  const keep = preserveNullAndEmptyArrays === true
  const index = typeof includeArrayIndex === 'string' ? includeArrayIndex.split('.') : undefined
  const read = compileExpression(path, {}, budget)
  const numbered = (document: Document, at: number | null) =>
    budget.made(index === undefined ? document : placed(document, index, at))
  return documents.flatMap((document) => {
    budget.tick()
    const value = read(document)
    if (Array.isArray(value) && value.length > 0)
      return value.map((item: unknown, at) => numbered(placed(document, parts, item), at))
    if (value === undefined || value === null || Array.isArray(value))
      return keep ? [numbered(Array.isArray(value) ? placed(document, parts, undefined) : document, null)] : []
    return [numbered(document, null)]
  })
}
