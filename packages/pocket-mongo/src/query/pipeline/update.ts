import type { Document } from 'bson'
import { MongoError } from '../../errors.js'
import { equal } from '../../values/compare.js'
import { isPlain } from '../../values/decode.js'
import { identical } from '../../values/identical.js'
import { own } from '../path.js'
import { immutable, type Update } from '../update/update.js'
import { stageOf } from './pipeline.js'
import type { Run } from './source.js'
import { stageNamed } from './stages.js'

const allowed = new Set(['$set', '$addFields', '$unset', '$project', '$replaceRoot', '$replaceWith'])

/** An update by a pipeline. What came out equal keeps the type that it had. @throws MongoError InvalidOptions */
export function pipelineUpdate(stages: readonly unknown[], run: Run): Update {
  const read = stages.map((stage) => {
    const [name, spec] = stageOf(stage)
    const known = stageNamed(name)
    if (!allowed.has(name)) throw new MongoError('InvalidOptions', `${name} is not allowed to be used within an update`)
    return { stage: known, spec }
  })
  return (document) => {
    let current: readonly Document[] = [document]
    for (const { stage, spec } of read) current = stage.run(spec, current, run)
    const [made = {}] = current
    const next = restored(document, made)
    const id = own(document, '_id')
    if (id !== undefined && !identical(own(next, '_id'), id)) throw immutable('_id')
    return identical(next, document) ? document : next
  }
}

function restored(before: Document, after: Document): Document {
  const next = { ...after }
  for (const key of Object.keys(next)) {
    const old = own(before, key)
    const value: unknown = next[key]
    if (old !== undefined && equal(old, value)) next[key] = old
    else if (isPlain(old) && isPlain(value)) next[key] = restored(old, value)
  }
  return next
}
