import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { describe, it, type TestContext } from 'node:test'
import { eventually } from '@bulkhead/testing'
import type { FlowRecord } from '@bulkhead/verdict'
import { request } from 'undici'
import { FRONT, forward, identityOf, type Rules, shop } from '../testing/fake-snapshot.js'
import { recordOf, startRig } from '../testing/harness.js'
import { door, raw, say, serve } from '../testing/http.js'

const GATEWAY = identityOf(FRONT)
const TERMINATED = 'upstream connect error or disconnect/reset before headers. reset reason: connection termination'

async function start(t: TestContext, rules: Rules = {}) {
  const rig = await startRig(t, { snapshot: shop({ gateway: {}, ...rules }) })
  const { port } = await door(t, rig)
  const ask = async (path = '/', options: Parameters<typeof request>[1] = {}) => {
    const answer = await request(`http://127.0.0.1:${port}${path}`, options)
    return { status: answer.statusCode, headers: answer.headers, body: await answer.body.text() }
  }
  return { rig, port, ask }
}

/** The deciding step of a request's record, and how the record puts it. */
const summary = ({ outcome, symptom, flag, steps, decidedBy }: FlowRecord) => {
  const step = decidedBy === undefined ? undefined : steps[decidedBy]
  return [outcome, symptom, flag, step && `${step.hop} ${step.point} ${step.code}`].filter(Boolean).join(', ')
}

