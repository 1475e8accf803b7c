import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import callbacks from 'node:dns'
import dns from 'node:dns/promises'
import { createServer, Socket } from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Observation, ResolvedAttempt } from '@bulkhead/scenarios'
import { cleanUp, temporaryFolder } from '@bulkhead/testing'
import { makeAttempt } from '../attempt.js'
import { closedPort, onRequest, tcpServer } from '../testing/servers.js'

type Changes = Partial<ResolvedAttempt> & Pick<ResolvedAttempt, 'kind'>

function attempt(port: number, changes: Changes, onHeld?: () => void): Promise<Observation> {
  return makeAttempt({ to: { ip: '127.0.0.1' }, host: '127.0.0.1', port, timeoutMs: 2000, ...changes }, onHeld)
}

describe('a TCP attempt', () => {
  it('sends its bytes and brings back what comes', async (t) => {
    const port = await tcpServer(
      t,
      onRequest((socket, request) => socket.write(`you said ${request}`)),
    )
    const seen = await attempt(port, { kind: 'tcp', send: 'ping' })
    assert.deepEqual([seen.symptom, seen.bytes, seen.detail], ['ok', 13, { text: 'you said ping' }])
  })

  it('gathers an answer that comes in pieces', async (t) => {
    const port = await tcpServer(
      t,
      onRequest((socket) => {
        socket.write('one ')
        setTimeout(() => socket.end('two'), 10)
      }),
    )
    const seen = await attempt(port, { kind: 'tcp', send: 'x' })
    assert.deepEqual([seen.detail, seen.error], [{ text: 'one two' }, undefined])
  })

  const failures: readonly [
    name: string,
    serve: (socket: Socket) => void,
    changes: Partial<ResolvedAttempt>,
    symptom: string,
  ][] = [
    ['a reset', onRequest((socket) => socket.resetAndDestroy()), {}, 'reset'],
    ['an end', onRequest((socket) => socket.end()), {}, 'reset'],
    ['a late end', onRequest((socket) => setTimeout(() => socket.end(), 60)), { lateResetMs: 50 }, 'late-reset'],
    ['silence', () => {}, { timeoutMs: 60 }, 'no-answer'],
  ]
  for (const [name, serve, changes, symptom] of failures) {
    it(`sees ${name}`, async (t) => {
      const seen = await attempt(await tcpServer(t, serve), { kind: 'tcp', send: 'x', ...changes })
      assert.deepEqual([seen.symptom, seen.bytes], [symptom, 0])
    })
  }

  it('times out when the connect is never answered, as a dropped SYN is not', async (t) => {
    t.mock.method(Socket.prototype, 'connect', function (this: Socket) {
      return this
    })
    const seen = await attempt(9, { kind: 'tcp', timeoutMs: 60 })
    assert.deepEqual([seen.symptom, seen.phase, seen.bytes, seen.error?.code], ['timeout', 'connect', 0, 'TIMEOUT'])
  })

  it('that hangs on a name tells a name without an answer from a connect without one', async (t) => {
    t.mock.method(Socket.prototype, 'connect', function (this: Socket) {
      return this
    })
    const named = { kind: 'tcp', host: 'localhost', timeoutMs: 400 } as const
    const dropped = await attempt(9, named)
    assert.deepEqual([dropped.symptom, dropped.phase], ['timeout', 'connect'])
    t.mock.method(callbacks, 'lookup', () => {})
    const silent = await attempt(9, named)
    assert.deepEqual([silent.symptom, silent.phase, silent.error?.code], ['dns-timeout', 'dns', 'TIMEOUT'])
  })

  it('holds its connection until the far side ends it', async (t) => {
    let socket: Socket | undefined
    const port = await tcpServer(
      t,
      onRequest((open) => {
        socket = open
        open.write('hello')
      }),
    )
    const seen = await attempt(port, { kind: 'tcp', send: 'x', hold: true }, () => socket?.end())
    assert.deepEqual([seen.symptom, seen.phase, seen.error?.code], ['reset', 'held', 'EOF'])
  })
})

