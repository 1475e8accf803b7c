import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { cleanUp, eventually, temporaryFolder } from '@bulkhead/testing'
import { createRelay } from './relay.js'

/** A relay before a server of our own, and a client of it. */
async function relayTo(t: TestContext, serve?: (socket: Socket) => void) {
  const path = join(temporaryFolder(t), 's')
  const accepted: Socket[] = []
  if (serve !== undefined) {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      accepted.push(socket)
      socket.on('error', () => undefined)
      serve(socket)
    })
    server.listen(path)
    await once(server, 'listening')
    cleanUp(t, () => {
      for (const socket of accepted) socket.destroy()
      server.close()
    })
  }
  const relay = createRelay(path).listen(0, '127.0.0.1')
  await once(relay, 'listening')
  cleanUp(t, () => relay.close())
  const dial = () => {
    const client = connect({ port: (relay.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true })
    cleanUp(t, () => client.destroy())
    return client
  }
  return { dial, accepted }
}

test('bytes go both ways, and one half may end before the other', async (t) => {
  const { dial } = await relayTo(t, (socket) => {
    let text = ''
    socket.on('data', (chunk) => (text += chunk))
    socket.on('end', () => socket.end(`heard ${text}`))
  })
  const client = dial()
  client.end('all of it')
  let answer = ''
  for await (const chunk of client) answer += chunk
  assert.equal(answer, 'heard all of it')
})

test('a client that resets ends its session; one that the server leaves sees the end', async (t) => {
  const { dial, accepted } = await relayTo(t, (socket) => {
    socket.write('hello')
    socket.resume().on('end', () => socket.destroy())
  })
  const client = dial()
  await once(client, 'data')
  const closed = once(accepted[0] as Socket, 'close')
  client.resetAndDestroy()
  await closed
  const second = dial()
  await once(second, 'data')
  const ended = once(second.resume(), 'end')
  accepted[1]?.destroy()
  await ended
})

test('where nobody answers the client is reset, as by a program that has gone', async (t) => {
  const { dial } = await relayTo(t)
  const client = dial()
  const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ECONNRESET')
})

test('who does not read is not read for: neither side can fill the memory', async (t) => {
  let sent = 0
  const total = 64
  const block = Buffer.alloc(1024 * 1024)
  const { dial } = await relayTo(t, async (socket) => {
    for (; sent < total; sent++) if (!socket.write(block)) await once(socket, 'drain').catch(() => undefined)
    socket.end()
  })
  const client = dial()
  client.pause()
  await once(client, 'connect')
  let before = -1
  await eventually('the server is held up', async () => {
    const same = before === sent && sent > 0
    before = sent
    await new Promise((resolve) => setTimeout(resolve, 50))
    return same
  })
  assert.ok(sent < total / 4, `${sent} MiB were taken`)
  let read = 0
  client.on('data', (chunk: Buffer) => (read += chunk.length)).resume()
  await once(client, 'end')
  assert.equal(read, total * block.length)
})

test('a hundred at once', async (t) => {
  const { dial } = await relayTo(t, (socket) => socket.pipe(socket))
  const clients = Array.from({ length: 100 }, dial)
  const answers = clients.map(async (client, index) => {
    client.end(String(index))
    let text = ''
    for await (const chunk of client) text += chunk
    return text
  })
  assert.deepEqual(
    await Promise.all(answers),
    clients.map((_, index) => String(index)),
  )
})
