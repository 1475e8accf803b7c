import type { Document } from 'bson'
import { MongoError } from '../errors.js'
import { valuesAt } from '../query/path.js'
import { select } from '../query/select.js'
import { orderOf } from '../values/order.js'
import type { Call } from './call.js'
import { filterOf } from './filters.js'
import { checkHint } from './hint.js'
import type { Command } from './types.js'

export const count: Command = {
  name: 'count',
  collection: true,
  fields: {
    query: 'object',
    limit: 'number',
    skip: 'number',
    hint: 'any',
    fields: 'passed over',
    collation: 'refused',
  },
  need: 'read',
  run(call: Call) {
    const { ns, fields } = call
    const filter = fields.object('query') ?? {}
    const skip = fields.count('skip') ?? 0
    const limit = Math.abs(Number(fields.bigint('limit') ?? 0))
    const isAll = Object.keys(filter).length === 0
    const n = call.read((unit) => {
      checkHint(unit, ns, fields.any('hint'))
      if (!isAll)
        return select(unit, ns, { filter, matches: filterOf(filter, {}, call.budget), skip, limit, tick: call.tick })
          .length
      const rest = Math.max(unit.count(ns) - skip, 0)
      return limit === 0 ? rest : Math.min(rest, limit)
    })
    return { n, ok: 1 }
  },
}

export const distinct: Command = {
  name: 'distinct',
  collection: true,
  fields: { key: 'string', query: 'object', hint: 'any', collation: 'refused' },
  need: 'read',
  transaction: true,
  run(call: Call) {
    const { ns, fields } = call
    const key = fields.required('key', fields.string('key'))
    if (key === '' || key.includes('\0')) throw new MongoError('BadValue', `'${key}' is no field`)
    const path = key.split('.')
    const filter: Document = fields.object('query') ?? {}
    const found = call.read((unit) => {
      checkHint(unit, ns, fields.any('hint'))
      return select(unit, ns, { filter, matches: filterOf(filter, {}, call.budget), tick: call.tick })
    })
    const values = new Map<string, unknown>()
    for (const { doc } of found) {
      for (const value of valuesAt(doc, path)) {
        if (value === undefined) continue
        const order = orderOf(value)
        if (!values.has(order)) values.set(order, value)
      }
    }
    return { values: [...values].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, value]) => value), ok: 1 }
  },
}