describe('behind the gateway', () => {
  it("ztunnel's denial is a 503, and its word is in the record; so it is with the one that it lets in", async (t) => {
    const { rig, ask } = await start(t, { allow: { 'shop/web-api': [identityOf('shop/sleep')] } })
    await serve(rig, 'shop/web-api', (_message, response) => response.end('served'))
    const { status, body } = await ask()
    assert.deepEqual([status, body], [503, TERMINATED])
    const record = await recordOf(rig.mesh, 'run')
    assert.equal(summary(record), 'deny, gateway-503, DENY, 1 ztunnel authz.no-rule-allows')
    assert.match(record.error ?? '', /allow policies exist, but none allowed/)
    // The connection's own record says who was refused.
    const [own] = rig.mesh.flows().filter(({ source }) => source.pod === FRONT)
    assert.deepEqual([own?.source.identity, own?.transport, own?.flag], [GATEWAY, 'hbone', 'DENY'])

    rig.mesh.swap(shop({ gateway: {}, allow: { 'shop/web-api': [GATEWAY] } }), 1)
    assert.deepEqual((await ask()).status, 200)
    const [, allowed] = await eventually('the second record', () => pair(rig.mesh.flows({ run: 'run' })))
    assert.equal(summary(allowed), 'allow, ok, -')
    assert.equal(allowed.steps.at(-1)?.code, 'authz.rule-allows')
  })

  it('a dropped packet is a 503 after the connect timeout, without a hint of what is there', async (t) => {
    const { rig, ask } = await start(t, { drop: [`${FRONT} > shop/web-api:15008`] })
    const began = performance.now()
    const { status, body } = await ask()
    assert.ok(performance.now() - began > 350)
    assert.equal(status, 503)
    assert.match(body, /reset reason: connection timeout$/)
    const record = await recordOf(rig.mesh, 'run')
    assert.equal(summary(record), 'deny, gateway-503, NETWORK_POLICY, 1 cni-ingress not-modelled')
    assert.match(record.error ?? '', /HBONE port 15008/)
  })

  it('what nothing listens on is a 503; a pod outside the mesh is reached in plaintext', async (t) => {
    const { rig, ask } = await start(t, { gateway: { route: (asked) => forward(asked, [asked.path.slice(1)]) } })
    await serve(rig, 'shop/plain', (message, response) => response.end(`plain ${message.headers['x-forwarded-for']}`))
    assert.equal((await ask('/web-api')).status, 503)
    assert.equal((await ask('/outsider')).status, 503)
    assert.deepEqual((await ask('/plain')).body, 'plain 172.18.0.1')
    const records = await eventually('three records', () => {
      const all = rig.mesh.flows({ run: 'run' })
      return all.length === 3 ? all : undefined
    })
    assert.deepEqual(records.map(summary), [
      'deny, gateway-503, CONNECT, 1 cni-ingress network.nothing-listens',
      'deny, gateway-503, CONNECT, 1 cni-ingress network.nothing-listens',
      'allow, ok, -',
    ])
  })

  it('an app that breaks off is a 503 before its headers, and a cut answer after them', async (t) => {
    const { rig, ask } = await start(t)
    await serve(rig, 'shop/web-api', (message, response) => {
      if (message.url === '/before') return void message.socket.destroy()
      response.writeHead(200, { 'content-length': 100 })
      response.write('half')
      setTimeout(() => message.socket.destroy(), 20)
    })
    const { status, body } = await ask('/before')
    assert.deepEqual([status, body], [503, TERMINATED])
    await assert.rejects(ask('/after'))
    const [before, after] = await eventually('two records', () => pair(rig.mesh.flows({ run: 'run' })))
    assert.equal(summary(before), 'allow, gateway-503, -')
    assert.deepEqual([after.symptom, after.http?.status, after.bytesReceived], ['reset', 200, 4])
  })

  it('timeouts of a route are a 504', async (t) => {
    const route: NonNullable<Rules['gateway']>['route'] = (asked) =>
      forward(asked, ['web-api'], asked.path === '/try' ? { backendTimeoutMs: 60 } : { requestTimeoutMs: 60 })
    const { rig, ask } = await start(t, { gateway: { route } })
    const held: ServerResponse[] = []
    await serve(rig, 'shop/web-api', (_message, response) => void held.push(response))
    for (const path of ['/try', '/all']) {
      const { status, body } = await ask(path)
      assert.deepEqual([path, status, body], [path, 504, 'upstream request timeout'])
    }
    const [record] = rig.mesh.flows({ run: 'run' })
    assert.ok(record)
    assert.equal(summary(record), 'allow, gateway-504, -')
    // Nobody waits behind any more.
    await eventually('the end', () => held.every(({ destroyed, socket }) => destroyed || socket === null))
  })

  it('connections are kept for further requests, each of which has the judgement of its connection', async (t) => {
    const { rig, ask } = await start(t, { allow: { 'shop/web-api': [GATEWAY] } })
    const sockets = new Set<unknown>()
    await serve(rig, 'shop/web-api', (message, response) => {
      sockets.add(message.socket)
      response.end('served')
    })
    for (let count = 0; count < 3; count += 1) assert.equal((await ask()).status, 200)
    assert.equal(sockets.size, 1)
    const records = await eventually('three records', () => {
      const all = rig.mesh.flows({ run: 'run' })
      return all.length === 3 ? all : undefined
    })
    for (const { steps } of records)
      assert.deepEqual(
        steps.filter(({ hop }) => hop === 1).map(({ point }) => point),
        ['cni-egress', 'cni-ingress', 'ztunnel'],
      )
  })

  it('a connection that the app has closed is not used again', async (t) => {
    const { rig, ask } = await start(t)
    let served = 0
    await serve(rig, 'shop/web-api', (message, response) => {
      served += 1
      response.end('served')
      setImmediate(() => message.socket.destroy())
    })
    for (let count = 1; count <= 5; count += 1) {
      assert.equal((await ask()).status, 200)
      await eventually('the connection behind to be gone', () => rig.mesh.openConnections <= 2)
    }
    assert.equal(served, 5)
  })

  it('and one that the app is about to close is not, however soon the next request comes', async (t) => {
    const { rig, port } = await start(t)
    await serve(rig, 'shop/web-api', (_message, response) => {
      response.writeHead(200, { connection: 'close' }).end('served')
    })
    const get = 'GET / HTTP/1.1\r\nhost: shop.test\r\n'
    const answer = await say(t, port, `${`${get}\r\n`.repeat(20)}${get}connection: close\r\n\r\n`)
    assert.deepEqual(
      [...answer.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status),
      Array.from({ length: 21 }, () => '200'),
    )
  })

  it('a body goes on as it comes, both ways, and arrives whole', async (t) => {
    const { rig, ask } = await start(t)
    await serve(rig, 'shop/web-api', (message, response) => {
      response.setHeader('x-length', message.headers['content-length'] ?? 'chunked')
      message.pipe(response)
    })
    const sent = Buffer.alloc(3 * 1024 * 1024, 'abcdefghij')
    const known = await ask('/', { method: 'POST', body: sent })
    assert.equal(known.headers['x-length'], String(sent.length))
    assert.equal(known.body, sent.toString())
    async function* chunks() {
      for (let index = 0; index < 50; index += 1) yield sent.subarray(0, 10_000)
    }
    const chunked = await ask('/', { method: 'PUT', body: Readable.from(chunks()) })
    assert.deepEqual([chunked.headers['x-length'], chunked.body.length], ['chunked', 500_000])
    const [first] = rig.mesh.flows({ run: 'run' })
    assert.deepEqual([first?.bytesSent, first?.bytesReceived], [sent.length, sent.length])
  })

  it('a client that takes nothing holds the app back', async (t) => {
    const { rig, port } = await start(t)
    let full: ServerResponse | undefined
    let written = 0
    await serve(rig, 'shop/web-api', (_message, response) => {
      const fill = () => {
        while (response.write(Buffer.alloc(65_536))) written += 65_536
        full = response
        response.once('drain', fill)
      }
      fill()
    })
    const socket = await raw(t, port)
    socket.pause()
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
    await eventually('the app to be held back', () => full)
    let before = -1
    await eventually('it to write no more', async () => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      const still = before === written
      before = written
      return still
    })
    assert.ok(written < 32 * 1024 * 1024, `${written} bytes`)
    socket.destroy()
    const record = await recordOf(rig.mesh, 'run')
    assert.equal(record.error, 'the client was gone before its answer')
  })
})

