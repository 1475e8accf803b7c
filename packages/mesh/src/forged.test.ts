import 'reflect-metadata'
import assert from 'node:assert/strict'
import { connect as connectHttp2 } from 'node:http2'
import { connect as connectSocket } from 'node:net'
import { describe, it } from 'node:test'
import { cleanUp, eventually } from '@bulkhead/testing'
import { X509CertificateGenerator } from '@peculiar/x509'
import { createCa } from './ca.js'
import type { Mesh } from './mesh.js'
import { identityOf, shop, WAYPOINT } from './testing/fake-snapshot.js'
import { lyingKey, type Shown, show, strangersCertificate } from './testing/forge.js'
import { type Rig, readAll, recordOf, startRig } from './testing/harness.js'

const sleep = identityOf('shop/sleep')
const webApi = '10.244.1.2'

async function selfSigned(): Promise<Shown> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const made = await X509CertificateGenerator.createSelfSigned({ name: 'CN=me', keys, signingAlgorithm: algorithm })
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey))
  return {
    cert: made.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`,
  }
}

const forgeries: readonly {
  readonly what: string
  readonly make: (mesh: Mesh) => Promise<Shown>
  readonly code: string
  readonly says: RegExp
}[] = [
  { what: 'no certificate', make: async () => ({}), code: 'hbone.no-certificate', says: /showed no certificate/ },
  { what: 'a self-signed one', make: selfSigned, code: 'hbone.untrusted-certificate', says: /self-signed/ },
  {
    what: "another CA's, with the right name in it",
    make: () => strangersCertificate(sleep),
    code: 'hbone.untrusted-certificate',
    says: /not of this mesh's CA/,
  },
  {
    what: 'one of another trust domain',
    make: () => strangersCertificate('spiffe://elsewhere.example/ns/shop/sa/sleep'),
    code: 'hbone.untrusted-certificate',
    says: /not of this mesh's CA/,
  },
  {
    what: 'a real one that is over',
    make: async (mesh) => {
      const { certificate, key } = await mesh.loot('expired', sleep)
      return { cert: certificate, ...(key !== undefined && { key }) }
    },
    code: 'hbone.expired-certificate',
    says: /has expired/,
  },
  {
    what: 'a real one without its key',
    make: async (mesh) => {
      const { certificate, key } = await mesh.loot('stolen', sleep)
      assert.equal(key, undefined)
      return { cert: certificate, key: lyingKey(certificate) }
    },
    code: 'hbone.stolen-certificate',
    says: /key is not its certificate's/,
  },
]

const knock = async ({ capture }: Rig, shown: Shown, run: string, ip = webApi) =>
  show(await capture.connect('shop/outsider', ip, 15008, run), shown)

/** Whose HBONE port, at which address, and who guards it. */
const doors = [
  ['shop/web-api', webApi, 'ztunnel'],
  [WAYPOINT, '10.244.1.90', 'waypoint'],
] as const

describe('an HBONE port and what is shown to it', () => {
  for (const { what, make, code, says } of forgeries) {
    it(`refuses ${what}`, async (t) => {
      const rig = await startRig(t, { snapshot: shop({ waypoint: {} }) })
      for (const [key, ip, point] of doors) {
        await assert.rejects(knock(rig, await make(rig.mesh), key, ip))
        const record = await recordOf(rig.mesh, key)
        assert.equal(record.flag, 'TLS_FAILURE')
        assert.equal(record.symptom, 'tls-refused')
        assert.equal(record.outcome, 'deny')
        assert.deepEqual([record.steps.at(-1)?.point, record.steps.at(-1)?.code], [point, code])
        assert.match(record.error ?? '', says)
        assert.equal(record.source.pod, 'shop/outsider')
        assert.equal(record.destination.pod, key)
      }
    })
  }

  it('refuses a certificate of its own CA that names another trust domain', async (t) => {
    const rig = await startRig(t, {
      identityOf: (key) => (key === 'shop/sleep' ? 'spiffe://elsewhere.example/ns/shop/sa/sleep' : identityOf(key)),
    })
    await rig.capture.app('shop/web-api', 8080, (socket) => socket.end('served'))
    await assert.rejects(readAll(await rig.capture.connect('shop/sleep', 'web-api', 80, 'odd')), { code: 'ECONNRESET' })
    assert.equal((await recordOf(rig.mesh, 'odd')).flag, 'TLS_FAILURE')
    const control = await rig.capture.connect('shop/notsleep', 'web-api', 80)
    assert.equal(await readAll(control), 'served')
    control.end()
  })

  it('takes a real certificate with its key, and answers a CONNECT only for its own pod (golden vector 116)', async (t) => {
    // A CA whose certificates the test can have, key and all: the mesh's own, through a certificate that is its own.
    const rig = await startRig(t)
    await rig.capture.app('shop/web-api', 8080, (socket) => socket.end('served'))
    const good = await rig.mesh.issue(sleep)
    const secure = await knock(rig, { cert: good.certificate, key: good.key }, 'real')
    const session = connectHttp2('https://web-api', { createConnection: () => secure })
    cleanUp(t, () => session.destroy())
    const ask = (headers: Record<string, string>) =>
      new Promise<{ status: number; body: string }>((resolve, reject) => {
        const stream = session.request(headers, { endStream: false })
        let status = 0
        stream.once('response', (answer) => {
          status = answer[':status'] ?? 0
          stream.end()
          readAll(stream).then((body) => resolve({ status, body }), reject)
        })
        stream.once('error', reject)
        stream.once('close', () => reject(new Error('the stream was closed without an answer')))
      })
    const to = (authority: string) => ask({ ':method': 'CONNECT', ':authority': authority })

    assert.deepEqual(await to(`${webApi}:8080`), { status: 200, body: 'served' })
    assert.equal((await to('10.244.2.3:8080')).status, 400)
    assert.equal((await to(`${webApi}:15008`)).status, 400)
    assert.equal((await to('web-api:80')).status, 400)
    assert.equal((await to(`${webApi}:8081`)).status, 503)
    assert.equal((await ask({ ':method': 'GET', ':path': '/', ':scheme': 'https', ':authority': 'x' })).status, 405)
    assert.equal((await to(`${webApi}:8080`)).body, 'served')

    const records = await eventually('seven records', () => {
      const found = rig.mesh.flows({ run: 'real' })
      return found.length === 7 ? found : undefined
    })
    assert.deepEqual(records.map(({ flag }) => flag).sort(), [
      '-',
      '-',
      'CONNECT',
      'ILLEGAL',
      'ILLEGAL',
      'ILLEGAL',
      'ILLEGAL',
    ])
    const wrong = records.filter(({ steps }) => steps.at(-1)?.code === 'hbone.wrong-target')
    assert.deepEqual(
      wrong.map(({ error }) => /CONNECT "(.*)" came/.exec(error ?? '')?.[1]),
      ['10.244.2.3:8080', `${webApi}:15008`, 'web-api:80'],
    )
    assert.ok(records.every(({ source }) => source.identity === sleep))
  })

  it('resumes no session: the certificate is shown each time', async (t) => {
    const rig = await startRig(t)
    const good = await rig.mesh.issue(sleep)
    const first = await knock(rig, { cert: good.certificate, key: good.key }, 'first')
    const ticket = first.getSession()
    first.destroy()
    const socket = await rig.capture.connect('shop/outsider', webApi, 15008, 'second')
    await assert.rejects(show(socket, { ...(ticket && { session: ticket }) }))
    assert.equal((await recordOf(rig.mesh, 'second')).steps.at(-1)?.code, 'hbone.no-certificate')
  })

  it('hangs up on what did not come through the mesh', async (t) => {
    const rig = await startRig(t)
    const good = await (await createCa()).issue(sleep)
    const path = rig.mesh.hbonePath('shop/web-api')
    assert.ok(path)
    const socket = connectSocket(path)
    socket.write(Buffer.alloc(64, 'x'))
    assert.equal(await readAll(socket), '')
    const [record] = await eventually('a record', () => {
      const found = rig.mesh.flows()
      return found.length > 0 ? found : undefined
    })
    assert.equal(record?.flag, 'ILLEGAL')
    await assert.rejects(show(connectSocket(path), { cert: good.certificate, key: good.key }))
  })
})
