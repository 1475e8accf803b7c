import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { cleanUp, eventually, temporaryFolder } from '@bulkhead/testing'
import type { FlowRecord } from '@bulkhead/verdict'
import { createOutside } from '../outside/index.js'
import { clientHello } from '../testing/client-hello.js'
import { type EgressRules, shop } from '../testing/fake-snapshot.js'
import { type Rig, readAll, recordOf, startRig } from '../testing/harness.js'

const GITHUB = 'api.github.com'
const CLOUDFLARE = 'api.cloudflare.com'
const WAY_OUT: EgressRules = { dns: [GITHUB, CLOUDFLARE], fqdns: [GITHUB, CLOUDFLARE], sni: [GITHUB] }

interface OutsideRig extends Rig {
  /** Of the stand-in's certificates. */
  readonly root: string
}

async function rig(
  t: TestContext,
  egress: Record<string, EgressRules> = {},
  firstBytesMs = 5_000,
): Promise<OutsideRig> {
  const outside = await createOutside({ mode: 'stand-in', runDir: temporaryFolder(t) })
  cleanUp(t, () => outside.close())
  const made = await startRig(t, { snapshot: shop({ egress }), outside }, { firstBytesMs })
  return { ...made, root: outside.root }
}

/** A handshake as an honest client makes it: it verifies. */
async function secure({ root }: OutsideRig, raw: Socket, servername: string): Promise<TLSSocket> {
  const socket = connectTls({ socket: raw, servername, ca: root })
  await once(socket, 'secureConnect')
  return socket
}

async function get(made: OutsideRig, pod: string, host: string, path: string, run?: string) {
  const raw = await made.capture.connect(pod, host, 443, run)
  const socket = await secure(made, raw, host)
  const answer = await new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    const asked = httpsRequest({ createConnection: () => socket, host, path }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text) => (body += text))
      response.once('end', () => resolve({ status: response.statusCode, body }))
    })
    asked.once('error', reject).end()
  })
  socket.destroy()
  return answer
}

const codes = ({ steps }: FlowRecord) => steps.map(({ point, code }) => `${point} ${code}`)
const seen = (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error)

