import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { cleanUp, eventually } from '@bulkhead/testing'
import { createLog } from '../log/logger.js'
import { createService, type Service } from '../service.js'
import { MAX_PIPELINED } from './limits.js'

interface Started {
  readonly service: Service
  readonly port: number
  /** Answers the requests at /wait so far. */
  release(): number
}

async function start(t: TestContext): Promise<Started> {
  const waiting: (() => void)[] = []
  const service = createService({
    log: createLog({ name: 'demo', write: () => {} }),
    routes: (app) => app.get('/wait', (_req, res) => void waiting.push(() => res.end('waited'))),
  })
  const { port } = await service.listen({ host: '127.0.0.1', port: 0 })
  cleanUp(t, () => service.close({ timeoutMs: 500 }))
  return {
    service,
    port,
    release: () => {
      for (const answer of waiting) answer()
      return waiting.length
    },
  }
}

function open(t: TestContext, port: number): { socket: Socket; text: () => string } {
  const socket = connect(port, '127.0.0.1')
  cleanUp(t, () => socket.destroy())
  socket.on('error', () => {})
  let text = ''
  socket.on('data', (data) => {
    text += data.toString()
  })
  return { socket, text: () => text }
}

test('a client that resets after CONNECT does not end the process', async (t) => {
  const { service, port } = await start(t)
  const { socket } = open(t, port)
  socket.write('CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n')
  const [, taken] = (await once(service.server, 'connect')) as [unknown, Socket]
  // Node has taken its own listener away by now: without one of ours this error would be an uncaught one.
  taken.destroy(new Error('read ECONNRESET'))
  await once(socket, 'close')
  const { socket: next, text } = open(t, port)
  next.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')
  await eventually('the service goes on', () => text().startsWith('HTTP/1.1 200'))
})

test('one connection has so many requests in progress; those above are refused, in their turn', async (t) => {
  const { service, port, release } = await start(t)
  const { socket, text } = open(t, port)
  const count = 20_000
  socket.write('GET /wait HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(count))
  const inFlight = async (): Promise<number> => {
    const metrics = await service.metrics.registry.metrics()
    return Number(/^http_requests_in_flight (\d+)/m.exec(metrics)?.[1])
  }
  // Node stops reading once enough answers wait; what had been read by then is a few packets' worth.
  let last = -1
  for (let now = 0; now !== last || now === 0; now = await inFlight()) {
    last = now
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  assert.ok(last < count / 2, `${last} of ${count} requests were taken in`)
  assert.equal(release(), MAX_PIPELINED)
  await eventually('the refusals follow', () => text().includes('TOO_MANY_REQUESTS'))
  const answers = text().split(/(?=HTTP\/1\.1 )/)
  assert.ok(answers.slice(0, MAX_PIPELINED).every((answer) => answer.startsWith('HTTP/1.1 200')))
  assert.match(answers[MAX_PIPELINED] ?? '', /^HTTP\/1\.1 429 /)
})

test('garbage behind a request that is being answered is not answered in its place', async (t) => {
  for (const garbage of ['garbage\r\n\r\n', 'CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n']) {
    const { service, port } = await start(t)
    const { socket, text } = open(t, port)
    const closed = once(socket, 'close')
    const asked = once(service.server, 'request')
    socket.write('GET /wait HTTP/1.1\r\nHost: x\r\n\r\n')
    await asked
    socket.write(garbage)
    await closed
    assert.equal(text(), '', 'the client would take it for the answer to its GET')
    const { socket: next, text: told } = open(t, port)
    next.write(garbage)
    await eventually('alone it is answered', () => /^HTTP\/1\.1 40[05] /.test(told()))
  }
})
