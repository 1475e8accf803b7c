import { randomUUID } from 'node:crypto'
import { idIndex } from '../indexes/specs.js'
import { encode } from '../values/decode.js'
import { type Draft, holderOf } from './draft.js'
import type { Change, Schema } from './state.js'
import { StoredDocument } from './stored.js'
import type { Edit } from './tree.js'
import type { Aside } from './types.js'

/** Where the server's own rows are. It has no dot in it: no command names it, no database lists it. */
export const asideNs = '$aside'

/** Whether a namespace is one of a client's. */
export const isListed = (ns: string): boolean => ns !== asideNs

export const asideSchema = (id: number): Schema => ({
  id,
  ns: asideNs,
  uuid: Buffer.from(randomUUID().replaceAll('-', ''), 'hex'),
  options: {},
  indexes: [idIndex],
})

/**
 * Puts a row in the place of the one of its name, or takes that away (`undefined`), and tells what was changed. Nothing is
 * asked of locks, which nobody has on rows; nor is a row held to the size of a document, since it may hold one.
 */
export function setAside(
  draft: Draft,
  name: string,
  row: Aside | undefined,
  edit: Edit,
  nextRecord: () => number,
): Change | undefined {
  const { ns, id } = draft.schema
  const places = draft.placements({ _id: name })
  const [byName] = places
  const record = byName === undefined ? undefined : holderOf(byName.index, byName.keys.keys[0] ?? '', undefined)
  if (row === undefined) {
    if (record === undefined) return undefined
    draft.remove(record, edit)
    return { kind: 'remove', ns, id, record }
  }
  const document = new StoredDocument(record ?? nextRecord(), encode({ ...row, _id: name }))
  draft.put(document, places, record === undefined ? undefined : places, edit)
  return { kind: 'put', ns, id, document }
}