describe('policies that change under a gateway', () => {
  it('cut what ztunnel now denies, refuse what comes next, and let it in again', async (t) => {
    const open = { gateway: {}, allow: { 'shop/web-api': [GATEWAY] } }
    const { rig, ask } = await start(t, open)
    const held: ServerResponse[] = []
    await serve(rig, 'shop/web-api', (message, response) => {
      if (message.url === '/held') held.push(response)
      else response.end('served')
    })
    assert.equal((await ask()).status, 200)
    const flight = ask('/held')
    await eventually('a request in flight', () => held[0])
    assert.ok(rig.mesh.swap(shop({ gateway: {}, allow: { 'shop/web-api': [] } }), 1) > 0)
    const cut = await flight
    assert.deepEqual([cut.status, cut.body], [503, TERMINATED])
    assert.equal((await ask()).status, 503)
    rig.mesh.swap(shop(open), 2)
    assert.equal((await ask()).status, 200)
    const records = await eventually('four records', () => {
      const all = rig.mesh.flows({ run: 'run' })
      return all.length === 4 ? all : undefined
    })
    assert.deepEqual(
      records.map((record) => `${record.generation} ${summary(record)}`),
      [
        '0 allow, ok, -',
        '0 deny, gateway-503, POLICY_CHANGE, 1 ztunnel authz.no-rule-allows',
        '1 deny, gateway-503, DENY, 1 ztunnel authz.no-rule-allows',
        '2 allow, ok, -',
      ],
    )
  })

  it('judge each request by what is in force when it comes, on a connection that stays', async (t) => {
    const { rig, port } = await start(t)
    await serve(rig, 'shop/web-api', (_message, response) => response.end('served'))
    const socket = await raw(t, port)
    const statuses: string[] = []
    for (const [generation, policy] of (['allow', 'deny', 'allow'] as const).entries()) {
      rig.mesh.swap(shop({ gateway: { policy: () => policy } }), generation + 1)
      socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
      const [said] = await once(socket, 'data')
      statuses.push(String(said).slice(9, 12))
    }
    assert.deepEqual(statuses, ['200', '403', '200'])
  })

  it('close what the network no longer lets in, and leave what comes then without an answer', async (t) => {
    const { rig, port } = await start(t)
    await serve(rig, 'shop/web-api', (_message, response) => response.end('served'))
    const socket = await raw(t, port)
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
    await once(socket, 'data')
    const reset = new Promise<string>((resolve) =>
      socket.once('error', (error: { code?: string }) => resolve(error.code ?? '')),
    )
    rig.mesh.swap(shop({ gateway: {}, drop: [`172.18.0.1 > ${FRONT}:80`] }), 1)
    assert.equal(await reset, 'ECONNRESET')
    const silent: Socket = await raw(t, port)
    silent.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
    const dropped = await eventually('its record', () =>
      rig.mesh.flows({ run: 'run' }).find(({ flag }) => flag === 'NETWORK_POLICY'),
    )
    assert.equal(summary(dropped), 'deny, timeout, NETWORK_POLICY, 0 cni-ingress not-modelled')
    silent.destroy()
  })
})

const pair = (records: readonly FlowRecord[]): readonly [FlowRecord, FlowRecord] | undefined => {
  const [first, second] = records
  return first && second && [first, second]
}
