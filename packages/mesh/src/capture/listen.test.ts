import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { afterEach, before, test } from 'node:test'
import { eventually, wholeSuite } from '@bulkhead/testing'
import { makeWorld, type World } from './testing.js'

const suite = wholeSuite()
let world: World
before(async () => {
  world = await makeWorld(suite)
})
afterEach(() => world.reap())

const FROM = { ip: '10.244.0.10', port: 40_001 }
const LOOPBACK = { ip: '127.0.0.1', port: 40_002 }

async function read(stream: Duplex): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += chunk
  // Node 24 leaves a half-open socket open here.
  stream.destroy()
  return text
}

test("listening is told only when the mesh knows; address() is the pod's; close() gives the port back", async () => {
  const running = world.start(
    'shop/server',
    `import net from 'node:net'
     import { once } from 'node:events'
     const log = []
     const server = net.createServer((s) => s.end([s.remoteAddress, s.remotePort, s.localAddress, s.localPort].join(' ')))
     server.on('listening', () => log.push('event'))
     const same = server.listen({ port: 8080 }, () => log.push('callback'))
     log.push(same === server, server.listening, server.address())
     await new Promise((r) => setImmediate(r))
     await once(server, 'listening').catch(() => {})
     console.log(JSON.stringify(log), '.')
     process.stdin.once('data', () => server.close(() => console.log('closed', server.listening, server.address())))`,
  )
  await running.says('.')
  assert.deepEqual(world.capture.listening('shop/server'), [8080])
  assert.equal(await read(await world.capture.dialApp('shop/server', 8080, FROM)), '10.244.0.10 40001 10.244.1.20 8080')
  await assert.rejects(world.capture.dialApp('shop/server', 81, FROM), { code: 'ECONNREFUSED' })
  await assert.rejects(world.capture.dialApp('shop/client', 8080, FROM), { code: 'ECONNREFUSED' })
  running.child.stdin?.write('close\n')
  await running.says('closed')
  await eventually('the server listens no more', () => world.capture.listening('shop/server').length === 0)
  await assert.rejects(world.capture.dialApp('shop/server', 8080, FROM), { code: 'ECONNREFUSED' })
  running.child.stdin?.end()
  const { stdout, stderr } = await running.ended
  assert.equal(stderr, '')
  const at = { address: '0.0.0.0', family: 'IPv4', port: 8080 }
  assert.deepEqual(JSON.parse(stdout.split(' .')[0] ?? ''), [true, true, at, 'event', 'callback'])
  assert.match(stdout, /closed false null/)
})

test('a port is taken once in a pod, in this process or another, and free again after', async () => {
  const first = world.start(
    'shop/server',
    `(await import('node:net')).createServer().listen(8080, () => console.log('up'))`,
  )
  await first.says('up')
  const code = `
    import net from 'node:net'
    const listen = (server, ...args) => new Promise((resolve) =>
      server.once('error', ({ message, code, syscall, address, port }) => resolve({ message, code, syscall, address, port, listening: server.listening }))
        .listen(...args, () => resolve('up')))
    const server = net.createServer()
    const taken = await listen(server, 8080)
    // The same server may try again elsewhere.
    const elsewhere = await listen(server, 8081, '127.0.0.1')
    const twice = await listen(net.createServer(), 8081)
    console.log(JSON.stringify([taken, elsewhere, twice.code]))
    process.exit()`
  const taken = {
    message: 'listen EADDRINUSE: address already in use 0.0.0.0:8080',
    code: 'EADDRINUSE',
    syscall: 'listen',
    address: '0.0.0.0',
    port: 8080,
    listening: false,
  }
  const { stdout, stderr } = await world.run('shop/server', code)
  assert.equal(stderr, '')
  assert.deepEqual(JSON.parse(stdout), [taken, 'up', 'EADDRINUSE'])
  // Another pod's port is another port.
  const other = `(await import('node:net')).createServer().listen(8080, () => { console.log('up'); process.exit() })`
  assert.equal((await world.run('shop/client', other)).stdout, 'up\n')
  first.child.kill('SIGKILL')
  await first.ended
  await eventually('the server listens no more', () => world.capture.listening('shop/server').length === 0)
  assert.deepEqual(leftovers(), [], 'a killed process leaves its socket file to the agent')
  assert.equal((await world.run('shop/server', other)).stdout, 'up\n')
})

