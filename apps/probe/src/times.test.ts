import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { cleanUp } from '@bulkhead/testing'
import { makeAttempt, parseAttempt } from './attempt.js'
import { tcpServer } from './testing/servers.js'

/** Lets two requests fail, and says no to the third; `connections` is how many were made. */
async function strict(t: TestContext) {
  const seen = { connections: 0, authorization: [] as (string | undefined)[] }
  const server = createServer((request, response) => {
    seen.authorization.push(request.headers.authorization)
    response.writeHead(seen.authorization.length > 2 ? 429 : 401).end('no')
  })
  server.on('connection', () => {
    seen.connections += 1
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp(t, () => server.close())
  return { port: (server.address() as AddressInfo).port, seen }
}

const attempt = (port: number) =>
  ({
    kind: 'http',
    to: { ip: '127.0.0.1' },
    host: '127.0.0.1',
    port,
    http: { method: 'POST', path: '/login', body: '{}' },
  }) as const

describe('an attempt that is made many times', () => {
  it('opens a connection for each, and what the last one got is what counts', async (t) => {
    const { port, seen } = await strict(t)
    const { symptom, http } = await makeAttempt({ ...attempt(port), times: 3 })
    assert.deepEqual([symptom, http?.status, seen.connections], ['ok', 429, 3])
  })

  it('is not made again once it is stopped on its way', async (t) => {
    let connections = 0
    const port = await tcpServer(t, (socket) => {
      connections += 1
      socket.once('data', () => socket.resetAndDestroy())
    })
    const { symptom } = await makeAttempt({ ...attempt(port), times: 9 })
    assert.deepEqual([symptom, connections], ['reset', 1])
  })

  it('is over when its time is', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const { symptom } = await makeAttempt({ ...attempt(port), times: 100, timeoutMs: 100 })
    silent.closeAllConnections()
    silent.close()
    assert.equal(symptom, 'no-answer')
  })

  it('is made from 1 to 100 times', () => {
    const text = (times: unknown): string => JSON.stringify({ ...attempt(80), times })
    assert.equal(parseAttempt(text(100)).times, 100)
    for (const times of [0, 101, 1.5, '3'])
      assert.throws(() => parseAttempt(text(times)), /"times" is .* from 1 to 100/)
  })
})

describe('a stolen token', () => {
  it('goes along with the request, and is in nothing that is told', async (t) => {
    const { port, seen } = await strict(t)
    const told = await makeAttempt({ ...attempt(port), token: 'stolen' })
    assert.deepEqual(seen.authorization, ['Bearer stolen'])
    assert.doesNotMatch(JSON.stringify(told), /stolen/)
  })
})
