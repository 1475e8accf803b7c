import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { eventually } from '@bulkhead/testing'
import { Users } from '../auth/users.js'
import { Cursors } from '../cursors/cursors.js'
import type { LogEvent } from '../log.js'
import type { Instance } from '../server/instance.js'
import { Topology } from '../server/topology.js'
import { Sessions } from '../sessions/sessions.js'
import { openStore } from '../store/open.js'
import { messageOf, RawClient } from '../testing/raw.js'
import { Connection, type Handler } from './connection.js'

/** One connection, whose commands the test answers. */
async function scene(handler: Handler, auth = false) {
  const store = await openStore()
  const events: LogEvent[] = []
  const instance: Instance = {
    store,
    users: new Users(store),
    sessions: new Sessions(store),
    cursors: new Cursors(),
    topology: new Topology(),
    replicaSet: undefined,
    auth,
    log: (event) => events.push(event),
  }
  let connection: Connection | undefined
  const server = createServer((socket) => {
    connection = new Connection(socket, instance, handler)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  const client = await RawClient.to((server.address() as AddressInfo).port)
  await accepted
  if (connection === undefined) throw new Error('no connection')
  return {
    client,
    connection,
    events,
    async end() {
      await client.end()
      server.close()
      await store.close()
    },
  }
}

const ping = messageOf({ ping: 1, $db: 'test' })

test('messages are run one after the other, each answered before the next', async () => {
  let running = 0
  const { client, end } = await scene(async ({ body }) => {
    running++
    assert.equal(running, 1)
    await new Promise((resolve) => setImmediate(resolve))
    running--
    return { n: body.n, ok: 1 }
  })
  client.send(Buffer.concat([1, 2, 3].map((n) => messageOf({ ping: 1, n, $db: 'test' }))))
  for (const n of [1, 2, 3]) assert.equal((await client.answer())?.n.value, n)
  await end()
})

test('a message of whom nobody wants an answer has none', async () => {
  const seen: unknown[] = []
  const { client, end } = await scene(async ({ body }) => {
    seen.push(body.n)
    return { n: body.n, ok: 1 }
  })
  client.send(Buffer.concat([messageOf({ ping: 1, n: 1, $db: 'test' }, 2), messageOf({ ping: 1, n: 2, $db: 'test' })]))
  assert.equal((await client.answer())?.n.value, 2)
  assert.deepEqual(seen, [1, 2])
  await end()
})

test('a client that does not read has no further command run, until it reads', async () => {
  let ran = 0
  const text = 'x'.repeat(2 * 1024 * 1024)
  const { client, connection, end } = await scene(async () => {
    ran++
    return { text, ok: 1 }
  })
  client.socket.pause()
  client.send(Buffer.concat(Array.from({ length: 20 }, () => ping)))
  let before = -1
  await eventually('no more of them run', async () => {
    before = ran
    await new Promise((resolve) => setTimeout(resolve, 50))
    return before === ran && ran > 0
  })
  assert.ok(ran < 20, `${ran} commands ran`)
  assert.equal(connection.busy, true)
  client.socket.resume()
  for (let n = 0; n < 20; n++) assert.ok(await client.answer())
  await end()
})

test('a message that does not end is waited for only so long', async () => {
  const { client, connection, events, end } = await scene(async () => ({ ok: 1 }))
  client.send(ping.subarray(0, 10))
  await eventually('the bytes come', () => connection.waiting)
  connection.sweep(Date.now() + 30_000)
  client.send(ping.subarray(10))
  assert.ok(await client.answer())
  client.send(ping.subarray(0, 10))
  while (!connection.waiting) await new Promise((resolve) => setImmediate(resolve))
  connection.sweep(Date.now() + 61_000)
  assert.equal(await client.answer(), undefined)
  assert.match(events.at(-1)?.message ?? '', /not ended in time/)
  await end()
})

test('before a login a message may be as large as a hello, after it as large as documents are', async () => {
  const { client, connection, end } = await scene(async () => ({ ok: 1 }), true)
  const large = messageOf({ ping: 1, text: 'x'.repeat(70_000), $db: 'test' })
  connection.loggedIn('test.somebody')
  client.send(large)
  assert.ok(await client.answer())
  connection.loggedOut()
  client.send(ping)
  assert.ok(await client.answer())
  client.send(large)
  assert.equal(await client.answer(), undefined)
  await end()
})

test('a connection that is closed answers the command that runs', async () => {
  let finish = () => {}
  const begun = new Promise<void>((resolve) => {
    finish = resolve
  })
  let go = () => {}
  const { client, connection, end } = await scene(async () => {
    finish()
    await new Promise<void>((resolve) => {
      go = resolve
    })
    return { ok: 1 }
  })
  client.send(Buffer.concat([ping, ping]))
  await begun
  connection.close()
  go()
  assert.equal((await client.answer())?.ok.value, 1)
  assert.equal(await client.answer(), undefined)
  await end()
})

test('what waits for a client is over when that is gone, and when the connection is to end', async () => {
  for (const how of ['the client goes', 'the server closes'] as const) {
    let begin = () => {}
    const begun = new Promise<void>((resolve) => {
      begin = resolve
    })
    let over = () => {}
    const waited = new Promise<void>((resolve) => {
      over = resolve
    })
    const { client, connection, end } = await scene(async (_message, { ended }) => {
      begin()
      await once(ended, 'abort')
      over()
      return { ok: 1 }
    })
    client.send(ping)
    await begun
    if (how === 'the client goes') client.socket.destroy()
    else connection.close()
    await waited
    await end()
  }
})
