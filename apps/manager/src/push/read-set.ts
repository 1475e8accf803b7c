import { merkleRoot } from '@bulkhead/intents'
import { Long, type ObjectId } from 'mongodb'
import { isDuplicateKey } from '../store/failures.js'
import type { Store } from '../store/types.js'
import { type Fitting, fitting } from './fit.js'
import type { NodeIntents } from './types.js'

/** A node's set as it was in the database at one moment, and what is to be noted once its scheduler has it. */
export interface ReadSet extends NodeIntents, Pick<Fitting, 'left' | 'leftOut'> {
  readonly unsent: readonly ObjectId[]
}

const ONE = Long.fromNumber(1)

/**
 * Reads a node's set, with a version of its own: higher than every version of this node that anybody has taken before, and not lower than
 * the milliseconds since 1970, so that the first sets of a new database still count for schedulers that knew an older one.
 *
 * Of two sets of a node, the one with the higher version was read later. Both were read in a transaction that first writes the node's
 * document in `set_versions`. Of two transactions that write the same document, one begins after the other has committed: otherwise it
 * gives way (WriteConflict) and is run again. So the later one sees the earlier one's version and takes a higher one, and its snapshot
 * holds everything that the earlier one's did. Nobody's clock has a part in that; a scheduler that takes higher versions only therefore
 * never goes back to an older state, whichever replica's set arrives first.
 *
 * @param above a version that a scheduler says it has: this one is higher
 */
export async function readSet(
  store: Pick<Store, 'transaction' | 'setVersions' | 'intents'>,
  node: string,
  above = 0,
): Promise<ReadSet> {
  const least = Long.fromNumber(Math.max(Date.now(), above + 1))
  const next = [{ $set: { version: { $max: [{ $add: ['$version', ONE] }, least] } } }]
  const read = () =>
    store.transaction(async (session) => {
      const taken = await store.setVersions.findOneAndUpdate({ _id: node }, next, {
        session,
        upsert: true,
        returnDocument: 'after',
      })
      const documents = await store.intents.find({ nodeID: node }, { session }).toArray()
      return { version: Number(taken?.version), documents }
    })
  const { version, documents } = await again(read)
  const { intents, ...rest } = fitting(documents)
  return { node, version, intents, rootHash: merkleRoot(intents), ...rest }
}

/** Two that make a node's document at the same moment: the second finds it when it tries again. */
async function again<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!isDuplicateKey(error)) throw error
    return read()
  }
}
