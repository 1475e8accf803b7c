import { randomBytes } from 'node:crypto'
import { before, describe } from 'node:test'
import { cleanUp, type Scope, temporaryFolder, wholeSuite } from '@bulkhead/testing'
import { type Db, MongoClient, MongoServerError } from 'mongodb'
import { startTestMongo } from '../../testing/index.js'

/*
 * One suite for several servers: this one in memory, this one on a folder, and a MongoDB where MONGODB_URI names one (a
 * replica set, with a user that may do everything).
 */

export interface Running {
  readonly uri: string
  close(): Promise<void>
}

interface Kind {
  readonly name: string
  start(suite: Scope): Promise<Running>
}

const root = { user: 'admin', password: 'sésame, 100% = open' }

const kinds: readonly Kind[] = [
  { name: 'pocket-mongo in memory', start: () => startTestMongo({ root }) },
  {
    name: 'pocket-mongo on a folder',
    start: (suite) => startTestMongo({ root, dataDir: temporaryFolder(suite) }),
  },
  ...real(process.env.MONGODB_URI),
]

function real(uri: string | undefined): readonly Kind[] {
  return uri === undefined ? [] : [{ name: 'MongoDB', start: async () => ({ uri, close: async () => {} }) }]
}

export interface Scene {
  readonly client: MongoClient
  readonly uri: string
  /** Of this block of tests alone; gone at its end. */
  readonly db: Db
}

/** The same tests on each server. */
export function contract(title: string, define: (scene: () => Scene) => void): void {
  for (const kind of kinds) {
    describe(`${title}: ${kind.name}`, () => {
      let scene: Scene | undefined
      before(async () => {
        const running = await kind.start(suite)
        cleanUp(suite, () => running.close())
        const client = new MongoClient(running.uri, { serverSelectionTimeoutMS: 5_000 })
        cleanUp(suite, () => client.close())
        await client.connect()
        const db = client.db(`contract_${randomBytes(6).toString('hex')}`)
        cleanUp(suite, () => db.dropDatabase())
        scene = { client, uri: running.uri, db }
      })
      define(() => {
        if (scene === undefined) throw new Error('the server is not there')
        return scene
      })
      // Behind it: it is over after what the block itself has to undo.
      const suite = wholeSuite()
    })
  }
}

/** What a server answered instead of doing it. */
export async function refusal(work: Promise<unknown>): Promise<MongoServerError> {
  try {
    await work
  } catch (error) {
    if (error instanceof MongoServerError) return error
    throw error
  }
  throw new Error('it was not refused')
}
