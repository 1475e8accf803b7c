import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kitErrors, ServiceError } from '@bulkhead/service-kit'
import {
  MongoBulkWriteError,
  MongoError,
  MongoErrorLabel,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoOperationTimeoutError,
  MongoServerError,
  MongoTopologyClosedError,
} from 'mongodb'
import { isDuplicateKey, isUnavailable, storeFailure } from './failures.js'

const labelled = (label: string): MongoError => {
  const error = new MongoError('labelled')
  error.addErrorLabel(label)
  return error
}

test('a database that is not there, or did not answer in time, is a 503 with the cause for the log alone', () => {
  const gone = [
    new MongoNetworkError('connect ECONNREFUSED 10.0.0.1:27017'),
    new MongoOperationTimeoutError('Timed out'),
    new MongoTopologyClosedError(),
    new MongoServerError({ message: 'Authentication failed.', code: 18 }),
    new MongoServerError({ message: 'interrupted at shutdown', code: 11600 }),
    new MongoServerError({ message: 'operation exceeded time limit', code: 50 }),
    Object.defineProperty(new MongoError('Timed out while checking out a connection'), 'name', {
      value: 'MongoWaitQueueTimeoutError',
    }),
    // As insertMany has it.
    new MongoBulkWriteError(new MongoNetworkError('connection 2 to 127.0.0.1:1 closed') as never, {} as never),
    Object.assign(new Error('This socket has been ended by the other party'), { code: 'EPIPE' }),
    labelled(MongoErrorLabel.TransientTransactionError),
    labelled(MongoErrorLabel.UnknownTransactionCommitResult),
  ]
  for (const error of gone) {
    assert.ok(isUnavailable(error), error.message)
    const told = storeFailure(error)
    assert.ok(told instanceof ServiceError)
    assert.deepEqual(
      [told.status, told.code, told.headers['retry-after'], told.cause],
      [503, 'UNAVAILABLE', '1', error],
    )
    assert.doesNotMatch(told.message, /10\.0\.0\.1|Authentication|Timed/)
  }
})

test('a conflict that outlasted all the tries is others’ change, and no absence: 409', () => {
  const conflict = new MongoServerError({ message: 'Write conflict', code: 112 })
  conflict.addErrorLabel(MongoErrorLabel.TransientTransactionError)
  for (const error of [conflict, new MongoBulkWriteError(conflict as never, {} as never)]) {
    assert.ok(!isUnavailable(error))
    const told = storeFailure(error)
    assert.ok(told instanceof ServiceError)
    assert.deepEqual([told.status, told.code, told.cause], [409, 'VERSION_CONFLICT', error])
  }
})

test('what is wrong with a request of ours, or with a document, is no absence', () => {
  const ours = [
    new MongoServerError({ message: 'Document failed validation', code: 121 }),
    new MongoServerError({ message: 'E11000 duplicate key error', code: 11000 }),
    new MongoServerError({ message: 'not authorized', code: 13 }),
    new MongoInvalidArgumentError('Update document requires atomic operators'),
    new TypeError('x is not a function'),
    Object.assign(new Error('no such file'), { code: 'ENOENT' }),
    kitErrors.error('NOT_FOUND'),
    undefined,
  ]
  for (const error of ours) assert.equal(storeFailure(error), error)
  assert.deepEqual(ours.map(isDuplicateKey), [false, true, false, false, false, false, false, false])
})
