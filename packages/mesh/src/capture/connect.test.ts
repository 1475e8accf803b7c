import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { before, beforeEach, test } from 'node:test'
import { eventually, wholeSuite } from '@bulkhead/testing'
import { makeWorld, type Running, type World } from './testing.js'

const suite = wholeSuite()
let world: World
let server: Running

before(async () => {
  world = await makeWorld(suite)
  server = world.start(
    'shop/server',
    `import http from 'node:http'
     import net from 'node:net'
     const app = http.createServer((req, res) => {
       if (req.url === '/big') return void req.pipe(res)
       res.end(JSON.stringify({ from: req.socket.remoteAddress, port: req.socket.remotePort, method: req.method }))
     })
     app.keepAliveTimeout = 60_000
     await new Promise((r) => app.listen(8080, r))
     // As PostgreSQL's client waits for nothing and MySQL's for the server: this one talks first.
     await new Promise((r) => net.createServer((s) => { s.write('greetings\\n'); s.pipe(s) }).listen(3306, r))
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

const ADDRESSES = { from: '10.244.0.10', port: 40_001, method: 'GET' }

test('fetch reaches a pod by name, and the server sees the pod that called', async () => {
  const seen = await client(`console.log(await (await fetch('http://server:8080/')).text())`)
  assert.deepEqual(seen, ADDRESSES)
  assert.deepEqual(world.asked, [{ pod: 'shop/client', host: 'server', port: 8080 }])
})

test('the undici package reaches it too', async () => {
  const seen = await client(`
    import { Pool, request, fetch } from 'undici'
    const one = await (await request('http://server:8080/')).body.json()
    const pool = new Pool('http://10.244.1.20:8080')
    const two = await (await pool.request({ path: '/', method: 'GET' })).body.json()
    await pool.close()
    console.log(JSON.stringify([one, two, await (await fetch('http://server:8080/')).json()]))
    process.exit()`)
  assert.deepEqual(seen, [ADDRESSES, ADDRESSES, ADDRESSES])
})

test('an http agent that keeps connections alive asks once for many requests', async () => {
  const seen = await client(`
    import http from 'node:http'
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    const get = () => new Promise((resolve, reject) =>
      http.get({ host: 'server', port: 8080, agent }, (res) => res.resume().on('end', () => resolve(res.statusCode))).on('error', reject))
    console.log(JSON.stringify([await get(), await get(), await get()]))
    agent.destroy()`)
  assert.deepEqual(seen, [200, 200, 200])
  assert.equal(world.asked.length, 1)
})

test('each connect is asked anew', async () => {
  let answers = 0
  world.table.set('changes.test', (request) => {
    if (answers++ === 0) return world.accept(({ stream }) => stream.end('one'))(request)
    return { kind: 'error', code: 'ECONNREFUSED', message: 'closed since' }
  })
  const seen = await client(`
    import net from 'node:net'
    const once = () => new Promise((resolve) => {
      let text = ''
      net.connect(1, 'changes.test').on('data', (d) => (text += d)).on('error', (e) => resolve(e.code)).on('end', () => resolve(text))
    })
    console.log(JSON.stringify([await once(), await once()]))`)
  assert.deepEqual(seen, ['one', 'ECONNREFUSED'])
})

test('a server that talks first is heard, before the client has said anything', async () => {
  const seen = await client(`
    import net from 'node:net'
    const socket = net.connect(3306, 'server')
    socket.once('data', (first) => {
      socket.once('data', (second) => { console.log(JSON.stringify([String(first), String(second)])); socket.end() })
      socket.write('hello')
    })`)
  assert.deepEqual(seen, ['greetings\n', 'hello'])
})

test('a connected socket tells the pod addresses, not the private path', async () => {
  const seen = await client(`
    import net from 'node:net'
    const socket = net.connect({ port: 8080, host: 'server' })
    const events = []
    for (const name of ['lookup', 'connect', 'ready']) socket.on(name, (...args) => events.push([name, ...args]))
    const before = [socket.connecting, socket.pending, socket.readyState, socket.remoteAddress ?? null]
    socket.on('ready', () => {
      const { remoteAddress, remotePort, remoteFamily, localAddress, localPort, localFamily } = socket
      const names = [remoteAddress, remotePort, remoteFamily, localAddress, localPort, localFamily]
      console.log(JSON.stringify({ before, events, names, address: socket.address(), state: socket.readyState }))
      socket.destroy()
    })`)
  assert.deepEqual(seen, {
    before: [true, true, 'opening', null],
    events: [['lookup', null, '10.244.1.20', 4, 'server'], ['connect'], ['ready']],
    names: ['10.244.1.20', 8080, 'IPv4', '10.244.0.10', 40_000, 'IPv4'],
    address: { address: '10.244.0.10', port: 40_000, family: 'IPv4' },
    state: 'open',
  })
})

test('what fails at once fails as in a pod: code, errno, syscall, address', async () => {
  const seen = await client(`
    import net from 'node:net'
    const fail = (options) => new Promise((resolve) => net.connect(options).on('error', ({ message, code, syscall, errno, address, port, hostname }) =>
      resolve({ message, code, syscall, negative: errno < 0, address, port, hostname })))
    console.log(JSON.stringify([
      await fail({ host: '10.244.1.20', port: 81 }),
      await fail({ host: 'nowhere.test', port: 80 }),
      await fail({ host: '127.0.0.1', port: 8080 }),
      await fail({ host: '2001:db8::1', port: 80 }),
    ]))`)
  assert.deepEqual(seen, [
    {
      message: 'connect ECONNREFUSED 10.244.1.20:81',
      code: 'ECONNREFUSED',
      syscall: 'connect',
      negative: true,
      address: '10.244.1.20',
      port: 81,
    },
    {
      message: 'getaddrinfo ENOTFOUND nowhere.test',
      code: 'ENOTFOUND',
      syscall: 'getaddrinfo',
      negative: true,
      hostname: 'nowhere.test',
    },
    // The server listens on 8080, but in its own pod.
    {
      message: 'connect ECONNREFUSED 127.0.0.1:8080',
      code: 'ECONNREFUSED',
      syscall: 'connect',
      negative: true,
      address: '127.0.0.1',
      port: 8080,
    },
    {
      message: 'connect ENETUNREACH 2001:db8::1:80',
      code: 'ENETUNREACH',
      syscall: 'connect',
      negative: true,
      address: '2001:db8::1',
      port: 80,
    },
  ])
})

test('bad arguments throw as in Node, and nothing is asked', async () => {
  const seen = await client(`
    import net from 'node:net'
    const codes = []
    for (const port of [65536, -1, 'x1', NaN, null]) try { new net.Socket().connect({ port, host: 'server' }); codes.push('none') } catch (e) { codes.push(e.code) }
    try { net.connect({}) } catch (e) { codes.push(e.code) }
    console.log(JSON.stringify(codes))`)
  assert.deepEqual(seen, [...Array(5).fill('ERR_SOCKET_BAD_PORT'), 'ERR_MISSING_ARGS'])
  assert.deepEqual(world.asked, [])
})

test('a dropped connect is never answered, and gives way to timeouts, signals and destroy', async () => {
  world.table.set('drop.test', { kind: 'drop' })
  const seen = await client(`
    import net from 'node:net'
    import { request, Agent } from 'undici'
    const results = []
    const socket = net.connect({ host: 'drop.test', port: 80, timeout: 30 })
    results.push(await new Promise((resolve) => socket.on('timeout', () => resolve(['timeout', socket.connecting])).on('connect', () => resolve('connect'))))
    results.push(await new Promise((resolve) => socket.on('close', (error) => resolve(['close', error])).destroy()))
    results.push(await fetch('http://drop.test/', { signal: AbortSignal.timeout(30) }).catch((e) => e.name))
    const dispatcher = new Agent({ connect: { timeout: 30 } })
    results.push(await request('http://drop.test/', { dispatcher }).catch((e) => e.code))
    const aborter = new AbortController()
    const aborted = net.connect({ host: 'drop.test', port: 80, signal: aborter.signal })
    setTimeout(() => aborter.abort(), 10)
    results.push(await new Promise((resolve) => aborted.on('error', (e) => resolve(e.name))))
    console.log(JSON.stringify(results))
    process.exit()`)
  assert.deepEqual(seen, [['timeout', true], ['close', false], 'TimeoutError', 'UND_ERR_CONNECT_TIMEOUT', 'AbortError'])
})

test('a waiting connect keeps the process alive, unless it is unref-ed', async () => {
  world.table.set('drop.test', { kind: 'drop' })
  const waiting = world.start(
    'shop/client',
    `(await import('node:net')).connect(80, 'drop.test'); console.log('waits')`,
  )
  await waiting.says('waits')
  const left = await world.run('shop/client', `(await import('node:net')).connect(80, 'drop.test').unref()`)
  assert.deepEqual(left, { code: 0, stdout: '', stderr: '' })
  // The second one has started and ended meanwhile; the first is still there.
  assert.equal(waiting.child.exitCode, null)
  waiting.child.kill('SIGKILL')
  await waiting.ended
})

test('who gives up while the answer is on its way leaves nothing open', async () => {
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  world.table.set('slow.test', async (request) => {
    await held
    return world.accept(() => assert.fail('carried'))(request)
  })
  const running = world.start(
    'shop/client',
    `import net from 'node:net'
     const socket = net.connect(80, 'slow.test')
     setTimeout(() => { socket.destroy(); console.log('gone') }, 20)
     net.connect(3306, 'server').on('data', () => {})`,
  )
  await running.says('gone')
  await world.run('shop/client', '') // a whole process later, the word has arrived
  release()
  await eventually('one is given up', () => world.abandoned.length === 1)
  running.child.kill('SIGKILL')
  await running.ended
})

test('a socket that was used once connects again', async () => {
  const seen = await client(`
    import net from 'node:net'
    const socket = new net.Socket()
    const log = []
    for (const host of ['server', 'nowhere.test', 'server']) {
      log.push(await new Promise((resolve) => {
        socket.removeAllListeners('data').once('error', (e) => resolve(e.code))
        socket.connect(3306, host).once('data', (d) => resolve(String(d)))
      }))
      await new Promise((r) => { socket.once('close', r); socket.destroyed ? setImmediate(r) : socket.destroy() })
    }
    console.log(JSON.stringify(log))`)
  assert.deepEqual(seen, ['greetings\n', 'ENOTFOUND', 'greetings\n'])
})

test('the answer arrives in the async context of the asker', async () => {
  const seen = await client(`
    import net from 'node:net'
    import dns from 'node:dns'
    import { AsyncLocalStorage } from 'node:async_hooks'
    const storage = new AsyncLocalStorage()
    const go = (name) => storage.run(name, () => new Promise((resolve) => {
      const socket = net.connect(3306, 'server', () => dns.lookup('server', () => { resolve(storage.getStore()); socket.destroy() }))
    }))
    console.log(JSON.stringify(await Promise.all([go('a'), go('b')])))`)
  assert.deepEqual(seen, ['a', 'b'])
})

test("another pod's sockets are not there; the host's other sockets are left alone", async () => {
  const outside = createServer((socket) => socket.end('host')).listen(
    join(world.runDir, '..', `bh-${process.pid}.sock`),
  )
  await once(outside, 'listening')
  const own = readdirSync(join(world.runDir, 'c')).find((name) => name.startsWith('l'))
  assert.ok(own, 'the server has a private socket')
  try {
    const seen = await client(`
      import net from 'node:net'
      import fs from 'node:fs'
      const link = process.env.TMPDIR ?? '/tmp'
      const go = (path) => new Promise((resolve) => net.connect(path).on('error', (e) => resolve([e.code, e.syscall])).on('data', (d) => resolve(String(d))))
      const run = ${JSON.stringify(world.runDir)}
      const alias = run + '-link'
      fs.symlinkSync(run, alias)
      console.log(JSON.stringify([
        await go(run + '/agent.sock'), await go(run + '/c/${own}'), await go(run + '/c/../c/${own}'), await go(alias + '/c/${own}'),
        await go(${JSON.stringify(String(outside.address()))}),
      ]))
      fs.unlinkSync(alias)`)
    const absent = ['ENOENT', 'connect']
    assert.deepEqual(seen, [absent, absent, absent, absent, 'host'])
  } finally {
    outside.close()
  }
})
