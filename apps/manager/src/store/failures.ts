import { kitErrors, type ServiceError } from '@bulkhead/service-kit'
import {
  MongoBulkWriteError,
  MongoClientClosedError,
  MongoError,
  MongoErrorLabel,
  MongoExpiredSessionError,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  MongoServerError,
  MongoSystemError,
  MongoTopologyClosedError,
} from 'mongodb'
import { managerErrors } from '../http/errors.js'

/**
 * What a server answers that is not there for us at the moment, by MongoDB's codes: it stops, it starts, it is no primary,
 * it took too long, or it does not know us (the Secret is not the one that the user was made with).
 */
const unavailableCodes: ReadonlySet<number> = new Set([
  6, 7, 11, 18, 50, 89, 91, 94, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436,
])

/** Of a pool without a connection in time, or that was closed: the driver has classes for them, and does not export them. */
const ofThePool: ReadonlySet<string> = new Set([
  'MongoWaitQueueTimeoutError',
  'MongoPoolClosedError',
  'MongoPoolClearedError',
])

/** A value that a unique index holds already. */
export const isDuplicateKey = (thrown: unknown): thrown is MongoServerError =>
  thrown instanceof MongoServerError && thrown.code === 11000

/** What it was, where the driver has wrapped it: of a connection lost while several documents are written, it makes a failure of these. */
export function driverError(thrown: unknown): unknown {
  if (!(thrown instanceof MongoBulkWriteError)) return thrown
  const { errorResponse } = thrown as { readonly errorResponse?: unknown }
  return errorResponse instanceof MongoError ? errorResponse : thrown
}

/** What Node says of a connection that is not there, or not any more. */
const lostSocket: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
])

/** The driver lets a socket's own failure through when it writes to one that has just ended: what it wrote was not sent. */
export const isLostSocket = (thrown: unknown): boolean =>
  thrown instanceof Error && 'code' in thrown && lostSocket.has(thrown.code)

/** Somebody else's transaction writes the same document (MongoDB's WriteConflict). */
const isWriteConflict = (thrown: unknown): boolean => {
  const error = driverError(thrown)
  return error instanceof MongoServerError && error.code === 112
}

/** Whether the failure, or what it wraps, has this label of MongoDB's. */
export const hasLabel = (thrown: unknown, label: string): boolean =>
  [thrown, driverError(thrown)].some((error) => error instanceof MongoError && error.hasErrorLabel(label))

/** Whether the database is not there, or did not answer in time: another try, later, may go well. */
export function isUnavailable(given: unknown): boolean {
  const thrown = driverError(given)
  if (isLostSocket(thrown)) return true
  if (!(thrown instanceof MongoError)) return false
  // In the middle of a transaction its client was replaced.
  if (thrown instanceof MongoInvalidArgumentError && /same MongoClient/.test(thrown.message)) return true
  if (
    thrown instanceof MongoNetworkError ||
    thrown instanceof MongoSystemError ||
    thrown instanceof MongoOperationTimeoutError ||
    thrown instanceof MongoNotConnectedError ||
    thrown instanceof MongoTopologyClosedError ||
    thrown instanceof MongoClientClosedError ||
    thrown instanceof MongoExpiredSessionError
  )
    return true
  if (ofThePool.has(thrown.name)) return true
  if (thrown instanceof MongoServerError && unavailableCodes.has(Number(thrown.code))) return true
  // It is there, and answers: with somebody else's change.
  if (isWriteConflict(given)) return false
  // A pool that was cleared, a commit of which nobody knows what became of it.
  return [
    MongoErrorLabel.TransientTransactionError,
    MongoErrorLabel.UnknownTransactionCommitResult,
    MongoErrorLabel.RetryableWriteError,
  ].some((label) => hasLabel(given, label))
}

/** What a caller is told of it. */
export const unavailable = (cause: unknown): ServiceError =>
  kitErrors.error('UNAVAILABLE', 'The database does not answer at the moment; try again later.', {
    cause,
    headers: { 'retry-after': '1' },
  })

/**
 * What a caller is told of a failure of the driver: 503 where it is the database that is missing, 409 where others changed the
 * same thing for as long as it was tried; all else unchanged.
 */
export function storeFailure(thrown: unknown): unknown {
  if (isWriteConflict(thrown))
    return managerErrors.error('VERSION_CONFLICT', 'Others change it at this moment; read it again, and try again.', {
      cause: thrown,
    })
  return isUnavailable(thrown) ? unavailable(thrown) : thrown
}
