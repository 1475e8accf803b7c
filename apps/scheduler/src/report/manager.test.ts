import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { EMPTY_ROOT, schedulerOf, verifyStatement } from '@bulkhead/intents'
import { cleanUp } from '@bulkhead/testing'
import { NODE, schedulerKey } from '../testing/scheduler.js'
import { connectManager } from './manager.js'

const report = { podName: 'p', startedAt: '2026-01-02T03:04:05Z', setVersion: 0, rootHash: EMPTY_ROOT, intents: 0 }
const never = new AbortController().signal

interface Asked {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly authorization: string
  readonly body: unknown
}

async function build(t: TestContext, answer: (response: ServerResponse) => void, path = '', timeoutMs = 20_000) {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    const { method, url, headers } = request
    asked.push({ method, url, authorization: headers.authorization ?? '', body: await json(request) })
    answer(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const manager = connectManager(new URL(`http://127.0.0.1:${port}${path}`), NODE, schedulerKey, timeoutMs)
  cleanUp(t, async () => {
    await manager.close()
    server.closeAllConnections()
    server.close()
  })
  return { manager, asked, server }
}

const well = (response: ServerResponse): void => {
  response.end(JSON.stringify({ success: true, data: { rootHash: 'r', inSync: false, more: 1 }, timestamp: '' }))
}

test('a report is a PUT to this node’s place, with an assertion of this scheduler to the manager', async (t) => {
  for (const path of ['', '/', '/behind/a/path/']) {
    const { manager, asked } = await build(t, well, path)
    assert.deepEqual(await manager.report(report, never), { rootHash: 'r', inSync: false })
    const [{ method, url, body, authorization }] = asked as [Asked]
    assert.deepEqual([method, url], ['PUT', `${path.replace(/\/$/, '')}/api/v1/schedulers/${NODE}`])
    assert.deepEqual(body, report)
    await verifyStatement(authorization.replace('Bearer ', ''), createPublicKey(schedulerKey), schedulerOf(NODE))
  }
})

for (const [what, answer, words] of [
  ['refuses', (response: ServerResponse) => response.writeHead(403).end('{"success":false}'), /^it answered 403 "\{/],
  ['redirects', (response: ServerResponse) => response.writeHead(302, { location: '/' }).end(), /^it answered 302/],
  ['hangs up', (response: ServerResponse) => response.destroy(), /./],
  ['answers without end', (response: ServerResponse) => response.end(Buffer.alloc(1024 * 1024, 32)), /size/i],
  ['answers no JSON', (response: ServerResponse) => response.end('<html>'), /^its answer is no JSON$/],
  ['answers something else', (response: ServerResponse) => response.end('{"data":{}}'), /^its answer is not of its/],
] as const) {
  test(`a manager that ${what} is an error that says so`, async (t) => {
    const { manager } = await build(t, answer)
    await assert.rejects(manager.report(report, never), (error: Error) => {
      assert.match(error.message, words)
      return true
    })
  })
}

test('a manager that does not answer, or does not end its answer, is given up in time', async (t) => {
  for (const answer of [() => {}, (response: ServerResponse) => void response.write('{')]) {
    const { manager } = await build(t, answer, '', 50)
    await assert.rejects(manager.report(report, never), /^Error: it did not answer within 50 ms$/)
  }
})

test('one that is not there is an error, and the end of the service ends a report', async (t) => {
  const { manager, server } = await build(t, () => {})
  const stop = new AbortController()
  const reported = manager.report(report, stop.signal)
  await once(server, 'request')
  stop.abort(new Error('stopping'))
  await assert.rejects(reported, /stopping/)
  await assert.rejects(manager.report(report, stop.signal), /stopping/)
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
  await assert.rejects(manager.report(report, never), /ECONNREFUSED/)
})
