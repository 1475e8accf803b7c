import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { shop } from './testing/fake-snapshot.js'
import { recordOf, startRig } from './testing/harness.js'

describe('datagrams and names', () => {
  it('go to the endpoint of a Service, and answers come back past policy', async (t) => {
    const rules = { drop: ['shop/web-api > shop/sleep:4000'] }
    const { mesh, capture } = await startRig(t, { snapshot: shop(rules) })
    const got: string[] = []
    capture.bind('shop/web-api', 5353, (from, data) => got.push(`${from.ip}:${from.port} ${data}`))
    capture.bind('shop/sleep', 4000, (from, data) => got.push(`answer ${from.port} ${data}`))
    const send = (pod: string, host: string, port: number, from: number, text: string, run?: string) =>
      capture.dialer.datagram(pod, run, { host, port }, from, Buffer.from(text))
    // What is not an answer is dropped.
    assert.equal(await send('shop/web-api', '10.244.1.4', 4000, 5353, 'unasked', 'unasked'), false)
    assert.equal(await send('shop/sleep', 'web-api', 5353, 4001, 'x', 'run'), true)
    assert.equal(await send('shop/sleep', 'web-api', 5353, 4000, 'ping', 'ping'), true)
    mesh.swap(shop(rules), 1)
    await mesh.close()
    assert.deepEqual(got, ['10.244.1.4:4001 x', '10.244.1.4:4000 ping'])
    const record = await recordOf(mesh, 'unasked')
    assert.deepEqual(
      [record.outcome, record.symptom, record.flag, record.protocol],
      ['deny', 'timeout', 'NETWORK_POLICY', 'UDP'],
    )
    const allowed = await recordOf(mesh, 'ping')
    assert.deepEqual([allowed.outcome, allowed.bytesSent, allowed.destination.service], ['allow', 4, 'shop/web-api'])
  })

  it('that answer are part of the exchange that asked', async (t) => {
    const { mesh, capture } = await startRig(t, { snapshot: shop({ drop: ['shop/web-api > shop/sleep:4000'] }) })
    const got: string[] = []
    capture.bind('shop/web-api', 5353, (from) => {
      void capture.dialer.datagram(
        'shop/web-api',
        undefined,
        { host: from.ip, port: from.port },
        5353,
        Buffer.from('pong'),
      )
    })
    capture.bind('shop/sleep', 4000, (from, data) => got.push(`${from.ip}:${from.port} ${data}`))
    await capture.dialer.datagram('shop/sleep', 'run', { host: 'web-api', port: 5353 }, 4000, Buffer.from('ping'))
    await mesh.close()
    assert.deepEqual(got, ['10.244.1.2:5353 pong'])
    const records = mesh.flows()
    assert.equal(records.length, 1)
    assert.deepEqual([records[0]?.bytesSent, records[0]?.bytesReceived, records[0]?.outcome], [4, 4, 'allow'])
  })

  it('to nobody are lost, and the record says why', async (t) => {
    const { mesh, capture } = await startRig(t)
    const lost: readonly [host: string, port: number, code: string, symptom: string][] = [
      ['nobody', 53, 'network.no-such-name', 'dns-not-found'],
      ['192.0.2.1', 53, 'network.unreachable', 'timeout'],
      ['web-api', 9, 'network.nothing-listens', 'refused'],
      ['10.244.1.2', 5353, 'network.nothing-listens', 'refused'],
    ]
    for (const [host, port] of lost) {
      const to = { host, port }
      assert.equal(await capture.dialer.datagram('shop/sleep', host, to, 4000, Buffer.from('x')), false)
    }
    await mesh.close()
    for (const [host, , code, symptom] of lost) {
      const record = await recordOf(mesh, host)
      assert.deepEqual([record.steps.at(-1)?.code, record.symptom], [code, symptom])
    }
  })

  it('resolves Services, headless ones to their ready pods, and itself', async (t) => {
    const { mesh, capture } = await startRig(t)
    const resolve = (name: string) => capture.dialer.resolve('shop/sleep', name)
    assert.deepEqual(await resolve('web-api'), { addresses: ['10.96.0.10'] })
    assert.deepEqual(await resolve('headless'), { addresses: ['10.244.1.2'] })
    assert.deepEqual(await resolve('sleep'), { addresses: ['10.244.1.4'] })
    assert.deepEqual(await resolve('localhost'), { addresses: ['127.0.0.1'] })
    assert.deepEqual(await resolve('192.0.2.1'), { addresses: ['192.0.2.1'] })
    mesh.setReady('shop/web-api', false)
    assert.deepEqual(await resolve('headless'), { code: 'ENOTFOUND' })
    assert.deepEqual(await resolve('api.example.com'), { code: 'ENOTFOUND' })
    assert.deepEqual(await capture.dialer.resolve('shop/gone', 'web-api'), { code: 'EREFUSED' })
    assert.deepEqual(
      mesh.flows().map(({ transport, flag, destination }) => [transport, flag, destination.host]),
      [
        ['dns', 'NO_NAME', 'headless'],
        ['dns', 'NO_NAME', 'api.example.com'],
      ],
    )
  })
})
