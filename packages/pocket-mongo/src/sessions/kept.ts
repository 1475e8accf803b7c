import { type Document, Long } from 'bson'
import type { Aside, Store, Transaction } from '../store/types.js'
import { isPlain } from '../values/decode.js'
import type { Session } from './sessions.js'

/*
 * What is kept of a session, so that a client that did not hear the answer may ask a server for it that was started anew
 * (MongoDB keeps the like in config.transactions): its last write that may be asked for again, with the answer, or its last
 * transaction that was committed. A row goes into the log together with the write itself.
 */

/** @param answer undefined: it was a transaction's commit */
export const keptRow = (number: bigint, answer: Document | undefined): Aside => ({
  number: Long.fromBigInt(number),
  at: new Date(),
  ...(answer === undefined ? {} : { answer }),
})

/** Sessions as they were when each wrote last. */
export function* keptSessions(store: Store): IterableIterator<Session> {
  for (const { _id: key, number, at, answer } of store.read((unit) => [...unit.aside()])) {
    if (typeof key !== 'string' || !Long.isLong(number) || !(at instanceof Date)) continue
    const session = { key, lastUse: at.getTime(), number: number.toBigInt() }
    if (isPlain(answer)) yield { ...session, answer: Promise.resolve(answer) }
    else {
      const committed = Promise.resolve()
      yield { ...session, transaction: { number: session.number, inner: over, connection: 0, committed } }
    }
  }
}

/** A transaction that was committed before the server was started. */
const over: Transaction = {
  state: 'committed',
  run() {
    throw new Error('the transaction has been committed')
  },
  commit: async () => {},
  abort() {},
}
