import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { eventually } from '@bulkhead/testing'
import { nowhere } from './outside/nowhere.js'
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
    // A datagram shows no certificate.
    assert.equal(allowed.source.identity, undefined)
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
    // From the Service's address, as it was asked: a connected socket hears no other.
    assert.deepEqual(got, ['10.96.0.10:5353 pong'])
    const records = mesh.flows()
    assert.equal(records.length, 1)
    assert.deepEqual([records[0]?.bytesSent, records[0]?.bytesReceived, records[0]?.outcome], [4, 4, 'allow'])
  })

  it('have their record when nobody is left who could be answered, with the answer; a late one is no exchange of its own', async (t) => {
    const { mesh, capture } = await startRig(t, { snapshot: shop({ drop: ['shop/web-api > shop/sleep:4000'] }) })
    capture.bind('shop/web-api', 5353, () => undefined)
    const send = (pod: string, host: string, port: number, from: number, text: string, run?: string) =>
      capture.dialer.datagram(pod, run, { host, port }, from, Buffer.from(text))
    const answer = (text: string) => send('shop/web-api', '10.244.1.4', 4000, 5353, text)
    const received = (run: string) => mesh.flows({ run }).map(({ outcome, bytesReceived }) => [outcome, bytesReceived])
    await send('shop/sleep', 'web-api', 5353, 4000, 'ping', 'first')
    await send('shop/sleep', 'web-api', 5353, 4001, 'ping', 'other')
    await answer('pong')
    assert.deepEqual(received('first'), [])
    capture.dialer.unbound('shop/sleep', 4000)
    assert.deepEqual(received('first'), [['allow', 4]])
    assert.deepEqual(received('other'), [], 'another port is another exchange')
    await answer('late')
    assert.equal(mesh.flows().length, 1)
    // Another socket has the port.
    await send('shop/sleep', 'web-api', 5353, 4000, 'ping', 'again')
    await answer('longer pong')
    capture.dialer.unbound('shop/sleep', 4000)
    assert.deepEqual(received('again'), [['allow', 11]])
    assert.deepEqual(received('first'), [['allow', 4]])
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

describe('kube-dns, asked by a program that makes its own questions', () => {
  const question = (name: string, type = 1) =>
    Buffer.concat([
      Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
      ...name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
      Buffer.from([0, 0, type, 0, 1]),
    ])
  const github = 'api.github.com'
  const outside = {
    ...nowhere,
    resolve: async (name: string) => (name === github ? ['198.51.100.10'] : undefined),
  }

  it('answers, refuses, drops and knows nothing, as the walls say, in one record each', async (t) => {
    const egress = { 'shop/sleep': { dns: [github, 'nobody.example'] }, 'shop/notsleep': { drop: ['*:53'] } }
    const { mesh, capture } = await startRig(t, { snapshot: shop({ egress }), outside })
    const cases = [
      ['shop/sleep', github, '10.244.0.2', [0, 1], 'ok'],
      ['shop/sleep', 'drop.attacker.example', '10.244.0.2', [5, 0], 'dns-refused'],
      ['shop/sleep', 'nobody.example', 'kube-dns.kube-system', [3, 0], 'ok'],
      ['shop/notsleep', github, '10.244.0.2', undefined, 'dns-timeout'],
    ] as const
    for (const [index, [pod, name, host, said]] of cases.entries()) {
      const port = 4000 + index
      const answers: Buffer[] = []
      capture.bind(pod, port, (_from, data) => answers.push(Buffer.from(data)))
      const sent = await capture.dialer.datagram(pod, name + index, { host, port: 53 }, port, question(name))
      assert.equal(sent, said !== undefined)
      if (said === undefined) continue
      const answer = await eventually(`an answer about ${name}`, () => answers[0])
      assert.deepEqual([answer.readUInt16BE(2) & 15, answer.readUInt16BE(6)], said)
    }
    await mesh.close()
    for (const [index, [, name, , , symptom]] of cases.entries()) {
      const { symptom: seen, transport, destination, steps } = await recordOf(mesh, name + index)
      assert.deepEqual([seen, transport, destination.workload], [symptom, 'dns', 'kube-system/coredns'])
      assert.equal(steps[0]?.facts?.query, name)
    }
  })

  it('has a name learned that it answered where a DNS rule reads, and that no other way', async (t) => {
    const egress = { 'shop/sleep': { dns: [github] } }
    const { mesh, capture } = await startRig(t, { snapshot: shop({ egress }), outside })
    const ask = async (pod: string) => {
      let answered = 0
      capture.bind(pod, 4000, () => (answered += 1))
      await capture.dialer.datagram(pod, undefined, { host: '10.244.0.2', port: 53 }, 4000, question(github))
      await eventually('an answer', () => answered > 0)
    }
    await ask('shop/notsleep')
    assert.equal(mesh.held['learned names'], 0)
    await ask('shop/sleep')
    assert.equal(mesh.held['learned names'], 1)
  })

  it('answers what is no question with what is wrong, or not at all', async (t) => {
    const { capture } = await startRig(t, { outside })
    const answers: Buffer[] = []
    capture.bind('shop/sleep', 4000, (_from, data) => answers.push(Buffer.from(data)))
    const send = (data: Buffer) =>
      capture.dialer.datagram('shop/sleep', undefined, { host: '10.244.0.2', port: 53 }, 4000, data)
    await send(Buffer.from('not DNS'))
    await send(question(github).subarray(0, 20))
    await send(question('web-api.shop.svc.cluster.local', 28))
    await eventually('two answers', () => answers[1])
    assert.deepEqual(
      answers.map((answer) => [answer.readUInt16BE(2) & 15, answer.readUInt16BE(6)]),
      [
        [1, 0],
        [0, 0],
      ],
    )
  })
})
