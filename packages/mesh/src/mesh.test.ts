import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Symptom } from '@bulkhead/verdict'
import { identityOf, shop } from './testing/fake-snapshot.js'
import { readAll, recordOf, startRig } from './testing/harness.js'

const sleep = identityOf('shop/sleep')
const notsleep = identityOf('shop/notsleep')

describe('mesh', () => {
  it('carries bytes both ways, and the app sees the source pod', async (t) => {
    const { mesh, capture } = await startRig(t)
    await capture.app('shop/web-api', 8080, (socket, from) => {
      socket.on('data', (chunk) => socket.end(`${from.ip} said ${chunk}`))
    })
    const socket = await capture.connect('shop/sleep', 'web-api', 80, 'run-1')
    socket.end('hello')
    assert.equal(await readAll(socket), '10.244.1.4 said hello')
    const record = await recordOf(mesh, 'run-1')
    assert.equal(record.outcome, 'allow')
    assert.equal(record.symptom, 'ok')
    assert.equal(record.flag, '-')
    assert.equal(record.transport, 'hbone')
    assert.equal(record.source.identity, sleep)
    assert.deepEqual(record.destination, {
      workload: 'shop/web-api',
      pod: 'shop/web-api',
      service: 'shop/web-api',
      host: 'web-api',
      ip: '10.244.1.2',
      port: 8080,
    })
    assert.deepEqual([record.bytesSent, record.bytesReceived], [5, 21])
    assert.deepEqual(
      record.steps.map(({ point, code }) => `${point} ${code}`),
      ['cni-egress network.no-policy', 'cni-ingress network.no-policy', 'ztunnel authz.no-allow-policy'],
    )
  })

  it('lets the identity in that the policy lists, and resets the other after its connect', async (t) => {
    const { mesh, capture } = await startRig(t, { snapshot: shop({ allow: { 'shop/web-api': [sleep] } }) })
    await capture.app('shop/web-api', 8080, (socket) => socket.end('served'))
    const allowed = await capture.connect('shop/sleep', 'web-api', 80, 'sleep')
    assert.equal(await readAll(allowed), 'served')
    allowed.end()
    const denied = await capture.connect('shop/notsleep', 'web-api', 80, 'notsleep')
    await assert.rejects(readAll(denied), { code: 'ECONNRESET' })
    const record = await recordOf(mesh, 'notsleep')
    assert.equal(record.outcome, 'deny')
    assert.equal(record.flag, 'DENY')
    assert.equal(record.symptom, 'reset' satisfies Symptom)
    assert.equal(record.error, 'connection closed due to policy rejection: allow policies exist, but none allowed')
    assert.equal(record.decidedBy, 2)
    assert.equal(record.bytesReceived, 0)
    assert.equal((await recordOf(mesh, 'sleep')).outcome, 'allow')
  })

  it('believes the certificate, not the table: two pods with swapped certificates swap their verdicts', async (t) => {
    const swapped: Record<string, string> = { 'shop/sleep': notsleep, 'shop/notsleep': sleep }
    const { mesh, capture } = await startRig(t, {
      snapshot: shop({ allow: { 'shop/web-api': [sleep] } }),
      identityOf: (key) => swapped[key] ?? identityOf(key),
    })
    await capture.app('shop/web-api', 8080, (socket) => socket.end('served'))
    const thief = await capture.connect('shop/notsleep', 'web-api', 80, 'notsleep')
    assert.equal(await readAll(thief), 'served')
    thief.end()
    await assert.rejects(readAll(await capture.connect('shop/sleep', 'web-api', 80, 'sleep')), { code: 'ECONNRESET' })
    assert.equal((await recordOf(mesh, 'notsleep')).source.identity, sleep)
    assert.equal((await recordOf(mesh, 'sleep')).source.identity, notsleep)
  })

  for (const [vector, whose, identity, error] of [
    [
      '',
      'another pod',
      identityOf('shop/recommendation'),
      /identity verification error: peer is .*recommendation, expected .*web-api$/,
    ],
    [
      ' (golden vector 117)',
      'another trust domain',
      'spiffe://elsewhere.example/ns/shop/sa/web-api',
      /elsewhere\.example/,
    ],
  ] as const) {
    it(`has the source check whom it reached: a destination with a certificate of ${whose} gets no byte${vector}`, async (t) => {
      const { mesh, capture } = await startRig(t, {
        identityOf: (key) => (key === 'shop/web-api' ? identity : identityOf(key)),
      })
      let reached = 0
      for (const name of ['web-api', 'recommendation'])
        await capture.app(`shop/${name}`, 8080, (socket) => {
          reached += 1
          socket.end('served')
        })
      const socket = await capture.connect('shop/sleep', 'web-api', 80, 'sleep')
      await assert.rejects(readAll(socket), { code: 'ECONNRESET' })
      assert.equal(reached, 0)
      const record = await recordOf(mesh, 'sleep')
      assert.deepEqual([record.outcome, record.symptom, record.flag], ['deny', 'reset', 'TLS_FAILURE'])
      assert.match(record.error ?? '', error)
      const control = await capture.connect('shop/sleep', 'recommendation', 80)
      assert.equal(await readAll(control), 'served')
      control.end()
    })
  }
})