test("a loopback listener is the pod's own", async () => {
  const running = world.start(
    'shop/server',
    `import net from 'node:net'
     const at = (...args) => new Promise((r) => { const s = net.createServer((c) => c.end('hi')).listen(...args, () => r(s.address())) })
     const addresses = [await at(9001, '127.0.0.1'), await at(9002, 'localhost'), await at(9003, '::1'), await at(9004, '10.244.1.20'), await at(9005, '::'), await at(9006, 'server-5c4')]
     const ephemeral = await at(0)
     const wrong = await new Promise((r) => net.createServer().on('error', (e) => r(e.code)).listen(9007, '192.0.2.1'))
     const say = (port) => new Promise((r) => net.connect(port).on('data', (d) => r(String(d))).on('error', (e) => r(e.code)))
     console.log(JSON.stringify({ addresses: addresses.map((a) => a.address + ' ' + a.family), ephemeral, wrong, own: await say(ephemeral.port), not: await say(1) }))`,
  )
  await running.says('}\n')
  const seen = JSON.parse(running.said())
  assert.deepEqual(seen.addresses, [
    '127.0.0.1 IPv4',
    '127.0.0.1 IPv4',
    '::1 IPv6',
    '10.244.1.20 IPv4',
    ':: IPv6',
    '10.244.1.20 IPv4',
  ])
  assert.ok(seen.ephemeral.port >= 32_768 && seen.ephemeral.port <= 60_999)
  assert.deepEqual([seen.wrong, seen.own, seen.not], ['EADDRNOTAVAIL', 'hi', 'ECONNREFUSED'])
  assert.deepEqual(world.capture.listening('shop/server'), [9004, 9005, 9006])
  await assert.rejects(world.capture.dialApp('shop/server', 9001, FROM), { code: 'ECONNREFUSED' })
  await assert.rejects(world.capture.dialApp('shop/server', seen.ephemeral.port, FROM), { code: 'ECONNREFUSED' })
  assert.equal(await read(await world.capture.dialApp('shop/server', 9001, LOOPBACK)), 'hi')
  assert.equal(await read(await world.capture.dialApp('shop/server', 9004, FROM)), 'hi')
})

test('close() right after listen() gives no listening, and leaves nothing', async () => {
  const { stdout, stderr } = await world.run(
    'shop/server',
    `import net from 'node:net'
     const log = []
     const server = net.createServer().on('listening', () => log.push('listening')).on('close', () => log.push('close'))
     server.listen(8080).close()
     await new Promise((r) => setTimeout(r, 20))
     await new Promise((r) => server.listen(8080, r))
     server.close(() => console.log(JSON.stringify(log)))`,
  )
  assert.equal(stderr, '')
  assert.deepEqual(JSON.parse(stdout), ['close', 'listening', 'close'])
  await eventually('nothing is left over', () => leftovers().length === 0)
})

test('bad ports throw as in Node', async () => {
  const { stdout } = await world.run(
    'shop/server',
    `import net from 'node:net'
     const codes = []
     for (const port of [65536, -1, 1.5]) try { net.createServer().listen(port) } catch (e) { codes.push(e.code) }
     const server = net.createServer().listen(8080)
     try { server.listen(8081) } catch (e) { codes.push(e.code) }
     console.log(JSON.stringify(codes)); process.exit()`,
  )
  assert.deepEqual(JSON.parse(stdout), [...Array(3).fill('ERR_SOCKET_BAD_PORT'), 'ERR_SERVER_ALREADY_LISTEN'])
})

test('servers of every kind get their first bytes whole: http, http2, one that talks first, one that pauses', async () => {
  const running = world.start(
    'shop/server',
    `import http from 'node:http'
     import http2 from 'node:http2'
     import net from 'node:net'
     const up = (server, port) => new Promise((r) => server.listen(port, r))
     await up(http.createServer((req, res) => req.pipe(res)), 8080)
     await up(http2.createServer((req, res) => res.end('h2c ' + req.url)), 8081)
     await up(net.createServer((s) => { s.write('first '); s.on('data', (d) => s.end(d)) }), 8082)
     await up(net.createServer({ pauseOnConnect: true }, (s) => setTimeout(() => s.pipe(s), 20)), 8083)
     await up(net.createServer((s) => { s.on('readable', () => { const d = s.read(); if (d) s.end(d) }) }), 8084)
     console.log('up')`,
  )
  await running.says('up')
  const say = async (port: number, text: string): Promise<string> => {
    const app = await world.capture.dialApp('shop/server', port, FROM)
    app.end(text)
    return read(app)
  }
  const post = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello'
  assert.match(await say(8080, post), /^HTTP\/1.1 200 OK\r\n.*hello/s)
  assert.equal(await say(8082, 'then'), 'first then')
  assert.equal(await say(8083, 'paused'), 'paused')
  assert.equal(await say(8084, 'readable'), 'readable')
  const { stdout, stderr } = await world.run(
    'shop/client',
    `import http2 from 'node:http2'
     const session = http2.connect('http://server:8081')
     const stream = session.request({ ':path': '/x' }).setEncoding('utf8')
     let text = ''
     for await (const chunk of stream) text += chunk
     console.log(text, session.socket.remoteAddress)
     session.close()`,
  )
  assert.equal(stderr, '')
  assert.equal(stdout, 'h2c /x 10.244.1.20\n')
})

