import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { before, beforeEach, test } from 'node:test'
import { eventually, wholeSuite } from '@bulkhead/testing'
import type { ClientEnd } from '../seams.js'
import { makeWorld, type Running, type World } from './testing.js'

const suite = wholeSuite()
let world: World
let server: Running

before(async () => {
  world = await makeWorld(suite)
  server = world.start(
    'shop/server',
    `import http from 'node:http'
     const app = http.createServer((req, res) => req.pipe(res))
     await new Promise((r) => app.listen(8080, r))
     console.log('up')`,
  )
  await server.says('up')
})
beforeEach(() => {
  world.table.clear()
  world.asked.length = 0
  world.abandoned.length = 0
})

/** Runs code as shop/client; what it prints last is one JSON value. */
async function client(code: string): Promise<unknown> {
  const ended = await world.run('shop/client', code)
  assert.equal(ended.stderr, '')
  assert.equal(ended.code, 0)
  return JSON.parse(ended.stdout)
}

test('a reset is read as ECONNRESET, after what came before it', async () => {
  world.table.set(
    'reset.test:8001',
    world.accept(({ reset }) => reset()),
  )
  world.table.set(
    'reset.test:8002',
    world.accept(({ stream, reset }) => {
      stream.write('some bytes')
      stream.once('data', () => reset())
    }),
  )
  const seen = await client(`
    import net from 'node:net'
    const go = (port) => new Promise((resolve) => {
      const log = []
      const socket = net.connect(port, 'reset.test', () => { log.push('connect'); socket.write('x') })
      socket.on('data', (d) => log.push(String(d))).on('end', () => log.push('end'))
      socket.on('error', (e) => log.push([e.message, e.code, e.syscall, e.errno < 0]))
      socket.on('close', (bad) => resolve([...log, bad]))
    })
    console.log(JSON.stringify([await go(8001), await go(8002), await fetch('http://reset.test:8001').catch((e) => e.cause.code)]))`)
  const read = ['read ECONNRESET', 'ECONNRESET', 'read', true]
  assert.deepEqual(seen, [['connect', read, true], ['connect', 'some bytes', read, true], 'ECONNRESET'])
})

test('an end is an end, and no reset', async () => {
  world.table.set(
    'end.test',
    world.accept(({ stream }) => stream.end('bye')),
  )
  const seen = await client(`
    import net from 'node:net'
    const log = []
    net.connect(1, 'end.test').on('data', (d) => log.push(String(d))).on('end', () => log.push('end'))
      .on('error', (e) => log.push(e.code)).on('close', (bad) => console.log(JSON.stringify([...log, bad])))`)
  assert.deepEqual(seen, ['bye', 'end', false])
})

test('the app resets its end: the mesh sees a reset', async () => {
  const seen: (string | undefined)[] = []
  world.table.set(
    'mine.test',
    world.accept(({ stream }) => stream.on('error', (e: NodeJS.ErrnoException) => seen.push(e.code))),
  )
  await client(`
    import net from 'node:net'
    const socket = net.connect(1, 'mine.test', () => socket.resetAndDestroy()).on('close', () => console.log('1'))`)
  await eventually('the first is seen', () => seen.length > 0)
  assert.deepEqual(seen, ['ECONNRESET'])
})

test('the app resets many at once: not one of them looks like an end', async () => {
  const seen: string[] = []
  world.table.set(
    'mine.test',
    world.accept(({ stream }) => {
      stream.resume().once('end', () => seen.push('an end'))
      stream.once('error', (e: NodeJS.ErrnoException) => seen.push(String(e.code)))
    }),
  )
  await client(`
    import net from 'node:net'
    const one = () => new Promise((closed) => {
      const socket = net.connect(1, 'mine.test', () => { socket.write('x'); setTimeout(() => socket.resetAndDestroy(), 1) }).on('close', closed)
    })
    for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 10 }, one))
    console.log('1')`)
  await eventually('all hundred are seen', () => seen.length === 100)
  assert.deepEqual(new Set(seen), new Set(['ECONNRESET']))
})

