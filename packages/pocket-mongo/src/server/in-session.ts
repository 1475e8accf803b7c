import type { Call } from '../commands/call.js'
import { MongoError } from '../errors.js'
import { keptRow } from '../sessions/kept.js'
import { noSuch, type OpenTransaction, type Session } from '../sessions/sessions.js'
import { isPlain } from '../values/decode.js'
import type { Reply } from '../wire/reply.js'

/**
 * Runs a command in its session: in a transaction (`autocommit: false`), as a write that may be asked for again (a
 * `txnNumber` alone), or by itself.
 */
export async function inSession(call: Call): Promise<Reply> {
  const { fields, command, session } = call
  const number = fields.bigint('txnNumber')
  const autocommit = fields.bool('autocommit')
  if (number === undefined) {
    if (autocommit !== undefined || fields.bool('startTransaction') !== undefined)
      throw new MongoError('InvalidOptions', 'autocommit and startTransaction need a txnNumber')
    return command.run(call)
  }
  if (session === undefined)
    throw new MongoError('InvalidOptions', 'Transaction number requires a session ID to also be specified')
  if (number < 0n) throw new MongoError('InvalidOptions', 'Transaction number cannot be negative')
  if (call.instance.replicaSet === undefined)
    throw new MongoError('IllegalOperation', 'Transaction numbers are only allowed on a replica set member or mongos')
  if (autocommit === true) throw new MongoError('InvalidOptions', "The field 'autocommit' only takes the value false")
  return autocommit === undefined ? once(call, session, number) : inTransaction(call, session, number)
}

/** The answer of the first time is the answer of every time. */
async function once(call: Call, session: Session, number: bigint): Promise<Reply> {
  if (call.command.retryable !== true)
    throw new MongoError(
      'NotARetryableWriteCommand',
      `txnNumber may only be provided for multi-document transactions and retryable write commands. autocommit:false was not provided, and ${call.command.name} is not a retryable write command.`,
    )
  if (number < session.number)
    throw new MongoError(
      'TransactionTooOld',
      `Retryable write with txnNumber ${number} is prohibited on this session because a newer retryable write with txnNumber ${session.number} has already started.`,
    )
  if (number === session.number) {
    if (session.transaction?.number === number)
      throw new MongoError('ConflictingOperationInProgress', `txnNumber ${number} is a transaction's in this session`)
    if (session.answer !== undefined) return session.answer
  }
  call.instance.sessions.endTransaction(session)
  session.number = number
  call.alsoKept = (unit, reply) => {
    if (isPlain(reply)) unit.setAside(session.key, keptRow(number, reply))
  }
  const answer = Promise.resolve(call.command.run(call))
  session.answer = answer
  try {
    return await answer
  } catch (error) {
    // Nothing was written: asked again, it is tried again.
    if (session.answer === answer) delete session.answer
    throw error
  }
}

async function inTransaction(call: Call, session: Session, number: bigint): Promise<Reply> {
  const { sessions, cursors } = call.instance
  const starts = call.fields.bool('startTransaction')
  if (starts === false) throw new MongoError('InvalidOptions', "The field 'startTransaction' only takes the value true")
  if (call.command.transaction !== true)
    throw new MongoError(
      'OperationNotSupportedInTransaction',
      `Cannot run '${call.command.name}' in a multi-document transaction.`,
    )
  const open =
    starts === true
      ? sessions.begin(session, number, call.connection.id)
      : sessions.current(session, number, call.connection.id)
  call.transaction = open
  const ends = call.command.name === 'commitTransaction' || call.command.name === 'abortTransaction'
  if (ends) return call.command.run(call)
  if (open.committed !== undefined)
    throw new MongoError(
      'TransactionCommitted',
      `Transaction with ${JSON.stringify({ txnNumber: Number(number) })} has been committed.`,
    )
  if (open.inner.state !== 'active') throw noSuch(session, number)
  try {
    const reply = await call.command.run(call)
    if ('writeErrors' in reply) abort(open)
    return reply
  } catch (error) {
    abort(open)
    throw error
  } finally {
    if (open.inner.state !== 'active') cursors.endOf(session.key, number)
  }
}

/** A statement that failed ends its transaction (MongoDB, "Transactions": errors within). */
function abort(open: OpenTransaction): void {
  if (open.inner.state === 'active') open.inner.abort()
}
