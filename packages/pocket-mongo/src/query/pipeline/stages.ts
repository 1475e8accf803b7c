import type { Document } from 'bson'
import { MongoError } from '../../errors.js'
import { isPlain } from '../../values/decode.js'
import { isNumeric } from '../../values/numbers.js'
import { show } from '../../values/show.js'
import { compileExpression } from '../expressions.js'
import { compileProjection } from '../projection.js'
import { sorted } from '../sort.js'
import { group } from './group.js'
import { lookup, placed, unwind } from './join.js'
import { filterWith, type Run } from './source.js'

export interface Stage {
  /** Only at a pipeline's beginning, without a collection. */
  readonly first?: boolean
  run(spec: unknown, documents: readonly Document[], run: Run): readonly Document[]
}

function objectOf(name: string, spec: unknown): Document {
  if (isPlain(spec)) return spec
  throw new MongoError('FailedToParse', `the ${name} stage specification must be an object`)
}

function matchOf(spec: unknown): Document {
  if (isPlain(spec)) return spec
  throw new MongoError('Location15959', 'the match filter must be an expression in an object')
}

function countOf(name: string, spec: unknown, least: number): number {
  const count = isNumeric(spec) ? Number(spec) : Number.NaN
  if (!Number.isInteger(count) || count < least)
    throw new MongoError('Location15958', `the ${name} stage takes a whole number from ${least} up: ${show(spec)}`)
  return count
}

const addFields: Stage = {
  run(spec, documents, { variables, budget }) {
    const fields = flat(objectOf('$addFields', spec), '').map(([field, value]) => ({
      path: field.split('.'),
      value: compileExpression(value, variables, budget),
    }))
    return documents.map((document) => {
      budget.tick()
      let next = document
      for (const { path, value } of fields) next = budget.made(placed(next, path, value(document)))
      return next
    })
  },
}

/** `{ a: { b: 1 } }` adds to what is in `a`, as `'a.b'` does. */
function flat(fields: Document, prefix: string): readonly (readonly [string, unknown])[] {
  return Object.keys(fields).flatMap((key): readonly (readonly [string, unknown])[] => {
    const value: unknown = fields[key]
    const name = `${prefix}${key}`
    if (name.startsWith('$') || key === '')
      throw new MongoError('Location16410', `FieldPath field names may not start with '$' or be empty: '${key}'`)
    const isInner =
      isPlain(value) && Object.keys(value).length > 0 && !Object.keys(value).some((inner) => inner.startsWith('$'))
    return isInner ? flat(value, `${name}.`) : [[name, value]]
  })
}

const replaceWith = (name: string, read: (spec: unknown) => unknown): Stage => ({
  run(spec, documents, { variables, budget }) {
    const value = compileExpression(read(spec), variables, budget)
    return documents.map((document) => {
      budget.tick()
      const next = value(document)
      if (isPlain(next)) return next
      throw new MongoError('Location40228', `'newRoot' expression of ${name} must evaluate to an object`)
    })
  },
})

/** Some of the documents, each as likely as any other. */
function sample(spec: unknown, documents: readonly Document[]): readonly Document[] {
  const { size, ...others }: Document = isPlain(spec) ? spec : {}
  if (!isPlain(spec)) throw new MongoError('Location28745', 'the $sample stage specification must be an object')
  const [odd] = Object.keys(others)
  if (odd !== undefined) throw new MongoError('Location28748', `unrecognized option to $sample: ${odd}`)
  if (size === undefined) throw new MongoError('Location28749', '$sample stage must specify a size')
  if (!isNumeric(size)) throw new MongoError('Location28746', 'size argument to $sample must be a number')
  if (Number(size) < 1) throw new MongoError('Location28747', 'size argument to $sample must not be negative, or 0')
  const left = [...documents]
  const count = Math.min(left.length, Math.trunc(Number(size)))
  for (let at = 0; at < count; at++) {
    const other = at + Math.floor(Math.random() * (left.length - at))
    ;[left[at], left[other]] = [left[other] as Document, left[at] as Document]
  }
  return left.slice(0, count)
}

