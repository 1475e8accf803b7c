import { setTimeout as sleep } from 'node:timers/promises'
import { type ClientSession, type MongoClient, MongoErrorLabel } from 'mongodb'
import { hasLabel, isLostSocket, isUnavailable } from './failures.js'

/** How long it is tried again: a conflict with others is over by then, and whoever asks is still there. */
export const TRANSACTION_MS = 3_000

const FIRST_WAIT_MS = 5
const LONGEST_WAIT_MS = 250

/**
 * Runs `work` in a transaction, and again when it met somebody else's writes, as MongoDB's specification of the convenient
 * API for transactions has it. The driver's own (`withTransaction`) would try for two minutes, and waits for a server that
 * is gone before it says so.
 */
export async function inTransaction<T>(
  client: Pick<MongoClient, 'startSession'>,
  work: (session: ClientSession) => Promise<T>,
  forMs: number = TRANSACTION_MS,
): Promise<T> {
  const deadline = performance.now() + forMs
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    const session = client.startSession()
    try {
      session.startTransaction()
      const result = await work(session)
      await commit(session, deadline)
      void session.endSession().catch(() => {})
      return result
    } catch (error) {
      const over = leave(session)
      // There, it is over before anybody reads on; gone, nobody is waited for.
      if (!isUnavailable(error)) await over
      if (!hasLabel(error, MongoErrorLabel.TransientTransactionError) && !isLostSocket(error)) throw error
      const pause = wait * (0.5 + Math.random() / 2)
      if (performance.now() + pause > deadline) throw error
      await sleep(pause)
    }
  }
}

/** Asks again while nobody knows what became of it: committed twice is committed once. */
async function commit(session: ClientSession, deadline: number): Promise<void> {
  for (;;) {
    try {
      await session.commitTransaction()
      return
    } catch (error) {
      const unknown = hasLabel(error, MongoErrorLabel.UnknownTransactionCommitResult) || isLostSocket(error)
      if (!unknown || performance.now() > deadline) throw error
    }
  }
}

async function leave(session: ClientSession): Promise<void> {
  try {
    if (session.inTransaction()) await session.abortTransaction()
    await session.endSession()
  } catch {
    // The server ends it by itself: with its connection, or after a minute.
  }
}
