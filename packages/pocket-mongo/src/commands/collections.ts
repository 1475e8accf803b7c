import { Binary, type Document } from 'bson'
import { MongoError } from '../errors.js'
import { compileFilter } from '../query/filter.js'
import type { CollectionInfo, CollectionOptions } from '../store/types.js'
import { encode } from '../values/decode.js'
import type { Call } from './call.js'
import { Fields } from './fields.js'
import type { Command } from './types.js'

const validation = { validator: 'object', validationLevel: 'string', validationAction: 'string' } as const

function optionsOf({ fields }: Call): CollectionOptions {
  const validator = fields.object('validator')
  const level = oneOf('validationLevel', fields.string('validationLevel'), ['off', 'strict', 'moderate'])
  const action = oneOf('validationAction', fields.string('validationAction'), ['error', 'warn'])
  return {
    ...(validator === undefined ? {} : { validator }),
    ...(level === undefined ? {} : { validationLevel: level }),
    ...(action === undefined ? {} : { validationAction: action }),
  }
}

function oneOf<T extends string>(field: string, value: string | undefined, known: readonly T[]): T | undefined {
  const found = known.find((each) => each === value)
  if (value !== undefined && found === undefined)
    throw new MongoError('BadValue', `Enumeration value '${value}' for field '${field}' is not a valid value.`)
  return found
}

/** What is left of reading a collection that goes. */
const endCursors = (call: Call, ends: (ns: string) => boolean): void => call.instance.cursors.endIn(ends)

export const collectionCommands: readonly Command[] = [
  {
    name: 'create',
    collection: true,
    fields: {
      ...validation,
      ...{ capped: 'refused', size: 'refused', max: 'refused', timeseries: 'refused', viewOn: 'refused' },
      ...{ pipeline: 'refused', collation: 'refused', clusteredIndex: 'refused', expireAfterSeconds: 'refused' },
      ...{ changeStreamPreAndPostImages: 'refused', encryptedFields: 'refused' },
      ...{ storageEngine: 'passed over', indexOptionDefaults: 'passed over', autoIndexId: 'passed over' },
    },
    need: 'write',
    transaction: true,
    async run(call) {
      const { ns } = call
      const options = optionsOf(call)
      await call.write((unit) => unit.createCollection(ns, options))
      return { ok: 1 }
    },
  },
  {
    name: 'collMod',
    collection: true,
    fields: { ...validation, index: 'refused', viewOn: 'refused', pipeline: 'refused', cappedSize: 'refused' },
    need: 'structure',
    async run(call) {
      const { ns } = call
      const options = optionsOf(call)
      await call.write((unit) => unit.collMod(ns, options))
      return { ok: 1 }
    },
  },
  {
    name: 'drop',
    collection: true,
    fields: {},
    need: 'write',
    async run(call) {
      const { ns } = call
      const indexes = await call.write((unit) => {
        const { length } = unit.indexes(ns)
        unit.drop(ns)
        return length
      })
      endCursors(call, (other) => other === ns)
      // Since MongoDB 7.0, to drop what is not there is no failure.
      return indexes === 0 ? { ok: 1 } : { nIndexesWas: indexes, ns, ok: 1 }
    },
  },
  {
    name: 'dropDatabase',
    fields: {},
    need: 'structure',
    async run(call) {
      const { db } = call
      if (db === 'admin' || db === 'local' || db === 'config')
        throw new MongoError('IllegalOperation', `Dropping the '${db}' database is prohibited.`)
      await call.write((unit) => unit.dropDatabase(db))
      endCursors(call, (other) => other.startsWith(`${db}.`))
      return { dropped: db, ok: 1 }
    },
  },
  {
    name: 'listCollections',
    fields: { filter: 'object', nameOnly: 'bool', authorizedCollections: 'bool', cursor: 'object' },
    need: 'read',
    run(call) {
      const { db, fields } = call
      const filter = compileFilter(fields.object('filter') ?? {})
      const listed = call.read((unit) => unit.collections(db).map((info) => infoOf(db, info)))
      const shown = listed
        .filter((info) => filter(info))
        .map(({ name, type, ...rest }) =>
          encode(fields.bool('nameOnly') === true ? { name, type } : { name, type, ...rest }),
        )
      return {
        cursor: call.instance.cursors.open(`${db}.$cmd.listCollections`, shown, call.owner, sizeOf(call)),
        ok: 1,
      }
    },
  },
]

function infoOf(db: string, { ns, uuid, options }: CollectionInfo): Document {
  return {
    name: ns.slice(db.length + 1),
    type: 'collection',
    options: { ...options },
    info: { readOnly: false, uuid: new Binary(uuid, Binary.SUBTYPE_UUID) },
    idIndex: { v: 2, key: { _id: 1 }, name: '_id_' },
  }
}

/** `cursor: { batchSize: 10 }` */
export function sizeOf({ fields }: Call): { readonly size: number | undefined } {
  return { size: new Fields(fields.object('cursor') ?? {}, 'cursor').count('batchSize') }
}
