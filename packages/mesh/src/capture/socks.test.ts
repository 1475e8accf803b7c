import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, before, beforeEach, test } from 'node:test'
import { promisify } from 'node:util'
import { cleanUp, eventually, wholeSuite } from '@bulkhead/testing'
import fc from 'fast-check'
import type { Dialer } from '../seams.js'
import { Grants, makePod } from './grants.js'
import { Socks } from './socks.js'
import { readCredentials, readGreeting, readRequest, writeReply } from './socks-wire.js'
import { makeWorld, type World } from './testing.js'

const suite = wholeSuite()
let world: World
before(async () => {
  world = await makeWorld(suite)
})
afterEach(() => world.reap())
beforeEach(() => {
  world.table.clear()
  world.asked.length = 0
  world.abandoned.length = 0
})

/** Where the door is, and one grant's key to it. */
function door(run?: string): {
  port: number
  user: string
  password: string
  revoke(): void
  env: Readonly<Record<string, string>>
} {
  const { env, revoke } = world.capture.grant('shop/client', { socks: true, ...(run === undefined ? {} : { run }) })
  const { port, username, password } = new URL(env.ALL_PROXY ?? '')
  return { port: Number(port), user: username, password, revoke, env }
}

const name = (host: string, port: number, command = 1) =>
  Buffer.concat([Buffer.from([5, command, 0, 3, host.length]), Buffer.from(host), Buffer.from([port >> 8, port & 255])])
const greeting = Buffer.from([5, 1, 2])
const login = (user: string, password: string) =>
  Buffer.concat([
    Buffer.from([1, user.length]),
    Buffer.from(user),
    Buffer.from([password.length]),
    Buffer.from(password),
  ])

/** Bytes as they come. */
function reader(socket: Socket) {
  let bytes = Buffer.alloc(0)
  socket.on('error', () => {})
  socket.on('data', (data) => {
    bytes = Buffer.concat([bytes, data])
  })
  return {
    async take(count: number): Promise<number[]> {
      await eventually(`${count} bytes, or the end`, () => bytes.length >= count || socket.destroyed)
      const taken = [...bytes.subarray(0, count)]
      bytes = bytes.subarray(count)
      return taken
    },
  }
}

async function ask(
  request: Buffer,
  key = door(),
): Promise<{ socket: Socket; reply: number[]; take(count: number): Promise<number[]> }> {
  const socket = connect({ port: key.port, host: '127.0.0.1', allowHalfOpen: true })
  const { take } = reader(socket)
  // All at once, as an impatient client does.
  socket.write(Buffer.concat([greeting, login(key.user, key.password), request]))
  assert.deepEqual(await take(4), [5, 2, 1, 0])
  return { socket, reply: await take(10), take }
}

test('a connect is judged like any other, and its success told before it is carried', async () => {
  let carried = false
  world.table.set(
    'there.test',
    world.accept(({ stream }) => {
      carried = true
      stream.pipe(stream)
    }),
  )
  const { socket, reply, take } = await ask(
    Buffer.concat([name('There.test', 8080), Buffer.from('early')]),
    door('exec-9'),
  )
  assert.deepEqual(reply, [5, 0, 0, 1, 10, 244, 0, 10, 40_000 >> 8, 40_000 & 255])
  assert.ok(carried)
  assert.equal(Buffer.from(await take(5)).toString(), 'early')
  socket.end(' and late')
  assert.equal(Buffer.from(await take(9)).toString(), ' and late')
  assert.deepEqual(world.asked, [{ pod: 'shop/client', run: 'exec-9', host: 'there.test', port: 8080 }])
})

