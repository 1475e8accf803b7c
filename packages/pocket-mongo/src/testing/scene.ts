import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { RawClient } from './raw.js'
import { startTestMongo, type TestMongo, type TestMongoOptions } from './start.js'

/** A server for one test. */
export async function started(t: TestContext, options: TestMongoOptions = {}): Promise<TestMongo> {
  const running = await startTestMongo(options)
  t.after(() => running.close())
  return running
}

export async function rawClient(t: TestContext, port: number): Promise<RawClient> {
  const client = await RawClient.to(port)
  t.after(() => client.end())
  return client
}

export function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'pocket-mongo-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}
