import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { startMongo } from '@bulkhead/pocket-mongo'
import { cleanUp, type Scope } from '@bulkhead/testing'

/** A database of a test's own, on the loopback. */
export interface TestMongo {
  readonly port: number
  /** With the root user in it. */
  readonly rootUri: string
  close(): Promise<void>
}

export interface TestMongoOptions {
  readonly dataDir?: string
  readonly port?: number
  /** False: it waits for `replSetInitiate`, as a mongod does. */
  readonly initiated?: boolean
}

export const ROOT = { user: 'root', password: 'of root' }

/** pocket-mongo as a replica set that asks for passwords; in memory, or in a folder. */
export async function testMongo(
  t: Scope,
  { dataDir, port = 0, initiated = true }: TestMongoOptions = {},
): Promise<TestMongo> {
  const mongo = await startMongo({
    root: ROOT,
    replicaSet: { name: 'rs0', initiated },
    ...(dataDir === undefined ? {} : { dataDir }),
  })
  cleanUp(t, () => mongo.close())
  mongo.server.listen(port, '127.0.0.1')
  await once(mongo.server, 'listening')
  const address = mongo.server.address() as AddressInfo
  const rootUri = `mongodb://${ROOT.user}:${encodeURIComponent(ROOT.password)}@127.0.0.1:${address.port}/?directConnection=true`
  return { port: address.port, rootUri, close: () => mongo.close() }
}
