import { setTimeout as sleep } from 'node:timers/promises'
import { type Document, type MongoClient, MongoServerError } from 'mongodb'
import { isUnavailable } from '../store/failures.js'

/** Something that waiting does not mend. */
export class DatabaseSetupError extends Error {
  override readonly name = 'DatabaseSetupError'
}

/** The member's name for itself. Clients connect directly and do not ask it. */
const MEMBER_HOST = '127.0.0.1:27017'
const POLL_MS = 250

const codes = { AuthenticationFailed: 18, AlreadyInitialized: 23, NoReplicationEnabled: 76, NotYetInitialized: 94 }

const codeOf = (error: unknown): number | undefined =>
  error instanceof MongoServerError ? Number(error.code) : undefined

export interface WaitOptions {
  readonly timeoutMs: number
  readonly note?: (text: string) => void
}

/**
 * Waits for a database that answers, makes the one member of its replica set when nobody has (transactions need one), and
 * waits until it may be written to. To be run again whenever one likes.
 *
 * @param at its client logs in as root, and may be another one each time
 * @throws DatabaseSetupError
 */
export async function prepareReplicaSet(
  at: { readonly client: MongoClient },
  name: string,
  wait: WaitOptions,
): Promise<void> {
  const ask = (command: Document): Promise<Document> => at.client.db('admin').command(command)
  await until(wait, 'the database answers', async () => {
    await ask({ ping: 1 })
    return true
  })
  await until(wait, `the replica set ${name} is made`, async () => {
    try {
      const status = await ask({ replSetGetStatus: 1 })
      if (status.set !== name)
        throw new DatabaseSetupError(
          `the database is of the replica set ${JSON.stringify(status.set)}, and MANAGER_MONGODB_REPLICA_SET is ${JSON.stringify(name)}`,
        )
      return true
    } catch (error) {
      if (codeOf(error) === codes.NoReplicationEnabled)
        throw new DatabaseSetupError(
          `the database runs without a replica set, and there are no transactions without one: start it with --replSet ${name}`,
        )
      if (codeOf(error) !== codes.NotYetInitialized) throw error
    }
    try {
      await ask({ replSetInitiate: { _id: name, members: [{ _id: 0, host: MEMBER_HOST }] } })
      wait.note?.(`the replica set ${name} has been made`)
    } catch (error) {
      if (codeOf(error) !== codes.AlreadyInitialized) throw error
    }
    return true
  })
  await until(wait, 'the database takes writes', async () => {
    const hello = await ask({ hello: 1 })
    return hello.isWritablePrimary === true
  })
}

/** Makes the user that the service logs in as, or gives it the password and the rights that it should have. */
export async function prepareUser(
  client: MongoClient,
  { database, user, password }: { readonly database: string; readonly user: string; readonly password: string },
): Promise<'made' | 'updated'> {
  const db = client.db(database)
  const rules = { pwd: password, roles: [{ role: 'readWrite', db: database }], mechanisms: ['SCRAM-SHA-256'] }
  const { users } = (await db.command({ usersInfo: { user, db: database } })) as unknown as {
    users: readonly unknown[]
  }
  if (users.length === 0) {
    await db.command({ createUser: user, ...rules })
    return 'made'
  }
  await db.command({ updateUser: user, ...rules })
  return 'updated'
}

async function until({ timeoutMs, note }: WaitOptions, what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + timeoutMs
  for (let told = false; ; ) {
    let why = 'not yet'
    try {
      if (await holds()) return
    } catch (error) {
      if (codeOf(error) === codes.AuthenticationFailed)
        throw new DatabaseSetupError(
          'the database does not take the password of its root user: the Secret is another one than when its data was made. Give the Secret its old value, or make the data anew',
        )
      if (!isUnavailable(error)) throw error
      why = error instanceof Error ? error.message : String(error)
    }
    if (performance.now() > deadline) throw new DatabaseSetupError(`waited ${timeoutMs} ms until ${what}: ${why}`)
    if (!told) note?.(`waiting until ${what}: ${why}`)
    told = true
    await sleep(POLL_MS)
  }
}
