import type { TestContext } from 'node:test'
import { cleanUp } from '@bulkhead/testing'
import { RawClient } from './raw.js'
import { startTestMongo, type TestMongo, type TestMongoOptions } from './start.js'

/** A server for one test. */
export async function started(t: TestContext, options: TestMongoOptions = {}): Promise<TestMongo> {
  const running = await startTestMongo(options)
  cleanUp(t, () => running.close())
  return running
}

export async function rawClient(t: TestContext, port: number): Promise<RawClient> {
  const client = await RawClient.to(port)
  cleanUp(t, () => client.end())
  return client
}
