import { createHash } from 'node:crypto'
import { type ClientSession, Int32, ObjectId } from 'mongodb'
import { managerErrors } from '../http/errors.js'
import type { Store } from '../store/types.js'

/** A request that its sender may send again without its being done again. */
export interface IdempotentRequest {
  readonly userID: ObjectId
  readonly key: string
  /** SHA-256 of what is asked, as it was read: defaults filled in, unknown members left out. */
  readonly request: string
}

export const requestHash = (method: string, path: string, body: unknown): string =>
  createHash('sha256')
    .update(`${method} ${path}\n${JSON.stringify(body)}`)
    .digest('hex')

/**
 * What was answered to this request before.
 *
 * @throws ServiceError IDEMPOTENCY_KEY_REUSED when the key was another request's
 */
export async function answeredBefore(
  { idempotency }: Pick<Store, 'idempotency'>,
  { userID, key, request }: IdempotentRequest,
): Promise<unknown> {
  const found = await idempotency.findOne({ userID, key })
  if (found === null) return undefined
  if (found.request !== request) throw managerErrors.error('IDEMPOTENCY_KEY_REUSED')
  return found.answer
}

/** Notes the answer, in the transaction that does what was asked: one is in force with the other. */
export async function noteAnswer(
  { idempotency }: Pick<Store, 'idempotency'>,
  { userID, key, request }: IdempotentRequest,
  answer: unknown,
  session: ClientSession,
): Promise<void> {
  await idempotency.insertOne(
    { _id: new ObjectId(), userID, key, request, status: new Int32(201), answer, createdAt: new Date() },
    { session },
  )
}