describe('an attempt at a private socket', () => {
  async function path(t: TestContext): Promise<string> {
    const folder = temporaryFolder(t)
    return join(folder, 's')
  }

  it('is an answer when it is let in', async (t) => {
    const host = await path(t)
    const server = createServer(onRequest((socket) => socket.end('in')))
    await new Promise<void>((resolve) => server.listen(host, resolve))
    cleanUp(t, () => server.close())
    const seen = await attempt(1, { kind: 'socket', host })
    assert.deepEqual([seen.symptom, seen.detail], ['ok', { text: 'in' }])
  })

  it('is refused when there is none', async (t) => {
    const seen = await attempt(1, { kind: 'socket', host: await path(t) })
    assert.deepEqual([seen.symptom, seen.phase, seen.error?.code], ['refused', 'connect', 'ENOENT'])
  })
})

describe('a UDP attempt', () => {
  async function udpServer(t: TestContext, answers: boolean): Promise<number> {
    const server = createSocket('udp4')
    server.on('message', (message, { port }) => void (answers && server.send(`got ${message}`, port, '127.0.0.1')))
    await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve))
    cleanUp(t, () => server.close())
    return server.address().port
  }

  it('brings the first datagram back', async (t) => {
    const seen = await attempt(await udpServer(t, true), { kind: 'udp', send: 'x' })
    assert.deepEqual([seen.symptom, seen.bytes, seen.detail], ['ok', 5, { text: 'got x' }])
  })

  it('times out when nobody answers', async (t) => {
    const seen = await attempt(await udpServer(t, false), { kind: 'udp', timeoutMs: 60 })
    assert.deepEqual([seen.symptom, seen.bytes, seen.error?.code], ['timeout', 0, 'TIMEOUT'])
  })

  it('is refused by a closed port', async () => {
    const seen = await attempt(await closedPort(), { kind: 'udp' })
    assert.deepEqual([seen.symptom, seen.error?.code], ['refused', 'ECONNREFUSED'])
  })
})

describe('a DNS attempt', () => {
  /** Answers every query with this code, and with this address when there is one. */
  async function resolver(t: TestContext, code: number | undefined, address?: readonly number[]): Promise<void> {
    const server = createSocket('udp4')
    server.on('message', (query, { port }) => {
      if (code === undefined) return
      const header = Buffer.from(query.subarray(0, 12))
      header.writeUInt16BE(0x8180 | code, 2)
      header.writeUInt16BE(address === undefined ? 0 : 1, 6)
      header.writeUInt16BE(0, 10)
      // The question ends four bytes after its closing zero.
      const question = query.subarray(12, query.indexOf(0, 12) + 5)
      const record = address === undefined ? [] : [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, ...address]
      server.send(Buffer.concat([header, question, Buffer.from(record)]), port, '127.0.0.1')
    })
    await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve))
    const before = dns.getServers()
    dns.setServers([`127.0.0.1:${server.address().port}`])
    cleanUp(t, () => {
      dns.setServers(before)
      server.close()
    })
  }

  const cases: readonly [name: string, code: number | undefined, symptom: string][] = [
    ['a name that is not there', 3, 'dns-not-found'],
    ['a name that is refused', 5, 'dns-refused'],
    ['a name without an address', 0, 'dns-not-found'],
    ['silence', undefined, 'dns-timeout'],
  ]
  for (const [name, code, symptom] of cases) {
    it(`sees ${name}`, async (t) => {
      await resolver(t, code)
      const seen = await attempt(53, { kind: 'dns', dns: { query: 'web-api.shop.test' }, timeoutMs: 300 })
      assert.deepEqual([seen.symptom, seen.phase, seen.bytes], [symptom, 'dns', 0])
    })
  }

  it('brings the addresses', async (t) => {
    await resolver(t, 0, [10, 96, 0, 7])
    const seen = await attempt(53, { kind: 'dns', dns: { query: 'web-api.shop.test' } })
    assert.deepEqual([seen.symptom, seen.bytes, seen.detail], ['ok', 4, { addresses: ['10.96.0.7'] }])
  })
})