test('what fails is told in the words of SOCKS', async () => {
  world.table.set('refused.test', { kind: 'error', code: 'ECONNREFUSED', message: '' })
  world.table.set('unreachable.test', { kind: 'error', code: 'EHOSTUNREACH', message: '' })
  const code = async (request: Buffer) => (await ask(request)).reply[1]
  const six = Buffer.from([5, 1, 0, 4, ...Array(15).fill(0), 9, 0, 80])
  assert.deepEqual(
    [
      await code(name('refused.test', 80)),
      await code(name('nowhere.test', 80)),
      await code(name('unreachable.test', 80)),
      await code(name('server', 0)),
      await code(six),
      await code(name('server', 80, 2)),
      await code(name('server', 80, 3)),
      await code(Buffer.from([5, 1, 0, 1, 10, 244, 1, 20, 0, 81])),
    ],
    [5, 4, 4, 5, 8, 7, 7, 5],
  )
})

test('who is dropped learns in the end that nobody answers', async (t) => {
  const grants = new Grants()
  const { grant, secret } = grants.add(makePod({ key: 'shop/a', name: 'a', ip: '10.0.0.1' }), undefined)
  const dialer: Dialer = {
    dial: async () => ({ kind: 'drop' }),
    resolve: async () => ({ code: 'ENOTFOUND' }),
    datagram: async () => false,
    unbound: () => undefined,
  }
  const socks = new Socks(grants, dialer, undefined, 50)
  const socket = connect(await socks.listen(), '127.0.0.1')
  cleanUp(t, () => socks.close())
  const { take } = reader(socket)
  socket.write(Buffer.concat([greeting, login(grant.id, secret), name('drop.test', 80)]))
  assert.deepEqual(await take(6), [5, 2, 1, 0, 5, 6])
})

test('a drop is not answered for a while; a client that goes leaves nothing', async () => {
  world.table.set('drop.test', { kind: 'drop' })
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  world.table.set('slow.test', async (request) => {
    await held
    return world.accept(() => assert.fail('carried'))(request)
  })
  const key = door()
  const start = async (host: string): Promise<{ socket: Socket; take(count: number): Promise<number[]> }> => {
    const socket = connect(key.port, '127.0.0.1')
    const { take } = reader(socket)
    socket.write(Buffer.concat([greeting, login(key.user, key.password), name(host, 80)]))
    assert.deepEqual(await take(4), [5, 2, 1, 0])
    await eventually(`${host} is asked for`, () => world.asked.some((asked) => asked.host === host))
    return { socket, take }
  }
  const dropped = await start('drop.test')
  const slow = await start('slow.test')
  slow.socket.destroy()
  // Another whole connect later, the end has been noticed and the drop is still unanswered.
  await ask(name('nowhere.test', 80))
  release()
  await eventually('one is given up', () => world.abandoned.length === 1)
  assert.ok(!dropped.socket.destroyed)
  dropped.socket.destroy()
  assert.deepEqual(await dropped.take(1), [])
})

