import type { Document } from 'bson'
import { MongoError } from '../errors.js'
import type { Budget } from '../query/budget.js'
import { runPipeline } from '../query/pipeline/pipeline.js'
import type { Run } from '../query/pipeline/source.js'
import { pipelineUpdate } from '../query/pipeline/update.js'
import type { Update } from '../query/update/update.js'
import type { ReadUnit } from '../store/types.js'
import { encode } from '../values/decode.js'
import { numberOf } from '../values/show.js'
import { MAX_COMMAND_BYTES } from '../wire/limits.js'
import type { Call } from './call.js'
import { sizeOf } from './collections.js'
import { checkHint } from './hint.js'
import type { Command } from './types.js'

export const aggregate: Command = {
  name: 'aggregate',
  collection: true,
  fields: {
    pipeline: 'array',
    cursor: 'object',
    allowDiskUse: 'passed over',
    bypassDocumentValidation: 'refused',
    hint: 'any',
    explain: 'refused',
    collation: 'refused',
    let: 'refused',
  },
  need: 'read',
  transaction: true,
  run(call: Call) {
    const { fields, db } = call
    const pipeline = fields.required('pipeline', fields.array('pipeline'))
    if (fields.object('cursor') === undefined)
      throw new MongoError(
        'FailedToParse',
        "The 'cursor' option is required, except for aggregate with the explain argument",
      )
    const whole = fields.any('aggregate')
    const ns = typeof whole === 'string' ? call.ns : `${db}.$cmd.aggregate`
    if (typeof whole !== 'string' && numberOf(whole) !== 1)
      throw new MongoError('FailedToParse', 'aggregate takes a collection, or 1')
    const source = typeof whole === 'string' ? { ns } : []
    const { documents, raw } = call.read((unit) => {
      checkHint(unit, ns, fields.any('hint'))
      return runPipeline(unit, source, pipeline, { db, budget: call.budget })
    })
    const bytes = documents.map((document) => raw.get(document) ?? answerBytes(document, call.budget))
    return { cursor: call.instance.cursors.open(ns, bytes, call.owner, sizeOf(call)), ok: 1 }
  },
}

/** @throws MongoError BSONObjectTooLarge, ExceededMemoryLimit */
function answerBytes(document: Document, budget: Budget): Uint8Array {
  const bytes = encode(document)
  budget.take(bytes.length)
  if (bytes.length > MAX_COMMAND_BYTES)
    throw new MongoError(
      'BSONObjectTooLarge',
      `BSONObj size: ${bytes.length} is invalid: a document of the answer is too large`,
    )
  return bytes
}

/** For updates of one command. */
export const pipelinesOf =
  (call: Call, unit: ReadUnit) =>
  (stages: readonly unknown[]): Update => {
    const run: Run = {
      unit,
      db: call.db,
      tick: call.tick,
      budget: call.budget,
      raw: new WeakMap(),
      variables: {},
      nested: () => {
        throw new MongoError('InvalidOptions', 'a pipeline within an update has no pipelines in it')
      },
    }
    return pipelineUpdate(stages, run)
  }
