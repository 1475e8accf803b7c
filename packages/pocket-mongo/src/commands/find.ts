import type { Document } from 'bson'
import { MongoError } from '../errors.js'
import type { Budget } from '../query/budget.js'
import { compileExpression } from '../query/expressions.js'
import { compileProjection } from '../query/projection.js'
import { select } from '../query/select.js'
import { encode } from '../values/decode.js'
import { show } from '../values/show.js'
import type { Call } from './call.js'
import { filterOf } from './filters.js'
import { checkHint } from './hint.js'
import type { Command } from './types.js'

export const find: Command = {
  name: 'find',
  collection: true,
  fields: {
    filter: 'object',
    sort: 'object',
    projection: 'object',
    skip: 'number',
    limit: 'number',
    batchSize: 'number',
    singleBatch: 'bool',
    hint: 'any',
    allowDiskUse: 'passed over',
    noCursorTimeout: 'passed over',
    allowPartialResults: 'passed over',
    oplogReplay: 'passed over',
    collation: 'refused',
    let: 'refused',
    min: 'refused',
    max: 'refused',
    returnKey: 'refused',
    showRecordId: 'refused',
    tailable: 'refused',
    awaitData: 'refused',
  },
  need: 'read',
  transaction: true,
  run(call: Call) {
    const { ns, fields } = call
    const filter = fields.object('filter') ?? {}
    const matches = filterOf(filter, {}, call.budget)
    const project = compileProjection(fields.object('projection') ?? {}, {
      expression: (expression) => compileExpression(expression, {}, call.budget),
    })
    const size = fields.count('batchSize')
    const found = call.read((unit) => {
      checkHint(unit, ns, fields.any('hint'))
      return select(unit, ns, {
        filter,
        matches,
        sort: fields.object('sort'),
        skip: fields.count('skip'),
        limit: fields.count('limit'),
        tick: call.tick,
      })
    })
    const documents = found.map(({ doc, raw }) => (project === undefined ? raw : projected(project(doc), call.budget)))
    const single = fields.bool('singleBatch')
    return { cursor: call.instance.cursors.open(ns, documents, call.owner, { size, single }), ok: 1 }
  },
}

function projected(document: Document, budget: Budget): Uint8Array {
  budget.weigh(document)
  const bytes = encode(document)
  budget.take(bytes.length)
  return bytes
}

export const getMore: Command = {
  name: 'getMore',
  fields: { collection: 'string', batchSize: 'number', maxTimeMS: 'number' },
  need: 'login',
  transaction: true,
  run(call: Call) {
    const { fields } = call
    const id = fields.bigint('getMore')
    if (id === undefined) throw new MongoError('TypeMismatch', "BSON field 'getMore.getMore' has to be a long")
    const ns = `${call.db}.${fields.required('collection', fields.string('collection'))}`
    const size = fields.count('batchSize')
    return { cursor: call.instance.cursors.more(id, ns, call.owner, size === 0 ? undefined : size), ok: 1 }
  },
}

export const killCursors: Command = {
  name: 'killCursors',
  collection: true,
  fields: { cursors: 'array' },
  need: 'login',
  transaction: true,
  anyState: true,
  run(call: Call) {
    const { ns, fields, owner } = call
    const cursorsKilled: unknown[] = []
    const cursorsNotFound: unknown[] = []
    for (const id of fields.required('cursors', fields.array('cursors'))) {
      const text = show(id)
      const known = /^-?\d+$/.test(text) && call.instance.cursors.kill(BigInt(text), ns, owner.user)
      if (known) cursorsKilled.push(id)
      else cursorsNotFound.push(id)
    }
    return { cursorsKilled, cursorsNotFound, cursorsAlive: [], cursorsUnknown: [], ok: 1 }
  },
}
