import { kitErrors, type ServiceError } from '@bulkhead/service-kit'
import {
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

/**
 * What a server answers that is not there for us at the moment, by MongoDB's codes: it stops, it starts, it is no primary,
 * it took too long, or it does not know us (the Secret is not the one that the user was made with).
 */
const unavailableCodes: ReadonlySet<number> = new Set([
  6, 7, 11, 18, 50, 89, 91, 94, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436,
])

/** A value that a unique index holds already. */
export const isDuplicateKey = (thrown: unknown): thrown is MongoServerError =>
  thrown instanceof MongoServerError && thrown.code === 11000

/** Whether the database is not there, or did not answer in time: another try, later, may go well. */
export function isUnavailable(thrown: unknown): boolean {
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
  if (thrown instanceof MongoServerError && unavailableCodes.has(Number(thrown.code))) return true
  // A conflict that outlasted all the tries, a pool that was cleared, a commit of which nobody knows what became of it.
  return (
    thrown.hasErrorLabel(MongoErrorLabel.TransientTransactionError) ||
    thrown.hasErrorLabel(MongoErrorLabel.UnknownTransactionCommitResult) ||
    thrown.hasErrorLabel(MongoErrorLabel.RetryableWriteError)
  )
}

/** What a caller is told of it. */
export const unavailable = (cause: unknown): ServiceError =>
  kitErrors.error('UNAVAILABLE', 'The database does not answer at the moment; try again later.', {
    cause,
    headers: { 'retry-after': '1' },
  })

/** What a caller is told of a failure of the driver: 503 where it is the database that is missing; all else unchanged. */
export const storeFailure = (thrown: unknown): unknown => (isUnavailable(thrown) ? unavailable(thrown) : thrown)
