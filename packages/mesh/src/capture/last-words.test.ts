import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { test } from 'node:test'
import { eventually } from '@bulkhead/testing'
import { makeWorld, type Running } from './testing.js'

/*
 * A process that answers and is gone, and a supervisor that was busy meanwhile: its event loop learns of the answer, of
 * the connection's end and of the process's in one turn. Held here until the process has ended.
 */

const FROM = { ip: '10.244.0.10', port: 40_000 }

/** Nothing of this process's event loop runs until that one has ended, and waits for us to hear of it. */
function holdUntilEnded({ child }: Running): void {
  const until = Date.now() + 15_000
  for (let state = ''; !state.startsWith('Z'); ) {
    if (Date.now() > until) throw new Error(`the process has not ended within 15 s: ${state}`)
    state = execFileSync('ps', ['-o', 'stat=', '-p', String(child.pid)], { encoding: 'utf8' }).trim()
  }
}

/** What is read up to an end, or up to an error. */
function heard(stream: Duplex): Promise<string> {
  let text = ''
  return new Promise((resolve) => {
    stream
      .on('data', (chunk) => {
        text += chunk
      })
      .on('end', () => resolve(`${text}, end`))
      .on('error', (error: NodeJS.ErrnoException) => resolve(`${text}, ${error.code}`))
      .on('close', () => resolve(`${text}, cut`))
  })
}

test('what a process answered before its end is read to the end, however late', async (t) => {
  const world = await makeWorld(t)
  const grant = world.capture.grant('shop/server', {})
  const server = world.start(
    'shop/server',
    `import { createServer } from 'node:net'
     createServer((socket) => socket.once('data', () => socket.end('last words', () => process.exit())))
       .listen(8080, () => console.log('up'))`,
    { grant },
  )
  server.child.once('exit', () => grant.end())
  await server.says('up')
  const app = await world.capture.dialApp('shop/server', 8080, FROM)
  const answer = heard(app)
  app.write('go')
  holdUntilEnded(server)
  assert.equal(await answer, 'last words, end')
})

test('what a process sent before its end is carried to the end, however late; what it reset is no end', async (t) => {
  const world = await makeWorld(t)
  const carried = new Map<string, Promise<string>>()
  world.table.set(
    'orderly.test',
    world.accept(({ stream }) => carried.set('orderly', heard(stream))),
  )
  world.table.set(
    'reset.test',
    world.accept(({ stream }) => carried.set('reset', heard(stream))),
  )
  const grant = world.capture.grant('shop/client', {})
  const client = world.start(
    'shop/client',
    `import { connect } from 'node:net'
     import { once } from 'node:events'
     const [orderly, reset] = [connect(80, 'orderly.test'), connect(80, 'reset.test')]
     await Promise.all([once(orderly, 'connect'), once(reset, 'connect')])
     process.stdin.once('data', () => {
       reset.resetAndDestroy()
       orderly.end('last words', () => process.exit())
     })
     console.log('connected')`,
    { grant },
  )
  client.child.once('exit', () => grant.end())
  await client.says('connected')
  await eventually('both are carried', () => carried.size === 2)
  client.child.stdin?.write('go')
  holdUntilEnded(client)
  assert.equal(await carried.get('orderly'), 'last words, end')
  assert.equal(await carried.get('reset'), ', ECONNRESET')
})

test('after the end of its process nobody speaks by its secret, and what lives on of it is cut', async (t) => {
  const world = await makeWorld(t)
  const grant = world.capture.grant('shop/server', {})
  // Ended, as far as its supervisor knows: as a child that a process leaves behind.
  const left = world.start(
    'shop/server',
    `import { createServer } from 'node:net'
     createServer((socket) => socket.on('error', () => {})).listen(8080, () => console.log('up'))
     setInterval(() => {}, 1000)`,
    { grant },
  )
  await left.says('up')
  const app = await world.capture.dialApp('shop/server', 8080, FROM)
  const answer = heard(app)
  grant.end()
  const late = await world.run('shop/server', `import { connect } from 'node:net'; connect(80, 'client')`, { grant })
  assert.match(late.stderr, /does not know this process's secret/)
  assert.equal(await answer, ', cut')
  await eventually('the server listens no more', () => world.capture.listening('shop/server').length === 0)
})
