import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { cleanUp } from '@bulkhead/testing'
import { Connections, NEW_QUIET_MS, QUIET_MS } from './connections.js'

async function start(t: TestContext) {
  const server = createServer((request, response) => {
    connections.begin(request, response)
    response.once('close', () => connections.end(request, performance.now()))
    response.end('answered')
  })
  const connections = new Connections(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const open = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1')
    cleanUp(t, () => socket.destroy())
    await Promise.all([once(socket, 'connect'), once(server, 'connection')])
    return socket
  }
  return { connections, open }
}

/** Sends a request; what is read up to the connection's end, or to the answer's. */
function ask(socket: Socket, until: 'data' | 'close'): Promise<string> {
  let text = ''
  socket.on('data', (data) => {
    text += data
  })
  socket.on('error', (error: NodeJS.ErrnoException) => {
    text += error.code
  })
  const over = socket.destroyed ? Promise.resolve('closed before') : once(socket, until).then(() => text)
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  return over
}

test('a request that has arrived while the process was busy is answered before its connection counts as quiet', async (t) => {
  const { connections, open } = await start(t)
  const socket = await open()
  assert.match(await ask(socket, 'data'), /200 OK.*keep-alive.*answered/s)
  const drained = connections.drain(performance.now() + 10_000)
  // It waits by now, and nothing of it runs until the request has been there for long. What comes next are timers.
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  const answer = ask(socket, 'close')
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, QUIET_MS + 50)
  assert.match(await answer, /200 OK.*Connection: close.*answered/s)
  assert.equal(await drained, 0)
})

test('a new connection has longer for its first request than a used one for its next', async (t) => {
  const { connections, open } = await start(t)
  const [used, fresh, silent] = [await open(), await open(), await open()]
  assert.match(await ask(used, 'data'), /200 OK/)
  const from = performance.now()
  const drained = connections.drain(from + 10_000)
  await once(used, 'close')
  assert.match(await ask(fresh, 'close'), /200 OK.*Connection: close.*answered/s)
  silent.resume()
  await once(silent, 'close')
  assert.equal(await drained, 0)
  assert.ok(performance.now() - from < NEW_QUIET_MS + 5_000, 'and not until the deadline')
})
