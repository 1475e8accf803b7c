import assert from 'node:assert/strict'
import { afterEach, before, test } from 'node:test'
import { eventually, wholeSuite } from '@bulkhead/testing'
import { makeWorld, type World } from './testing.js'

const suite = wholeSuite()
let world: World
before(async () => {
  world = await makeWorld(suite)
})
afterEach(() => world.reap())

const CLIENT = { ip: '10.244.0.10', port: 5_000 }

test('a datagram goes to the mesh, arrives with its sender, and is answered', async () => {
  const server = world.start(
    'shop/server',
    `import dgram from 'node:dgram'
     const socket = dgram.createSocket('udp4', (data, from) => socket.send('re: ' + data, from.port, from.address))
     socket.bind(5353, () => console.log('up', JSON.stringify(socket.address())))`,
  )
  await server.says('up')
  assert.match(server.said(), /up {"address":"0.0.0.0","port":5353,"family":"IPv4"}/)
  const { stdout, stderr, code } = await world.run(
    'shop/client',
    `import dgram from 'node:dgram'
     const socket = dgram.createSocket('udp4')
     socket.on('message', (data, { address, port, family, size }) => { console.log(JSON.stringify([String(data), address, port, family, size, socket.address().port > 1024])); socket.close() })
     socket.send([Buffer.from('he'), 'llo'], 5353, 'server', (error, bytes) => console.log(JSON.stringify([error, bytes])))`,
  )
  assert.deepEqual([stderr, code], ['', 0])
  assert.deepEqual(stdout.trim().split('\n'), ['[null,5]', '["re: hello","10.244.1.20",5353,"IPv4",9,true]'])
  assert.deepEqual(world.datagrams.map(({ pod, to, data }) => [pod, to.host, to.port, data]).slice(0, 1), [
    ['shop/client', '10.244.1.20', 5353, 'hello'],
  ])
  // Its socket is closed, and the server's is not.
  const [{ from } = { from: 0 }] = world.datagrams
  assert.deepEqual(
    world.unbound.filter(({ port }) => [from, 5353].includes(port)),
    [{ pod: 'shop/client', port: from }],
  )
})

test('a connected socket hears its peer only', async () => {
  const running = world.start(
    'shop/client',
    `import dgram from 'node:dgram'
     const socket = dgram.createSocket('udp4').on('message', (data) => console.log(String(data)))
     socket.bind(7000, () => socket.connect(53, '10.244.1.20', () => {
       console.log(JSON.stringify(socket.remoteAddress()))
       socket.send('to the peer')
     }))`,
  )
  await eventually('the datagram arrives', () => world.datagrams.some(({ data }) => data === 'to the peer'))
  assert.ok(world.capture.deliver('shop/client', 7000, { ip: '10.244.7.7', port: 53 }, Buffer.from('stranger')))
  assert.ok(world.capture.deliver('shop/client', 7000, { ip: '10.244.1.20', port: 53 }, Buffer.from('peer')))
  await running.says('peer')
  assert.equal(running.said(), '{"address":"10.244.1.20","port":53,"family":"IPv4"}\npeer\n')
})

test("a UDP port is taken once in a pod; loopback is the pod's own; nothing bound is nothing delivered", async () => {
  const running = world.start(
    'shop/server',
    `import dgram from 'node:dgram'
     const bind = (...args) => new Promise((resolve) => { const s = dgram.createSocket('udp4'); s.on('error', ({ message, code, syscall }) => resolve([message, code, syscall])).bind(...args, () => resolve(s.address())) })
     console.log(JSON.stringify([await bind(6000), await bind(6000), await bind({ port: 6001, address: '127.0.0.1' }), await bind(6002, '192.0.2.1'), (await bind()).port >= 32768]))`,
  )
  await running.says(']\n')
  assert.deepEqual(JSON.parse(running.said()), [
    { address: '0.0.0.0', port: 6000, family: 'IPv4' },
    ['bind EADDRINUSE 0.0.0.0:6000', 'EADDRINUSE', 'bind'],
    { address: '127.0.0.1', port: 6001, family: 'IPv4' },
    ['bind EADDRNOTAVAIL 192.0.2.1:6002', 'EADDRNOTAVAIL', 'bind'],
    true,
  ])
  const one = Buffer.from('x')
  assert.equal(world.capture.deliver('shop/server', 6000, CLIENT, one), true)
  assert.equal(world.capture.deliver('shop/server', 6001, CLIENT, one), false)
  assert.equal(world.capture.deliver('shop/server', 6001, { ip: '127.0.0.1', port: 1 }, one), true)
  assert.equal(world.capture.deliver('shop/server', 6003, CLIENT, one), false)
  assert.equal(world.capture.deliver('shop/client', 6000, CLIENT, one), false)
  running.child.kill('SIGKILL')
  await running.ended
  await eventually('nobody takes datagrams any more', () => !world.capture.deliver('shop/server', 6000, CLIENT, one))
})

test("what fails, fails as in Node; options of the host's network are taken and do nothing", async () => {
  const { stdout, stderr, code } = await world.run(
    'shop/client',
    `import dgram from 'node:dgram'
     const log = []
     const socket = dgram.createSocket({ type: 'udp4', reuseAddr: true })
     await new Promise((r) => socket.bind(0, r))
     try { socket.bind(1) } catch (e) { log.push(e.code) }
     try { socket.send('x', 70000, 'server') } catch (e) { log.push(e.code) }
     log.push(await new Promise((r) => socket.send('x', 53, 'nowhere.test', (e) => r(e.code))))
     log.push(await new Promise((r) => socket.send(Buffer.alloc(65508), 53, 'server', (e) => r(e.code))))
     socket.setBroadcast(true); socket.setTTL(3); socket.addMembership('224.0.0.251'); socket.setRecvBufferSize(1000)
     await new Promise((r) => socket.close(r))
     try { socket.send('x', 53, 'server') } catch (e) { log.push(e.code) }
     dgram.createSocket('udp4').bind(7001).unref()
     console.log(JSON.stringify(log))`,
  )
  assert.deepEqual([stderr, code], ['', 0])
  assert.deepEqual(JSON.parse(stdout), [
    'ERR_SOCKET_ALREADY_BOUND',
    'ERR_SOCKET_BAD_PORT',
    'ENOTFOUND',
    'EMSGSIZE',
    'ERR_SOCKET_DGRAM_NOT_RUNNING',
  ])
})

test('the largest datagram passes whole', async () => {
  const server = world.start(
    'shop/server',
    `import dgram from 'node:dgram'
     dgram.createSocket('udp4', (data) => console.log('got', data.length, data.every((b) => b === 7))).bind(5353, () => console.log('up'))`,
  )
  await server.says('up')
  await world.run(
    'shop/client',
    `import dgram from 'node:dgram'
     const socket = dgram.createSocket('udp4')
     socket.send(Buffer.alloc(65507, 7), 5353, '10.244.1.20', () => socket.close())`,
  )
  await server.says('got 65507 true')
})
