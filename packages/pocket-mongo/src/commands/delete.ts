import { MongoError } from '../errors.js'
import { select } from '../query/select.js'
import type { Call } from './call.js'
import { Fields } from './fields.js'
import { filterOf } from './filters.js'
import { checkHint } from './hint.js'
import type { Command } from './types.js'
import { eachStatement, statementsOf, writeErrors } from './writes.js'

const statement = { q: 'object', limit: 'number', hint: 'any', collation: 'refused' } as const

export const deleteCommand: Command = {
  name: 'delete',
  collection: true,
  fields: { deletes: 'array', ordered: 'bool', let: 'refused' },
  need: 'write',
  transaction: true,
  retryable: true,
  async run(call: Call) {
    const { ns } = call
    const statements = statementsOf(call, 'deletes', statement).map(
      (document) => new Fields(document, 'delete.deletes'),
    )
    return call.write((unit) => {
      let n = 0
      const failures = eachStatement(call, statements, (fields) => {
        const filter = fields.required('q', fields.object('q'))
        const limit = fields.required('limit', fields.count('limit'))
        if (limit > 1)
          throw new MongoError('FailedToParse', `The limit field in delete objects must be 0 or 1. Got ${limit}`)
        checkHint(unit, ns, fields.any('hint'))
        const found = select(unit, ns, { filter, matches: filterOf(filter, {}, call.budget), limit, tick: call.tick })
        for (const old of found) unit.remove(ns, old)
        n += found.length
      })
      return { n, ...writeErrors(failures), ok: 1 }
    })
  },
}
