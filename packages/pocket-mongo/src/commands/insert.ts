import type { Document } from 'bson'
import { MongoError } from '../errors.js'
import { withId } from '../query/update/upsert.js'
import type { Call } from './call.js'
import type { Command } from './types.js'
import { eachStatement, statementsOf, writeErrors } from './writes.js'

export const insert: Command = {
  name: 'insert',
  collection: true,
  fields: { documents: 'array', ordered: 'bool', bypassDocumentValidation: 'refused', let: 'passed over' },
  need: 'write',
  transaction: true,
  retryable: true,
  async run(call: Call) {
    const { ns } = call
    // The ids are made once, however often the write has to be tried.
    const documents = statementsOf(call, 'documents').map((document) => ({ document: withId(document) }))
    const ordered = call.fields.bool('ordered') ?? true
    return call.write((unit) => {
      const failures = eachStatement(call, documents, ({ document }) => {
        refuseId(document)
        unit.insert(ns, document)
      })
      const tried = ordered && failures[0] !== undefined ? failures[0].index + 1 : documents.length
      return { n: tried - failures.length, ...writeErrors(failures), ok: 1 }
    })
  },
}

/** What no document may be found by. @throws MongoError InvalidIdField */
export function refuseId({ _id: id }: Document): void {
  if (Array.isArray(id)) throw new MongoError('InvalidIdField', "The '_id' value cannot be of type array")
}
