import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import { describe, it, type TestContext } from 'node:test'
import type { Observation } from '@bulkhead/scenarios'
import { makeAttempt } from './attempt.js'
import { listen } from './testing/servers.js'

interface Door {
  readonly port: number
  /** How many connections were opened, and how many requests came in. */
  readonly seen: { connections: number; requests: number }
}

/** A proxy of which the policy changes once the client holds a connection. */
async function door(
  t: TestContext,
  answer: (response: ServerResponse, changed: boolean) => void,
): Promise<Door & { change(): void }> {
  let changed = false
  const seen = { connections: 0, requests: 0 }
  const server = createServer((_, response) => {
    seen.requests++
    answer(response, changed)
  })
  server.keepAliveTimeout = 60_000
  server.on('connection', () => void seen.connections++)
  return {
    port: await listen(t, server),
    seen,
    change() {
      changed = true
    },
  }
}

const attempt = (port: number, onHeld: () => void, timeoutMs = 5000): Promise<Observation> =>
  makeAttempt(
    { kind: 'http', to: { ip: '127.0.0.1' }, host: '127.0.0.1', port, hold: true, again: true, timeoutMs },
    onHeld,
  )

const denied = (response: ServerResponse): void => {
  response.writeHead(403, { server: 'istio-envoy' }).end('RBAC: access denied')
}

describe('an attempt that asks again', () => {
  it('sees the answer change on the connection that it has', async (t) => {
    const { port, seen, change } = await door(t, (response, changed) =>
      changed ? denied(response) : response.end('hello'),
    )
    const { timings: _, ...saw } = await attempt(port, change)
    assert.deepEqual([saw.symptom, saw.phase, saw.bytes, saw.http?.status], ['rbac-403', 'held', 0, 403])
    assert.equal(saw.error, undefined)
    assert.deepEqual([seen.connections, seen.requests], [1, 2])
  })

  it('takes any other status for another answer', async (t) => {
    const { port, change } = await door(t, (response, changed) => response.writeHead(changed ? 500 : 200).end('{}'))
    const saw = await attempt(port, change)
    assert.deepEqual([saw.symptom, saw.phase, saw.http?.status], ['ok', 'held', 500])
  })

  it('is ok when the answers stay the same until the time is over', async (t) => {
    const { port, seen } = await door(t, (response) => response.end('hello'))
    let held = 0
    const saw = await attempt(port, () => held++, 400)
    assert.deepEqual([saw.symptom, saw.phase, saw.http?.body, held, saw.error], ['ok', 'held', 'hello', 1, undefined])
    assert.ok(seen.requests >= 2, `${seen.requests} requests`)
    assert.equal(seen.connections, 1)
    assert.ok(saw.bytes > 0)
  })

  it('is ok when the time is over while an answer is due', async (t) => {
    const { port, change } = await door(t, (response, changed) => void (changed || response.end('hello')))
    const saw = await attempt(port, change, 300)
    assert.deepEqual([saw.symptom, saw.http?.body, saw.error], ['ok', 'hello', undefined])
  })

  it('sees the connection closed', async (t) => {
    const { port, change } = await door(t, (response, changed) =>
      changed ? response.socket?.resetAndDestroy() : response.end('hello'),
    )
    const saw = await attempt(port, change)
    assert.deepEqual([saw.symptom, saw.phase, saw.error?.code], ['reset', 'held', 'ECONNRESET'])
  })

  it('asks only once when it is refused', async (t) => {
    const { port, seen } = await door(t, denied)
    let held = 0
    const saw = await attempt(port, () => held++)
    assert.deepEqual([saw.symptom, saw.phase, held, seen.requests], ['rbac-403', 'answer', 0, 1])
  })
})