test('a reset at once waits for the first byte of who speaks first, and not for long', async () => {
  world.table.set(
    'denied.test',
    world.accept(({ reset }) => reset()),
  )
  const { socket } = await ask(name('denied.test', 80))
  let closed = false
  socket.once('close', () => {
    closed = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(closed, false)
  socket.write('GET / HTTP/1.1\r\n')
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ECONNRESET')
  const silent = await ask(name('denied.test', 80))
  await eventually('the silent one is cut', () => silent.socket.destroyed)
  // Bytes that came with the request are as good. A reset that comes with data is an end to libuv.
  const early = await ask(Buffer.concat([name('denied.test', 80), Buffer.from('GET')]))
  await eventually('the early one is over', () => early.socket.destroyed || early.socket.readableEnded)
})

test('a reset is a real one', async () => {
  world.table.set(
    'reset.test',
    world.accept(({ stream, reset }) => stream.once('data', () => reset())),
  )
  const { socket, reply } = await ask(name('reset.test', 80))
  assert.equal(reply[1], 0)
  const error = once(socket, 'close').then(() => 'closed')
  const seen = new Promise<string>((resolve) => socket.on('error', (e: NodeJS.ErrnoException) => resolve(e.code ?? '')))
  socket.write('x')
  assert.equal(await Promise.race([seen, error]), 'ECONNRESET')
})

test('a reset closes the connection, even with its end on its way or with a client that does not read', async () => {
  for (const say of ['end', 'write'] as const) {
    const closed = new Promise<void>((resolve) => {
      world.table.set(
        'stalled.test',
        world.accept(({ stream, reset }) => {
          stream.once('close', resolve)
          stream.once('data', () => {
            stream[say](say === 'end' ? 'bye' : Buffer.alloc(16 * 1024 * 1024))
            setImmediate(reset)
            process.nextTick(reset)
          })
        }),
      )
    })
    const { socket } = await ask(name('stalled.test', 80))
    socket.on('error', () => {}).pause()
    socket.write('x')
    const late = AbortSignal.timeout(5_000)
    await Promise.race([closed, once(late, 'abort').then(() => assert.fail(`still open after ${say}`))])
    socket.destroy()
  }
})

test('no key, a wrong one, or one that was taken back, opens nothing', async () => {
  const key = door()
  const other = door()
  const attempt = async (...parts: Buffer[]): Promise<number[]> => {
    const socket = connect(key.port, '127.0.0.1')
    const { take } = reader(socket)
    socket.write(Buffer.concat(parts))
    await once(socket, 'close')
    return take(100)
  }
  assert.deepEqual(await attempt(Buffer.from([5, 1, 0])), [5, 255])
  assert.deepEqual(await attempt(greeting, login(key.user, 'wrong'), name('server', 80)), [5, 2, 1, 1])
  assert.deepEqual(await attempt(greeting, login(other.user, key.password), name('server', 80)), [5, 2, 1, 1])
  assert.deepEqual(await attempt(Buffer.from('GET / HTTP/1.1\r\n\r\n')), [])
  assert.deepEqual(world.asked, [])
  world.table.set(
    'there.test',
    world.accept(({ stream }) => void stream.write('x')),
  )
  const { socket } = await ask(name('there.test', 80), key)
  key.revoke()
  await once(socket, 'end')
  socket.destroy()
  assert.deepEqual(await attempt(greeting, login(key.user, key.password), name('there.test', 80)), [5, 2, 1, 1])
})

test('1,000 clients of any bytes, whole or cut, end or wait, and the door stands', async (t) => {
  const seed = Date.now() % 2 ** 31
  t.diagnostic(`seed ${seed}`)
  const key = door()
  world.table.set('drop.test', { kind: 'drop' })
  const part = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.constant(greeting),
    fc.constant(login(key.user, key.password)),
    fc.constantFrom(
      name('nowhere.test', 80),
      name('drop.test', 80),
      name('x'.repeat(255), 1),
      Buffer.from([5, 1, 0, 3, 0]),
    ),
    fc.uint8Array({ maxLength: 600 }),
  )
  const cases = fc.sample(fc.tuple(fc.array(part, { maxLength: 6 }), fc.nat(50)), { numRuns: 1_000, seed })
  const one = ([parts, cut]: [Uint8Array[], number]) =>
    new Promise<void>((resolve) => {
      const socket = connect({ port: key.port, host: '127.0.0.1' })
      socket.on('error', () => {}).on('close', () => resolve())
      socket.resume()
      const bytes = Buffer.concat(parts)
      socket.write(bytes.subarray(0, cut))
      setImmediate(() => socket.end(bytes.subarray(cut)))
    })
  for (let i = 0; i < cases.length; i += 50) await Promise.all(cases.slice(i, i + 50).map(one))
  world.table.set(
    'there.test',
    world.accept(({ stream }) => void stream.end('x')),
  )
  assert.equal((await ask(name('there.test', 80), key)).reply[1], 0)
})

test('the parsers say "more" to every beginning, and read back what was written', () => {
  const messages = [
    [readGreeting, Buffer.from([5, 3, 0, 1, 2])],
    [readCredentials, login('user', 'password')],
    [readRequest, name('server', 8080)],
    [readRequest, Buffer.from([5, 1, 0, 1, 10, 0, 0, 1, 0, 80])],
    [readRequest, Buffer.from([5, 1, 0, 4, ...Array(16).fill(1), 0, 80])],
  ] as const
  for (const [read, bytes] of messages) {
    for (let i = 0; i < bytes.length; i++) assert.equal(read(bytes.subarray(0, i)).kind, 'more', `${read.name} ${i}`)
    const whole = read(Buffer.concat([bytes, Buffer.from('rest')]))
    assert.equal(whole.kind === 'ok' ? whole.length : whole.kind, bytes.length)
  }
  assert.deepEqual(readRequest(name('server', 8080)), {
    kind: 'ok',
    length: 13,
    value: { command: 1, host: 'server', port: 8080 },
  })
  assert.deepEqual(readGreeting(Buffer.from([5, 0])), { kind: 'bad' })
  assert.deepEqual(readGreeting(Buffer.from([4])), { kind: 'bad' })
  assert.deepEqual([...writeReply(5)], [5, 5, 0, 1, 0, 0, 0, 0, 0, 0])
})

const run = promisify(execFile)
const curl = await run('curl', ['--version']).then(
  () => true,
  () => false,
)

// Without curl there is nothing to try.
if (curl)
  test("this machine's curl reaches a pod by its name, and sees a reset as on a cluster", async () => {
    const server = world.start(
      'shop/server',
      `(await import('node:http')).createServer((req, res) => res.end('hello ' + req.socket.remoteAddress)).listen(8080, () => console.log('up'))`,
    )
    await server.says('up')
    world.table.set(
      'reset.test',
      world.accept(({ stream, reset }) => stream.once('data', () => reset())),
    )
    world.table.set(
      'end.test',
      world.accept(({ stream }) => stream.once('data', () => stream.destroy())),
    )
    world.table.set('drop.test', { kind: 'drop' })
    const { env } = door()
    // A proxy of the user's own must not win.
    const own = { ...process.env, http_proxy: 'http://127.0.0.1:1', no_proxy: '*', NO_PROXY: '*' }
    const go = (...args: string[]) =>
      run('curl', ['-s', ...args], { env: { ...own, ...env } }).then(
        ({ stdout }) => stdout,
        ({ code }) => code as number,
      )
    assert.equal(await go('http://server:8080/'), 'hello 10.244.0.10')
    assert.equal(await go('http://10.244.1.20:8080/'), 'hello 10.244.0.10')
    assert.equal(await go('http://reset.test/'), 56)
    world.table.set(
      'denied.test',
      world.accept(({ reset }) => reset()),
    )
    for (let i = 0; i < 10; i++) assert.equal(await go('http://denied.test/'), 56)
    assert.equal(await go('http://end.test/'), 52)
    assert.equal(await go('-m', '0.3', 'http://drop.test/'), 28)
    assert.equal(await go('http://server:81/'), 97)
  })

test("a captured Node program does not go through the door, and its children that are not Node's do", async () => {
  const server = world.start(
    'shop/server',
    `(await import('node:http')).createServer((req, res) => res.end('hello')).listen(8080, () => console.log('up'))`,
  )
  await server.says('up')
  const { stdout, stderr } = await world.run(
    'shop/client',
    `import { EnvHttpProxyAgent, request } from 'undici'
     import { execFileSync, spawn } from 'node:child_process'
     const { body } = await request('http://server:8080/', { dispatcher: new EnvHttpProxyAgent() })
     const child = spawn('/bin/sh', ['-c', 'echo $ALL_PROXY'])
     let shell = ''
     for await (const chunk of child.stdout) shell += chunk
     const names = Object.keys(process.env).filter((name) => /proxy/i.test(name) && process.env[name] !== '')
     console.log(JSON.stringify([await body.text(), names, /^socks5h:/.test(shell), /^socks5h:/.test(execFileSync('/bin/sh', ['-c', 'echo $http_proxy']))]))
     process.exit()`,
    { socks: true },
  )
  assert.equal(stderr.replace(/.*EnvHttpProxyAgent is experimental.*\n.*trace-warnings.*\n/, ''), '')
  assert.deepEqual(JSON.parse(stdout), ['hello', [], true, true])
})
