import type { Document } from 'bson'
import { MongoError } from '../../errors.js'
import type { ReadUnit } from '../../store/types.js'
import { isPlain } from '../../values/decode.js'
import { numberOf } from '../../values/show.js'
import type { Budget } from '../budget.js'
import type { Variables } from '../expressions.js'
import { select } from '../select.js'
import { filterWith, isNamespace, type Run, type Source } from './source.js'
import { stageNamed } from './stages.js'

/** Pipelines in pipelines; deeper, the stack would end first. */
const MAX_NESTED = 20
const MAX_STAGES = 1000

export interface PipelineResult {
  readonly documents: readonly Document[]
  /** The bytes of those that came through as they are. */
  readonly raw: WeakMap<Document, Uint8Array>
}

/**
 * Runs an aggregation pipeline over a collection, or over documents.
 *
 * @throws MongoError Location40324 (an unknown stage), NotImplemented, and as the stages do
 */
export function runPipeline(
  unit: ReadUnit,
  source: Source,
  stages: readonly unknown[],
  options: { readonly db: string; readonly budget: Budget },
): PipelineResult {
  const raw = new WeakMap<Document, Uint8Array>()
  const nested = (depth: number) => (from: Source, inner: readonly unknown[], variables: Variables) => {
    if (depth > MAX_NESTED) throw new MongoError('BadValue', `pipelines are nested deeper than ${MAX_NESTED}`)
    // Who may read a database may not read its users; the pipeline's own collection was looked at before.
    if (depth > 0 && isNamespace(from) && from.ns.slice(options.db.length + 1).startsWith('system.'))
      throw new MongoError('Unauthorized', `not authorized to read ${from.ns} in a pipeline`)
    const run: Run = { unit, ...options, tick: options.budget.tick, raw, variables, nested: nested(depth + 1) }
    return stagesOver(from, inner, run)
  }
  return { documents: nested(0)(source, stages, {}), raw }
}

/** @throws MongoError TypeMismatch, Location40323 (not one stage) */
export function stageOf(stage: unknown): readonly [string, unknown] {
  if (!isPlain(stage)) throw new MongoError('TypeMismatch', "Each element of the 'pipeline' array must be an object")
  const [name, second] = Object.keys(stage)
  if (name === undefined || second !== undefined)
    throw new MongoError('Location40323', 'A pipeline stage specification object must contain exactly one field.')
  return [name, stage[name]]
}

function stagesOver(source: Source, stages: readonly unknown[], run: Run): readonly Document[] {
  if (stages.length > MAX_STAGES)
    throw new MongoError('Location7749501', `Pipeline length must be no longer than ${MAX_STAGES} stages`)
  // All are looked at before the first one runs.
  const read = stages.map(stageOf).map(([name, spec]) => ({ name, spec, stage: stageNamed(name) }))
  const { documents, used } = isNamespace(source) ? collected(source.ns, read, run) : { documents: source, used: 0 }
  let current = documents
  for (const [index, { name, spec, stage }] of read.entries()) {
    if (index < used) continue
    if (stage.first === true && (index > 0 || isNamespace(source)))
      throw new MongoError('Location40602', `${name} is only valid as the first stage in a pipeline`)
    run.budget.elements(current.length)
    current = stage.run(spec, current, run)
  }
  return current
}

/** The first `$match`, `$sort`, `$skip` and `$limit` are asked of the store, which has indexes. */
function collected(
  ns: string,
  stages: readonly { readonly name: string; readonly spec: unknown }[],
  run: Run,
): { readonly documents: readonly Document[]; readonly used: number } {
  const [first, second] = stages
  const filter = first?.name === '$match' && isPlain(first.spec) ? first.spec : undefined
  const next = filter === undefined ? first : second
  const sort = next?.name === '$sort' && isPlain(next.spec) ? next.spec : undefined
  const used = (filter === undefined ? 0 : 1) + (sort === undefined ? 0 : 1)
  const after = stages[used]
  const limit =
    after?.name === '$limit' && Number.isInteger(numberOf(after.spec)) && numberOf(after.spec) > 0
      ? numberOf(after.spec)
      : undefined
  const found = select(run.unit, ns, {
    filter: filter ?? {},
    matches: filterWith(filter ?? {}, run.variables, run.budget),
    sort,
    limit,
    tick: run.tick,
  })
  for (const { doc, raw } of found) run.raw.set(doc, raw)
  return { documents: found.map(({ doc }) => doc), used }
}
