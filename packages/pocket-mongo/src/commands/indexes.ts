import type { Document } from 'bson'
import { MongoError } from '../errors.js'
import { wholeNumber } from '../query/operators.js'
import { checkNamespace } from '../store/names.js'
import type { IndexSpec } from '../store/types.js'
import { encode, isPlain, put } from '../values/decode.js'
import { show } from '../values/show.js'
import { sizeOf } from './collections.js'
import { checkFields, Fields } from './fields.js'
import type { Command } from './types.js'
import { statementsOf } from './writes.js'

const option = {
  key: 'object',
  name: 'string',
  unique: 'bool',
  sparse: 'bool',
  partialFilterExpression: 'object',
  expireAfterSeconds: 'number',
  v: 'number',
  background: 'passed over',
  ns: 'passed over',
  hidden: 'refused',
  collation: 'refused',
  weights: 'refused',
  default_language: 'refused',
  wildcardProjection: 'refused',
  prepareUnique: 'refused',
  clustered: 'refused',
} as const

function specOf(document: Document): IndexSpec {
  checkFields('createIndexes.indexes', document, option, false)
  const fields = new Fields(document, 'createIndexes.indexes')
  const key = keyOf(fields.required('key', fields.object('key')))
  const name = fields.required('name', fields.string('name'))
  const partial = fields.object('partialFilterExpression')
  const seconds = fields.any('expireAfterSeconds') === undefined ? undefined : Number(fields.any('expireAfterSeconds'))
  if (seconds !== undefined && !(seconds >= 0 && seconds <= 0x7fffffff))
    throw new MongoError(
      'CannotCreateIndex',
      `TTL index 'expireAfterSeconds' must be from 0 to ${0x7fffffff}, not ${seconds}`,
    )
  return {
    name,
    key,
    ...(fields.bool('unique') === true ? { unique: true } : {}),
    ...(fields.bool('sparse') === true ? { sparse: true } : {}),
    ...(partial === undefined ? {} : { partialFilterExpression: partial }),
    ...(seconds === undefined ? {} : { expireAfterSeconds: seconds }),
  }
}

function keyOf(key: Document): Readonly<Record<string, 1 | -1>> {
  const fields = Object.keys(key)
  if (fields.length === 0) throw new MongoError('CannotCreateIndex', 'Index keys cannot be empty.')
  const read: Record<string, 1 | -1> = {}
  for (const field of fields) {
    const value: unknown = key[field]
    if (typeof value === 'string')
      throw new MongoError(
        'NotImplemented',
        `an index of type '${value}' on '${field}' is not supported by this server: 1 and -1 are`,
      )
    const direction = wholeNumber(value)
    if (direction === undefined || direction === 0)
      throw new MongoError(
        'CannotCreateIndex',
        `Values in v:2 index key pattern cannot be of this kind: ${field}: ${show(value)}`,
      )
    if (field.split('.').some((part) => part === '' || part.startsWith('$')))
      throw new MongoError('CannotCreateIndex', `Index key contains an illegal field name: '${field}'`)
    put(read, field, direction > 0 ? 1 : -1)
  }
  return read
}

const shown = (spec: IndexSpec): Document => {
  const { name, key, ...rest } = spec
  return { v: 2, key, name, ...rest }
}

export const indexCommands: readonly Command[] = [
  {
    name: 'createIndexes',
    collection: true,
    fields: { indexes: 'array', commitQuorum: 'passed over', ignoreUnknownIndexOptions: 'refused' },
    need: 'write',
    transaction: true,
    async run(call) {
      const { ns } = call
      const specs = statementsOf(call, 'indexes').map(specOf)
      return call.write((unit) => {
        const created = unit.collection(ns) === undefined
        const { before, after } = unit.createIndexes(ns, specs)
        return {
          numIndexesBefore: before,
          numIndexesAfter: after,
          ...(created ? { createdCollectionAutomatically: true } : {}),
          ...(before === after ? { note: 'all indexes already exist' } : {}),
          ok: 1,
        }
      })
    },
  },
  {
    name: 'listIndexes',
    collection: true,
    fields: { cursor: 'object' },
    need: 'read',
    run(call) {
      const { ns } = call
      const indexes = call.read((unit) => unit.indexes(ns))
      if (indexes.length === 0) throw new MongoError('NamespaceNotFound', `ns does not exist: ${ns}`)
      const documents = indexes.map((spec) => encode(shown(spec)))
      return { cursor: call.instance.cursors.open(ns, documents, call.owner, sizeOf(call)), ok: 1 }
    },
  },
  {
    name: 'dropIndexes',
    aliases: ['deleteIndexes'],
    collection: true,
    fields: { index: 'any' },
    need: 'write',
    async run(call) {
      const { ns } = call
      checkNamespace(ns)
      const which = call.fields.required('index', call.fields.any('index'))
      const nIndexesWas = await call.write((unit) => {
        const all = unit.indexes(ns)
        if (all.length === 0) throw new MongoError('NamespaceNotFound', `ns not found ${ns}`)
        for (const name of namesOf(which, all)) unit.dropIndex(ns, name)
        return all.length
      })
      return { nIndexesWas, ok: 1 }
    },
  },
]

/** `'*'`, a name, several names, or the key of one. */
function namesOf(which: unknown, all: readonly IndexSpec[]): readonly string[] {
  if (which === '*') return all.map(({ name }) => name).filter((name) => name !== '_id_')
  if (typeof which === 'string') return [which]
  if (Array.isArray(which) && which.every((name) => typeof name === 'string')) return which
  if (!isPlain(which)) throw new MongoError('TypeMismatch', 'index has to be a name, names, or a key')
  const key = JSON.stringify(keyOf(which))
  const found = all.find((spec) => JSON.stringify(spec.key) === key)
  if (found === undefined) throw new MongoError('IndexNotFound', `can't find index with key: ${key}`)
  return [found.name]
}
