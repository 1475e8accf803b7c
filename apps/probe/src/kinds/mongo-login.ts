import type { Attempt } from '@bulkhead/scenarios'
import { MongoClient, MongoServerError } from 'mongodb'
import { asFailure, type Failure, type Trace } from '../trace.js'
import type { Got } from './kind.js'

/** What the driver does between two looks at a server, in milliseconds: longer than any attempt. */
const neverAgainMs = 600_000

/**
 * A login with a password, and one question: which collections there are, as a thief asks first; `detail.text` is its answer.
 * What the server says no to is an answer too (`detail.login` is false then, with its code): who hears it was let in by every
 * wall. The official driver opens connections of its own, so this comes after a `hello` on one whose end is known.
 */
export async function login(trace: Trace, wanted: NonNullable<Attempt['mongo']>, password: string): Promise<Got> {
  const { host, port } = trace.attempt
  const { user, database, authSource = database } = wanted
  const timeoutMs = Math.max(1, Math.ceil(trace.deadlineMs - trace.elapsed()))
  const client = new MongoClient(`mongodb://${host}:${port}/`, {
    auth: { username: user, password },
    authSource,
    authMechanism: 'SCRAM-SHA-256',
    directConnection: true,
    maxPoolSize: 1,
    retryReads: false,
    heartbeatFrequencyMS: neverAgainMs,
    serverMonitoringMode: 'poll',
    serverSelectionTimeoutMS: timeoutMs,
    connectTimeoutMS: timeoutMs,
    socketTimeoutMS: timeoutMs,
  })
  const late = new Promise<never>((_, reject) => {
    const give = (): void => reject(asFailure(trace.signal.reason))
    if (trace.signal.aborted) give()
    else trace.signal.addEventListener('abort', give, { once: true })
  })
  const question = async (): Promise<string> => {
    await client.connect()
    const collections = await client.db(database).listCollections({}, { nameOnly: true }).toArray()
    const names = collections.map(({ name }) => name).toSorted()
    return `collections of ${database}: ${names.join(', ') || 'none'}`
  }
  try {
    return { detail: { login: true, text: await Promise.race([question(), late]) } }
  } catch (error) {
    if (error instanceof MongoServerError)
      return { detail: { login: false, code: error.code, codeName: error.codeName, message: error.message } }
    throw causeOf(error)
  } finally {
    await client.close()
  }
}

/** The driver wraps what the operating system said, more than once. */
function causeOf(error: unknown): Failure {
  const cause = error instanceof Error && error.cause !== undefined ? causeOf(error.cause) : undefined
  return cause ?? asFailure(error)
}
