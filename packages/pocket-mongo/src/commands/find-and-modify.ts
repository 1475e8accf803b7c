import type { Document } from 'bson'
import { MongoError } from '../errors.js'
import { compileProjection } from '../query/projection.js'
import { select } from '../query/select.js'
import { compileUpdate, isReplacement } from '../query/update/update.js'
import { upserted } from '../query/update/upsert.js'
import type { WriteUnit } from '../store/types.js'
import type { Call } from './call.js'
import { filterOf } from './filters.js'
import { checkHint } from './hint.js'
import { refuseId } from './insert.js'
import { pipelinesOf } from './pipelines.js'
import type { Command } from './types.js'
import { documents } from './update.js'

export const findAndModify: Command = {
  name: 'findAndModify',
  aliases: ['findandmodify'],
  collection: true,
  fields: {
    query: 'object',
    sort: 'object',
    remove: 'bool',
    update: 'any',
    new: 'bool',
    fields: 'object',
    upsert: 'bool',
    arrayFilters: 'array',
    hint: 'any',
    bypassDocumentValidation: 'refused',
    collation: 'refused',
    let: 'refused',
  },
  need: 'write',
  transaction: true,
  retryable: true,
  async run(call: Call) {
    const { fields, ns } = call
    const change = fields.any('update')
    const remove = fields.bool('remove') === true
    if (remove === (change !== undefined))
      throw new MongoError('FailedToParse', 'Either an update or remove=true must be specified')
    if (remove && (fields.bool('upsert') === true || fields.bool('new') === true))
      throw new MongoError('FailedToParse', "Cannot specify both 'remove'=true and 'upsert' or 'new'")
    if (remove && fields.array('arrayFilters') !== undefined)
      throw new MongoError('FailedToParse', 'Cannot specify arrayFilters and remove=true')
    const project = compileProjection(fields.object('fields') ?? {})
    const shown = (doc: Document | undefined) => (doc === undefined ? null : (project?.(doc) ?? doc))
    return call.write((unit) => {
      const { value, ...lastErrorObject } = remove ? removed(call, unit, ns) : changed(call, unit, ns, change)
      return { lastErrorObject, value: shown(value), ok: 1 }
    })
  },
}

interface Outcome extends Document {
  readonly n: number
  /** The document, before or after. */
  readonly value: Document | undefined
}

function first(call: Call, unit: WriteUnit, ns: string) {
  const filter = call.fields.object('query') ?? {}
  const matches = filterOf(filter, {}, call.budget)
  checkHint(unit, ns, call.fields.any('hint'))
  const [old] = select(unit, ns, { filter, matches, sort: call.fields.object('sort'), limit: 1, tick: call.tick })
  return { filter, matches, old }
}

function removed(call: Call, unit: WriteUnit, ns: string): Outcome {
  const { old } = first(call, unit, ns)
  if (old === undefined) return { n: 0, value: undefined }
  unit.remove(ns, old)
  return { n: 1, value: old.doc }
}

function changed(call: Call, unit: WriteUnit, ns: string, change: unknown): Outcome {
  const { fields } = call
  const { filter, matches, old } = first(call, unit, ns)
  const after = fields.bool('new') === true
  const options = { arrayFilters: documents(fields.array('arrayFilters')), pipeline: pipelinesOf(call, unit) }
  if (old !== undefined) {
    const next = compileUpdate(change, options)(old.doc, { filter, matches })
    if (next !== old.doc) unit.replace(ns, old, next)
    return { n: 1, updatedExisting: true, value: after ? next : old.doc }
  }
  const apply = compileUpdate(change, { ...options, inserting: true })
  if (fields.bool('upsert') !== true) return { n: 0, updatedExisting: false, value: undefined }
  const made = upserted(filter, apply, isReplacement(change))
  refuseId(made)
  unit.insert(ns, made)
  return { n: 1, updatedExisting: false, upserted: made._id, value: after ? made : undefined }
}
