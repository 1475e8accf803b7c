import assert from 'node:assert/strict'
import { once } from 'node:events'
import { before, test } from 'node:test'
import { wholeSuite } from '@bulkhead/testing'
import { makeWorld, type World } from './testing.js'

const suite = wholeSuite()
let world: World
before(async () => {
  world = await makeWorld(suite)
})

/** A server that closes as soon as a connection has come, before it has been told whose that is. */
const server = (close: boolean) => `
  import net from 'node:net'
  const server = net.createServer((socket) => { console.log('accepted'); socket.end('answer') })
  server.listen(8080, () => {
    const { emit } = server
    Object.defineProperty(server, 'emit', {
      value(name, ...args) {
        const result = Reflect.apply(emit, server, [name, ...args])
        if (name === 'connection' && ${close}) server.close(() => console.log('closed'))
        return result
      },
    })
    console.log('up')
  })`

test('a server that was closed is given no connection that was on its way', async () => {
  const from = { ip: '10.244.0.10', port: 40_001 }
  for (const closing of [false, true]) {
    const running = world.start('shop/server', server(closing))
    await running.says('up')
    const connection = await world.capture.dialApp('shop/server', 8080, from)
    let answer = ''
    connection.on('data', (chunk) => {
      answer += chunk
    })
    connection.end()
    await once(connection, 'close')
    if (closing) await running.says('closed')
    assert.deepEqual([answer, /accepted/.test(running.said())], closing ? ['', false] : ['answer', true])
    await world.reap()
  }
})