test('a reset reaches an accepted connection, and leaves one', async () => {
  const running = world.start(
    'shop/server',
    `import net from 'node:net'
     net.createServer((s) => {
       s.on('error', (e) => console.log(e.message))
       s.on('data', (d) => String(d) === 'reset me' && s.resetAndDestroy())
     }).listen(8080, () => console.log('up'))`,
  )
  await running.says('up')
  const one = (await world.capture.dialApp('shop/server', 8080, FROM)) as Duplex & { resetAndDestroy(): void }
  one.write('x')
  one.resetAndDestroy()
  await running.says('read ECONNRESET')
  const two = await world.capture.dialApp('shop/server', 8080, FROM)
  const error = once(two, 'error')
  two.write('reset me')
  assert.equal((await error)[0].code, 'ECONNRESET')
})

test('a reset is never taken for an end, however many there are at once', async () => {
  const running = world.start(
    'shop/server',
    `import net from 'node:net'
     net.createServer((s) => s.on('error', () => {}).once('data', () => s.resetAndDestroy())).listen(8080, () => console.log('up'))`,
  )
  await running.says('up')
  const one = async () => {
    const stream = await world.capture.dialApp('shop/server', 8080, FROM)
    const seen = new Promise<string>((resolve) => {
      stream
        .once('end', () => resolve('an end'))
        .once('error', (error) => resolve('code' in error ? String(error.code) : ''))
    })
    stream.resume().write('x')
    return seen
  }
  for (let round = 0; round < 10; round++)
    assert.deepEqual(await Promise.all(Array.from({ length: 10 }, one)), Array(10).fill('ECONNRESET'))
})

test('who has no token is nobody: a private socket dialled by a stranger gives not one byte', async () => {
  const earlier = new Set(leftovers())
  const running = world.start(
    'shop/server',
    `import net from 'node:net'
     net.createServer((s) => { console.log('accepted', s.remoteAddress); s.write('secret'); s.on('error', () => {}) }).listen(8080, () => console.log('up'))`,
  )
  await running.says('up')
  const name = leftovers().find((candidate) => !earlier.has(candidate)) ?? assert.fail('no private socket')
  const path = join(world.runDir, 'c', name)
  const stranger = async (bytes: Buffer, end: boolean): Promise<string> => {
    const socket = connect(path)
    socket.on('error', () => {})
    if (end) socket.end(bytes)
    else socket.write(bytes)
    let text = ''
    socket.on('data', (data) => {
      text += data
    })
    await once(socket, 'close', { signal: AbortSignal.timeout(10_000) })
    return text
  }
  assert.equal(await stranger(Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.padEnd(46)), false), '')
  assert.equal(await stranger(Buffer.alloc(46), false), '')
  assert.equal(await stranger(Buffer.from('BLK1'), true), '')
  assert.equal(await stranger(Buffer.from(`BLK1${'x'.repeat(200)}`), false), '')
  // The control: with the token, it answers.
  const app = await world.capture.dialApp('shop/server', 8080, FROM)
  assert.equal(String((await once(app, 'data'))[0]), 'secret')
  app.destroy()
  await running.says('accepted')
  assert.deepEqual(running.said().match(/accepted.*/g), ['accepted 10.244.0.10'])
})

test('workers of one cluster share a port, and take turns', async () => {
  const file = join(world.runDir, 'cluster.mjs')
  writeFileSync(
    file,
    `import cluster from 'node:cluster'
     import net from 'node:net'
     if (cluster.isPrimary) { cluster.fork(); cluster.fork() }
     else net.createServer((s) => s.end(String(cluster.worker.id))).listen(8080, () => console.log('up' + cluster.worker.id))`,
  )
  const primary = world.start('shop/server', '', { command: [process.execPath, file] })
  await Promise.all([primary.says('up1'), primary.says('up2')])
  const answers = []
  for (let i = 0; i < 4; i++) answers.push(await read(await world.capture.dialApp('shop/server', 8080, FROM)))
  assert.deepEqual(answers.slice(0, 2).sort(), ['1', '2'])
  assert.deepEqual(answers.slice(2), answers.slice(0, 2))
  // Another process of the pod is not one of them.
  const other = await world.run(
    'shop/server',
    `(await import('node:net')).createServer().on('error', (e) => console.log(e.code)).listen(8080)`,
  )
  assert.equal(other.stdout, 'EADDRINUSE\n')
})

/** Private sockets of listeners that are there. */
function leftovers(): string[] {
  return readdirSync(join(world.runDir, 'c')).filter((name) => name.startsWith('l'))
}
