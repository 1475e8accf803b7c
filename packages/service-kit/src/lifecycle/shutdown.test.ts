import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { cleanUp } from '@bulkhead/testing'
import { Child } from '../testing/child.js'
import { ENOUGH, load, send, underLoad } from '../testing/load.js'

const SCRIPT = fileURLToPath(new URL('../testing/demo-service.js', import.meta.url))
const demo = (t: TestContext, env: Record<string, string> = {}): Child =>
  new Child(t, SCRIPT, { LOG_LEVEL: 'debug', ...env })

test('the order: unready, wait, stop accepting, drain, close in reverse, flush', async (t) => {
  const child = demo(t, { SHUTDOWN_DELAY: '400ms' })
  const port = await child.port()
  const agent = new Agent({ keepAlive: true })
  cleanUp(t, () => agent.destroy())
  assert.equal((await send(agent, port, '/readyz')).status, 200)
  const begun = send(agent, port, '/slow/700')
  await new Promise((resolve) => setTimeout(resolve, 50))
  child.process.kill('SIGTERM')
  await child.line(({ msg }) => msg === 'stopping', 'stopping')
  // Unready, and still serving, on new connections too: endpoints lag.
  const fresh = new Agent({ keepAlive: true })
  cleanUp(t, () => fresh.destroy())
  const ready = await send(fresh, port, '/readyz')
  assert.deepEqual([ready.status, ready.close], [503, true])
  assert.equal((await send(fresh, port, '/slow/1')).status, 200)
  const done = await begun
  assert.deepEqual([done.result, done.status, done.close], ['answered', 200, true])
  assert.equal(
    (await send(new Agent(), port, '/livez')).result,
    'ECONNREFUSED',
    'no longer accepting, while the slow one ran',
  )
  assert.equal(await child.exited, 0)
  const messages = child.lines.map(({ msg }) => msg)
  assert.deepEqual(messages.slice(-5), ['request', 'closed last', 'could not be closed', 'closed first', 'stopped'])
})

test('an idle connection is closed, a request that arrives on it first is answered', async (t) => {
  const child = demo(t, { SHUTDOWN_DELAY: '0s' })
  const port = await child.port()
  const idle = new Agent({ keepAlive: true, maxSockets: 1 })
  const never = connect(port, '127.0.0.1')
  never.on('error', () => {})
  cleanUp(t, () => {
    idle.destroy()
    never.destroy()
  })
  assert.equal((await send(idle, port, '/slow/1')).close, false)
  child.process.kill('SIGTERM')
  await child.line(({ msg }) => msg === 'stopping', 'stopping')
  const late = await send(idle, port, '/slow/1')
  assert.deepEqual([late.result, late.close], ['answered', true])
  assert.equal(await child.exited, 0)
})

test('pipelined requests are all answered, and only the last says close', async (t) => {
  const child = demo(t, { SHUTDOWN_DELAY: '0s' })
  const port = await child.port()
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', (data) => {
    text += data.toString()
  })
  const ended = new Promise((resolve) => socket.once('end', resolve))
  const request = (ms: number): string => `GET /slow/${ms} HTTP/1.1\r\nHost: x\r\n\r\n`
  socket.write(request(1000))
  await new Promise((resolve) => setTimeout(resolve, 100))
  child.process.kill('SIGTERM')
  await child.line(({ msg }) => msg === 'stopping', 'stopping')
  // In one write, and long before the first is answered: a connection is closed after the last that has arrived.
  socket.write(request(1) + request(1))
  await ended
  socket.destroy()
  assert.equal(text.match(/HTTP\/1\.1 200/g)?.length, 3)
  assert.equal(text.match(/Connection: close/g)?.length, 1)
  assert.equal(await child.exited, 0)
})

test('SIGTERM under load, with clients that follow readiness: no request is lost', async (t) => {
  const child = demo(t, { SHUTDOWN_DELAY: '400ms', LOG_LEVEL: 'info' })
  const port = await child.port()
  let unready = false
  const asked = underLoad(() => child.process.kill('SIGTERM'))
  const watching = (async () => {
    for (const agent = new Agent(); !unready; await new Promise((resolve) => setTimeout(resolve, 10)))
      unready = (await send(agent, port, '/readyz')).status === 503
  })()
  // As a load balancer does: nothing new once it is unready; what is open is used until we are asked to leave.
  const sent = await load(port, 16, '/slow/3', (last) => {
    asked()
    return !(unready && last.close)
  })
  await watching
  assert.equal(await child.exited, 0)
  assert.ok(sent.length >= ENOUGH, `${sent.length} requests`)
  assert.deepEqual(
    sent.filter(({ result }) => result !== 'answered'),
    [],
  )
  const logged = child.lines.filter(({ msg }) => msg === 'request').length
  assert.ok(logged >= sent.length, 'and the log holds them all')
})