const stages: Readonly<Record<string, Stage>> = {
  $match: {
    run(spec, documents, { variables, tick, budget }) {
      const matches = filterWith(matchOf(spec), variables, budget)
      return documents.filter((document) => {
        tick()
        return matches(document)
      })
    },
  },
  $sort: {
    run: (spec, documents, { tick }) => sorted(documents, (document) => document, objectOf('$sort', spec), { tick }),
  },
  $skip: { run: (spec, documents) => documents.slice(countOf('$skip', spec, 0)) },
  $limit: { run: (spec, documents) => documents.slice(0, countOf('$limit', spec, 1)) },
  $count: {
    run(spec, documents) {
      if (typeof spec !== 'string' || spec === '' || spec.startsWith('$') || spec.includes('.'))
        throw new MongoError('Location40160', `the count field is no name: ${show(spec)}`)
      return documents.length === 0 ? [] : [{ [spec]: documents.length }]
    },
  },
  $project: {
    run(spec, documents, { variables, budget }) {
      const project = compileProjection(objectOf('$project', spec), {
        expression: (expression) => compileExpression(expression, variables, budget),
        stage: true,
      })
      if (project === undefined)
        throw new MongoError(
          'Location51272',
          'Invalid $project :: caused by :: projection specification must have at least one field',
        )
      return documents.map((document) => budget.made(project(document)))
    },
  },
  $unset: {
    run(spec, documents, { budget }) {
      const fields = Array.isArray(spec) ? spec : [spec]
      if (fields.length === 0 || !fields.every((field) => typeof field === 'string'))
        throw new MongoError('Location31120', '$unset specification must be a string or an array of strings')
      const project = compileProjection(Object.fromEntries(fields.map((field) => [field, 0])))
      return project === undefined ? documents : documents.map((document) => budget.made(project(document)))
    },
  },
  $addFields: addFields,
  $set: addFields,
  $replaceRoot: replaceWith('$replaceRoot', (spec) => objectOf('$replaceRoot', spec).newRoot),
  $replaceWith: replaceWith('$replaceWith', (spec) => spec),
  $group: { run: (spec, documents, { variables, budget }) => group(spec, documents, variables, budget) },
  $sortByCount: {
    run(spec, documents, { variables, budget }) {
      const counted = group({ _id: spec, count: { $sum: 1 } }, documents, variables, budget)
      return sorted(counted, (document) => document, { count: -1 }, { tick: budget.tick })
    },
  },
  $unwind: { run: (spec, documents, { budget }) => unwind(spec, documents, budget) },
  $lookup: { run: (spec, documents, run) => lookup(spec, documents, run) },
  $facet: {
    run(spec, documents, run) {
      const facets = Object.entries(objectOf('$facet', spec)).map(([name, pipeline]: [string, unknown]) => {
        if (!Array.isArray(pipeline))
          throw new MongoError('Location40170', `arguments to $facet must be arrays, ${name} is none`)
        return [name, run.nested(documents, pipeline, run.variables)] as const
      })
      return [run.budget.made(Object.fromEntries(facets))]
    },
  },
  $unionWith: {
    run(spec, documents, run) {
      const { coll, pipeline = [] }: Document = isPlain(spec) ? spec : { coll: spec }
      if (typeof coll !== 'string' || !Array.isArray(pipeline))
        throw new MongoError('FailedToParse', "$unionWith needs 'coll'")
      const others = run.nested({ ns: `${run.db}.${coll}` }, pipeline, run.variables)
      run.budget.elements(documents.length + others.length)
      return [...documents, ...others]
    },
  },
  $documents: {
    first: true,
    run(spec, _documents, { variables, budget }) {
      const made = compileExpression(spec, variables, budget)({})
      if (Array.isArray(made) && made.every(isPlain)) return made
      throw new MongoError('Location5858203', '$documents needs an array of objects')
    },
  },
  $sample: { run: sample },
}

/** Of MongoDB, not of this server. */
const refused = new Set([
  ...['$out', '$merge', '$geoNear', '$graphLookup', '$fill', '$densify', '$search', '$searchMeta', '$vectorSearch'],
  ...['$changeStream', '$changeStreamSplitLargeEvent', '$collStats', '$indexStats', '$planCacheStats', '$currentOp'],
  ...['$listSessions', '$listLocalSessions', '$listSampledQueries', '$shardedDataDistribution', '$setWindowFields'],
  ...['$bucket', '$bucketAuto', '$redact'],
])

/** @throws MongoError Location40324, NotImplemented */
export function stageNamed(name: string): Stage {
  const stage = Object.hasOwn(stages, name) ? stages[name] : undefined
  if (stage !== undefined) return stage
  if (refused.has(name)) throw new MongoError('NotImplemented', `the stage ${name} is not supported by this server`)
  throw new MongoError('Location40324', `Unrecognized pipeline stage name: '${name}'`)
}