describe('the way out', () => {
  for (const pod of ['shop/sleep', 'shop/outsider']) {
    it(`${pod}: a listed name is read out of the ClientHello and let on, byte for byte`, async (t) => {
      const made = await rig(t, { [pod]: WAY_OUT })
      const answer = await get(made, pod, GITHUB, '/', 'run')
      assert.equal(answer.status, 200)
      assert.deepEqual(JSON.parse(answer.body), { 'stand-in': true, host: GITHUB, method: 'GET', received: 0 })
      const record = await recordOf(made.mesh, 'run')
      assert.deepEqual(
        [record.outcome, record.symptom, record.transport, record.sni],
        ['allow', 'ok', 'plaintext', GITHUB],
      )
      assert.equal(record.destination.host, GITHUB)
      assert.deepEqual(codes(record), [
        'cni-egress cni.rule-allows',
        'cni-ingress network.no-policy',
        'cni-egress cni.rule-allows',
      ])
      assert.equal(record.steps[0]?.facts?.query, GITHUB)
      assert.ok(record.bytesSent > 200 && record.bytesReceived > 200)
    })

    it(`${pod}: a name that is not listed, none at all, or no TLS is reset once it is read`, async (t) => {
      const made = await rig(t, { [pod]: WAY_OUT })
      const attempts: readonly (readonly [host: string, sends: Buffer, sni: string | undefined])[] = [
        [CLOUDFLARE, clientHello({ names: [CLOUDFLARE] }), CLOUDFLARE],
        [GITHUB, clientHello({ names: ['drop.attacker.example'] }), 'drop.attacker.example'],
        [GITHUB, clientHello({ names: [] }), undefined],
        [GITHUB, Buffer.from('GET / HTTP/1.1\r\n\r\n'), undefined],
      ]
      for (const [index, [host, sends, sni]] of attempts.entries()) {
        const run = `run-${index}`
        const socket = await made.capture.connect(pod, host, 443, run)
        socket.write(sends)
        await assert.rejects(readAll(socket), { code: 'ECONNRESET' })
        const record = await recordOf(made.mesh, run)
        assert.deepEqual([record.outcome, record.symptom, record.flag, record.sni], ['deny', 'reset', 'DENY', sni])
        assert.equal(record.steps[record.decidedBy ?? -1]?.code, 'cni.sni-denied')
        assert.deepEqual([record.bytesSent, record.bytesReceived], [0, 0])
      }
      // The control: it is the name, and nothing else.
      assert.equal((await get(made, pod, GITHUB, '/')).status, 200)
    })

    it(`${pod}: an address that no lookup gave it is not what a name rule means`, async (t) => {
      const made = await rig(t, { [pod]: WAY_OUT })
      const direct = async (run: string) => {
        const socket = await made.capture.connect(pod, '198.51.100.10', 443, run)
        return secure(made, socket, GITHUB)
      }
      await assert.rejects(direct('before'), (error) => ['ETIMEDOUT', 'ECONNRESET'].includes(String(seen(error))))
      assert.equal((await recordOf(made.mesh, 'before')).symptom, pod === 'shop/sleep' ? 'late-reset' : 'timeout')
      assert.deepEqual(await made.capture.dialer.resolve(pod, GITHUB), { addresses: ['198.51.100.10'] })
      ;(await direct('after')).destroy()
      assert.equal((await recordOf(made.mesh, 'after')).outcome, 'allow')
      // What one pod has learned is not another's.
      const other = pod === 'shop/sleep' ? 'shop/notsleep' : 'shop/plain'
      made.mesh.swap(shop({ egress: { [other]: WAY_OUT } }), 1)
      const theirs = made.capture
        .connect(other, '198.51.100.10', 443, 'theirs')
        .then((raw) => secure(made, raw, GITHUB))
      await assert.rejects(theirs)
      assert.equal((await recordOf(made.mesh, 'theirs')).flag, 'NETWORK_POLICY')
    })
  }

  it('a dropped packet: the mesh pod waits for its reset, the other one for ever', async (t) => {
    const egress = { drop: ['*:443'] }
    const made = await rig(t, { 'shop/sleep': egress, 'shop/outsider': egress })
    const socket = await made.capture.connect('shop/sleep', 'status.partner.example', 443, 'mesh')
    const began = performance.now()
    await assert.rejects(readAll(socket), { code: 'ECONNRESET' })
    assert.ok(performance.now() - began >= 350)
    await assert.rejects(made.capture.connect('shop/outsider', 'status.partner.example', 443, 'plain'), {
      code: 'ETIMEDOUT',
    })
    const [mesh, plain] = [await recordOf(made.mesh, 'mesh'), await recordOf(made.mesh, 'plain')]
    assert.deepEqual([mesh.symptom, mesh.flag, mesh.error], ['late-reset', 'NETWORK_POLICY', 'connection timed out'])
    assert.deepEqual([plain.symptom, plain.flag], ['timeout', 'NETWORK_POLICY'])
    // The control: another port.
    assert.match(await readAll(await ask(made, 'shop/sleep', 80)), /"stand-in":true/)
  })

  it('a name: refused at once, dropped after the wait, unknown for nobody has it', async (t) => {
    const dropped: EgressRules = { drop: ['*:53'] }
    const made = await rig(t, { 'shop/sleep': WAY_OUT, 'shop/notsleep': dropped })
    const { dialer } = made.capture
    const outcome = async (pod: string, name: string, run: string) => {
      const began = performance.now()
      const answer = await dialer.resolve(pod, name, run)
      const took = performance.now() - began >= 350 ? 'late' : 'at once'
      const { outcome, symptom, transport, protocol, steps, destination } = await recordOf(made.mesh, run)
      assert.deepEqual([transport, protocol, destination.host, destination.port], ['dns', 'UDP', name, 53])
      assert.ok(steps.filter(({ point }) => point === 'cni-egress' && steps.length > 0).length > 0)
      assert.equal(steps[0]?.facts?.query, name)
      return [answer, outcome, symptom, took]
    }
    assert.deepEqual(await outcome('shop/sleep', 'drop.attacker.example', 'a'), [
      { code: 'EREFUSED' },
      'deny',
      'dns-refused',
      'at once',
    ])
    assert.deepEqual(await outcome('shop/notsleep', GITHUB, 'b'), [
      { code: 'EAI_AGAIN' },
      'deny',
      'dns-timeout',
      'late',
    ])
    assert.deepEqual(await outcome('shop/web-api', 'www.example.com', 'c'), [
      { code: 'ENOTFOUND' },
      'deny',
      'dns-not-found',
      'at once',
    ])
    // Names of Services cross no wall, and an answer leaves no record.
    const before = made.mesh.flows().length
    assert.deepEqual(await dialer.resolve('shop/notsleep', 'web-api'), { addresses: ['10.96.0.10'] })
    assert.deepEqual(await dialer.resolve('shop/sleep', GITHUB), { addresses: ['198.51.100.10'] })
    assert.equal(made.mesh.flows().length, before)
  })

  it('a connect by such a name fails as the name does, in one record', async (t) => {
    const made = await rig(t, { 'shop/sleep': WAY_OUT, 'shop/notsleep': { drop: ['*:53'] } })
    const cases: readonly (readonly [pod: string, host: string, code: string, symptom: string])[] = [
      ['shop/sleep', 'drop.attacker.example', 'EAI_AGAIN', 'dns-refused'],
      ['shop/notsleep', GITHUB, 'EAI_AGAIN', 'dns-timeout'],
      ['shop/web-api', 'www.example.com', 'ENOTFOUND', 'dns-not-found'],
    ]
    for (const [pod, host, code, symptom] of cases) {
      await assert.rejects(made.capture.connect(pod, host, 443, host + pod), { code })
      const record = await recordOf(made.mesh, host + pod)
      assert.deepEqual([record.symptom, record.transport, record.destination.port], [symptom, 'dns', 443])
    }
    assert.equal(made.mesh.flows().length, cases.length)
  })

  it('a client that says nothing where a wall reads is not waited for without end', async (t) => {
    const made = await rig(t, { 'shop/sleep': WAY_OUT }, 50)
    const socket = await made.capture.connect('shop/sleep', GITHUB, 443, 'silent')
    await assert.rejects(readAll(socket), { code: 'ECONNRESET' })
    assert.equal((await recordOf(made.mesh, 'silent')).symptom, 'reset')
    const gone = await made.capture.connect('shop/sleep', GITHUB, 443, 'gone')
    gone.write('\x16\x03')
    gone.destroy()
    await recordOf(made.mesh, 'gone')
  })

  for (const pod of ['shop/sleep', 'shop/outsider']) {
    it(`${pod}: a wall that lists requests answers those that it does not list`, async (t) => {
      const made = await rig(t, { [pod]: { http: 80 } })
      assert.match(await readAll(await ask(made, pod, 80, 'run')), /^HTTP\/1.1 403 [\s\S]*\r\n\r\nAccess denied\r\n$/)
      const record = await recordOf(made.mesh, 'run')
      assert.deepEqual([record.outcome, record.symptom, record.transport], ['deny', 'cilium-403', 'plaintext'])
      assert.deepEqual(record.http, { method: 'GET', host: 'status.partner.example', path: '/', status: 403 })
      // The question for the name, the packet, the request.
      assert.deepEqual(codes(record).slice(-1), ['cni-egress cni.http-denied'])
      made.mesh.swap(shop(), 1)
      assert.match(await readAll(await ask(made, pod, 80)), /"stand-in":true/)
    })
  }

  it('a change of policy judges what is open by what was read of it, and closes what is now denied', async (t) => {
    const made = await rig(t, { 'shop/sleep': WAY_OUT })
    const open = await secure(made, await made.capture.connect('shop/sleep', GITHUB, 443, 'open'), GITHUB)
    open.on('error', () => {}).resume()
    made.mesh.swap(shop({ egress: { 'shop/sleep': { ...WAY_OUT, sni: [GITHUB, CLOUDFLARE] } } }), 1)
    assert.equal(open.destroyed, false)
    const closed = over(open)
    assert.equal(made.mesh.swap(shop({ egress: { 'shop/sleep': { ...WAY_OUT, sni: [CLOUDFLARE] } } }), 2), 1)
    await closed
    const record = await recordOf(made.mesh, 'open')
    assert.deepEqual(
      [record.flag, record.sni, record.steps[record.decidedBy ?? -1]?.code],
      ['POLICY_CHANGE', GITHUB, 'cni.sni-denied'],
    )
    // One that was never read is closed by a rule that has to know.
    made.mesh.swap(shop(), 3)
    const unread = await secure(made, await made.capture.connect('shop/sleep', GITHUB, 443, 'unread'), GITHUB)
    unread.on('error', () => {}).resume()
    assert.equal(made.mesh.swap(shop({ egress: { 'shop/sleep': WAY_OUT } }), 4), 1)
    await recordOf(made.mesh, 'unread')
  })

  it('what every cloud and cluster has is played at its address', async (t) => {
    const made = await rig(t)
    assert.match(await readAll(await ask(made, 'shop/sleep', 80, undefined, '169.254.169.254')), /stand-in: on a cloud/)
    const overTls = async (ip: string, port: number) => {
      const raw = await made.capture.connect('shop/sleep', ip, port)
      const socket = connectTls({ socket: raw, rejectUnauthorized: false })
      socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
      return readAll(socket)
    }
    assert.match(await overTls('172.18.0.2', 6443), /403 Forbidden[\s\S]*system:anonymous/)
    assert.match(await overTls('172.18.0.3', 10250), /401 Unauthorized/)
    const closed = await made.capture.connect('shop/sleep', '172.18.0.3', 22, 'closed')
    await assert.rejects(readAll(closed), { code: 'ECONNRESET' })
    assert.equal((await recordOf(made.mesh, 'closed')).symptom, 'reset')
    await assert.rejects(made.capture.connect('shop/outsider', '172.18.0.3', 22), { code: 'ECONNREFUSED' })
    await assert.rejects(made.capture.connect('shop/outsider', '169.254.169.254', 443), { code: 'ETIMEDOUT' })
    await assert.rejects(made.capture.connect('shop/outsider', '8.8.8.8', 443), { code: 'ETIMEDOUT' })
  })

  it('datagrams go out and are answered, unless a wall drops them', async (t) => {
    const made = await rig(t, { 'shop/notsleep': { drop: ['*:443'] } })
    const got: string[] = []
    for (const pod of ['shop/sleep', 'shop/notsleep'])
      made.capture.bind(pod, 4000, (from, data) => got.push(`${pod} ${from.ip}:${from.port} ${data}`))
    const send = (pod: string, run: string) =>
      made.capture.dialer.datagram(pod, run, { host: '198.51.100.10', port: 443 }, 4000, Buffer.from('QUIC'))
    assert.equal(await send('shop/sleep', 'out'), true)
    assert.equal(await send('shop/notsleep', 'dropped'), false)
    assert.deepEqual(got, ['shop/sleep 198.51.100.10:443 stand-in: 4 bytes'])
    await made.mesh.close()
    const [out, dropped] = [await recordOf(made.mesh, 'out'), await recordOf(made.mesh, 'dropped')]
    assert.deepEqual([out.outcome, out.bytesSent, out.bytesReceived], ['allow', 4, 17])
    assert.deepEqual([dropped.outcome, dropped.symptom], ['deny', 'timeout'])
  })

  it('a pod that is gone has nothing open outside, and nothing learned', async (t) => {
    const made = await rig(t, { 'shop/sleep': WAY_OUT })
    const open = await secure(made, await made.capture.connect('shop/sleep', GITHUB, 443, 'open'), GITHUB)
    open.on('error', () => {}).resume()
    assert.equal(made.mesh.held['learned names'], 1)
    const closed = over(open)
    await made.mesh.removePod('shop/sleep')
    await closed
    await eventually('nothing open', () => made.mesh.openConnections === 0)
    assert.equal(made.mesh.held['learned names'], 0)
  })
})

/** A reset reaches a TLS socket as an end, or as an error. */
const over = (socket: TLSSocket) => new Promise((resolve) => socket.once('end', resolve).once('close', resolve))

async function ask({ capture }: OutsideRig, pod: string, port: number, run?: string, host = 'status.partner.example') {
  const socket = await capture.connect(pod, host, port, run)
  socket.write('GET / HTTP/1.1\r\nhost: status.partner.example\r\nconnection: close\r\n\r\n')
  return socket
}