test('SIGTERM under load, with no notice at all: every request that was taken in is answered', async (t) => {
  const child = demo(t, { SHUTDOWN_DELAY: '0s', LOG_LEVEL: 'info' })
  const port = await child.port()
  const asked = underLoad(() => child.process.kill('SIGTERM'))
  const sent = await load(port, 16, '/slow/5', () => {
    asked()
    return true
  })
  assert.equal(await child.exited, 0)
  const results = new Map(sent.map(({ id, result }) => [id, result]))
  const taken = child.lines.filter(({ msg }) => msg === 'request')
  assert.ok(taken.length > ENOUGH / 2, `${taken.length} requests`)
  assert.deepEqual(
    taken.filter(({ requestId, aborted }) => results.get(String(requestId)) !== 'answered' || aborted === true),
    [],
  )
  assert.ok(
    sent.some(({ result }) => result === 'ECONNREFUSED'),
    'the load outlived the service',
  )
})

test('what does not end in time is cut, and said', async (t) => {
  const child = demo(t, { SHUTDOWN_DELAY: '0s', SHUTDOWN_TIMEOUT: '300ms' })
  const port = await child.port()
  const hanging = send(new Agent(), port, '/hang')
  await new Promise((resolve) => setTimeout(resolve, 100))
  const from = performance.now()
  child.process.kill('SIGTERM')
  assert.equal(await child.exited, 0)
  assert.ok(performance.now() - from < 15_000)
  assert.equal((await hanging).result, 'ECONNRESET')
  assert.equal(child.lines.find(({ msg }) => msg.startsWith('requests cut off'))?.requests, 1)
})

test('a second signal leaves at once, with 1', async (t) => {
  const child = demo(t, { SHUTDOWN_DELAY: '30s', SHUTDOWN_TIMEOUT: '60s' })
  await child.port()
  child.process.kill('SIGTERM')
  await child.line(({ msg }) => msg === 'stopping', 'stopping')
  const from = performance.now()
  child.process.kill('SIGINT')
  assert.equal(await child.exited, 1)
  assert.ok(performance.now() - from < 15_000)
  assert.match(child.lines.at(-1)?.msg ?? '', /^second signal/)
})

test('an error that nobody caught: the stack in the log, an orderly end, and 1', async (t) => {
  const child = demo(t, { SHUTDOWN_DELAY: '0s' })
  const port = await child.port()
  assert.equal((await send(new Agent(), port, '/crash')).status, 200)
  assert.equal(await child.exited, 1)
  const fatal = child.lines.find(({ level }) => level === 60)
  assert.match(JSON.stringify(fatal), /nobody catches this.*demo-service/)
  assert.equal(child.lines.at(-1)?.msg, 'stopped')
})

test('a bad configuration: every complaint, on standard error, and 78', async (t) => {
  const child = demo(t, { LISTEN_ADDR: 'x', RETRIES: '-1', TOKEN: 'hunter2' })
  assert.equal(await child.exited, 78)
  assert.equal(
    child.stderr,
    'invalid env var LISTEN_ADDR="x" (it must be host:port, as in 0.0.0.0:8080 or [::]:8080)\ninvalid env var RETRIES="-1" (it must be at least 0)\n',
  )
  const good = demo(t, { TOKEN: 'hunter2' })
  await good.port()
  assert.doesNotMatch(JSON.stringify(good.lines), /hunter2/)
})

test('a port in use is one sentence, and 1', async (t) => {
  const first = demo(t)
  const port = await first.port()
  const second = demo(t, { LISTEN_ADDR: `127.0.0.1:${port}` })
  assert.equal(await second.exited, 1)
  assert.equal(
    second.stderr,
    `cannot listen on 127.0.0.1:${port}: another process listens there already; stop it, or choose another LISTEN_ADDR\n`,
  )
})
