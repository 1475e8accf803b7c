import type { Document } from 'bson'
import { MongoError } from '../errors.js'
import { select } from '../query/select.js'
import { compileUpdate, isReplacement } from '../query/update/update.js'
import { upserted } from '../query/update/upsert.js'
import type { WriteUnit } from '../store/types.js'
import { isPlain } from '../values/decode.js'
import type { Call } from './call.js'
import { Fields } from './fields.js'
import { filterOf } from './filters.js'
import { checkHint } from './hint.js'
import { refuseId } from './insert.js'
import { pipelinesOf } from './pipelines.js'
import type { Command } from './types.js'
import { eachStatement, statementsOf, writeErrors } from './writes.js'

const statement = {
  q: 'object',
  u: 'any',
  c: 'refused',
  upsert: 'bool',
  multi: 'bool',
  hint: 'any',
  arrayFilters: 'array',
  collation: 'refused',
  sort: 'object',
} as const

export const update: Command = {
  name: 'update',
  collection: true,
  fields: { updates: 'array', ordered: 'bool', bypassDocumentValidation: 'refused', let: 'refused' },
  need: 'write',
  transaction: true,
  retryable: true,
  async run(call: Call) {
    const { ns } = call
    const statements = statementsOf(call, 'updates', statement).map(
      (document) => new Fields(document, 'update.updates'),
    )
    return call.write((unit) => {
      let n = 0
      let nModified = 0
      const upserts: Document[] = []
      const failures = eachStatement(call, statements, (fields, index) => {
        const done = updateOne(call, unit, ns, fields)
        n += done.matched
        nModified += done.modified
        if (done.id !== undefined) upserts.push({ index, _id: done.id.value })
      })
      return {
        n: n + upserts.length,
        nModified,
        ...(upserts.length > 0 ? { upserted: upserts } : {}),
        ...writeErrors(failures),
        ok: 1,
      }
    })
  },
}

interface Done {
  readonly matched: number
  readonly modified: number
  /** Of the document that was inserted instead. */
  readonly id?: { readonly value: unknown }
}

function updateOne(call: Call, unit: WriteUnit, ns: string, fields: Fields): Done {
  const filter = fields.required('q', fields.object('q'))
  const change = fields.required('u', fields.any('u'))
  const multi = fields.bool('multi') === true
  if (multi && isReplacement(change))
    throw new MongoError('FailedToParse', 'multi update is not supported for replacement-style update')
  const options = { arrayFilters: documents(fields.array('arrayFilters')), pipeline: pipelinesOf(call, unit) }
  const apply = compileUpdate(change, options)
  const matches = filterOf(filter, {}, call.budget)
  const sort = fields.object('sort')
  checkHint(unit, ns, fields.any('hint'))
  const found = select(unit, ns, { filter, matches, sort, limit: multi ? 0 : 1, tick: call.tick })
  if (found.length === 0 && fields.bool('upsert') === true) {
    const made = upserted(filter, compileUpdate(change, { ...options, inserting: true }), isReplacement(change))
    refuseId(made)
    unit.insert(ns, made)
    return { matched: 0, modified: 0, id: { value: made._id } }
  }
  let modified = 0
  for (const old of found) {
    const next = apply(old.doc, { filter, matches })
    if (next === old.doc) continue
    unit.replace(ns, old, next)
    modified++
  }
  return { matched: found.length, modified }
}

export const documents = (list: readonly unknown[] | undefined): readonly Document[] =>
  (list ?? []).map((item) => {
    if (isPlain(item)) return item
    throw new MongoError('TypeMismatch', 'array filters have to be objects')
  })
