import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type Mongo, type MongoOptions, startMongo } from '../server/start.js'

export interface TestMongoOptions extends MongoOptions {
  /** No replica set, and so no transactions. */
  readonly standalone?: boolean
  /** Default: a free one. */
  readonly port?: number
}

export interface TestMongo {
  readonly mongo: Mongo
  readonly port: number
  /** For a driver: direct, and with the root user in it when there is one. */
  readonly uri: string
  close(): Promise<void>
}

/** A server on a free port of this machine; without options in memory, a replica set that has begun, and nobody logs in. */
export async function startTestMongo({
  standalone,
  port: wanted = 0,
  ...options
}: TestMongoOptions = {}): Promise<TestMongo> {
  const set = standalone === true ? {} : { replicaSet: { name: 'rs0', initiated: true } }
  const mongo = await startMongo({ ...set, ...options })
  mongo.server.listen(wanted, '127.0.0.1')
  await once(mongo.server, 'listening')
  const { port } = mongo.server.address() as AddressInfo
  const { root } = options
  const login = root === undefined ? '' : `${encodeURIComponent(root.user)}:${encodeURIComponent(root.password)}@`
  return { mongo, port, uri: `mongodb://${login}127.0.0.1:${port}/?directConnection=true`, close: () => mongo.close() }
}