test('the app resets what is only being connected: that waits for the connect, as with TCP', async () => {
  const seen: (string | undefined)[] = []
  world.table.set(
    'soon.test',
    world.accept(({ stream }) => stream.on('error', (e: NodeJS.ErrnoException) => seen.push(e.code)).resume()),
  )
  const said = await client(`
    import net from 'node:net'
    const log = []
    const follow = (socket) => new Promise((over) => socket.on('connect', () => log.push('connect'))
      .on('error', (e) => log.push(e.code)).on('close', (bad) => over(log.push(bad))))
    // Before the data plane is asked, while it is asked, and while its answer is followed.
    const asked = net.connect(1, 'soon.test')
    await follow(asked.resetAndDestroy())
    const named = net.connect(1, 'soon.test')
    named.once('lookup', () => named.resetAndDestroy())
    await follow(named)
    const followed = net.connect(1, 'soon.test')
    followed.once('lookup', () => process.nextTick(() => followed.resetAndDestroy()))
    await follow(followed)
    console.log(JSON.stringify(log))`)
  assert.deepEqual(said, ['connect', false, 'connect', false, 'connect', false])
  await eventually('all three are seen', () => seen.length === 3)
  assert.deepEqual(seen, ['ECONNRESET', 'ECONNRESET', 'ECONNRESET'])
})

test('either half closes alone', async () => {
  world.table.set(
    'halves.test:1',
    world.accept(({ stream }) => {
      let text = ''
      stream.on('data', (data) => {
        text += data
      })
      // The client's half is over; ours is not.
      stream.on('end', () => stream.end(`got ${text}`))
    }),
  )
  world.table.set(
    'halves.test:2',
    world.accept(({ stream }) => {
      stream.end('mine is over')
      stream.on('data', (data) => late.push(String(data)))
    }),
  )
  const late: string[] = []
  const seen = await client(`
    import net from 'node:net'
    const log = []
    const one = net.connect(1, 'halves.test')
    one.on('data', (d) => log.push(String(d))).end('all of it')
    await new Promise((r) => one.on('close', r))
    const two = net.connect({ port: 2, host: 'halves.test', allowHalfOpen: true })
    two.on('data', (d) => log.push(String(d))).on('end', () => two.end('still here'))
    await new Promise((r) => two.on('close', r))
    console.log(JSON.stringify(log))`)
  assert.deepEqual(seen, ['got all of it', 'mine is over'])
  await eventually('what is sent late arrives', () => late.join('') === 'still here')
})

test('32 MB go out and come back unharmed, whichever side is slow', async () => {
  const [seen] = (await client(`
    import { createHash, randomBytes } from 'node:crypto'
    import { Readable } from 'node:stream'
    const block = randomBytes(1 << 20)
    const sent = createHash('sha256')
    const body = Readable.from((function* () { for (let i = 0; i < 32; i++) { sent.update(block); yield block } })())
    const answer = await fetch('http://server:8080/big', { method: 'POST', body, duplex: 'half' })
    const got = createHash('sha256')
    let length = 0
    for await (const chunk of answer.body) { got.update(chunk); length += chunk.length }
    console.log(JSON.stringify([[length, got.digest('hex') === sent.digest('hex')]]))`)) as [unknown]
  assert.deepEqual(seen, [32 << 20, true])
})

test('a writer is held back when nobody reads', async () => {
  const block = Buffer.alloc(1 << 20, 'x')
  let stream: ClientEnd['stream'] | undefined
  world.table.set(
    'unread.test',
    world.accept((clientEnd) => {
      stream = clientEnd.stream
    }),
  )
  const running = world.start(
    'shop/client',
    `import net from 'node:net'
     const socket = net.connect(1, 'unread.test', () => {
       let sent = 0
       while (socket.write(Buffer.alloc(1 << 20, 'x'))) sent++
       console.log('held')
       socket.once('drain', () => { console.log('drained'); socket.end() })
     })`,
  )
  await running.says('held')
  // A whole process's life later it is still held.
  await world.run('shop/client', '')
  assert.ok(!running.said().includes('drained'))
  const hash = createHash('sha256')
  for await (const chunk of stream ?? []) hash.update(chunk)
  assert.equal(hash.digest('hex'), createHash('sha256').update(block).digest('hex'))
  stream?.end()
  assert.match((await running.ended).stdout, /drained/)
})

test('200 connects at once are each their own', async () => {
  world.table.set('own.test', (request) => world.accept(({ stream }) => stream.end(`for ${request.port}`))(request))
  const seen = (await client(`
    import net from 'node:net'
    const one = (port) => new Promise((resolve, reject) => {
      let text = ''
      net.connect(port, 'own.test').on('data', (d) => (text += d)).on('error', reject).on('end', () => resolve(text === 'for ' + port))
    })
    console.log(JSON.stringify(await Promise.all(Array.from({ length: 200 }, (_, i) => one(1000 + i)))))`)) as boolean[]
  assert.equal(seen.length, 200)
  assert.ok(seen.every(Boolean))
  // What was made for them is gone with their process.
  await eventually(
    'no socket is left',
    () => readdirSync(join(world.runDir, 'c')).filter((name) => name.startsWith('s')).length === 0,
  )
})
