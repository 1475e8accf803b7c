import 'reflect-metadata'
import assert from 'node:assert/strict'
import { webcrypto } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { wholeSuite } from '@bulkhead/testing'
import * as x509 from '@peculiar/x509'
import { makeWorld, type World } from './testing.js'

const suite = wholeSuite()
let world: World
let env: Record<string, string>

/** A CA, and a certificate of the name `server` by it. */
async function certificates(): Promise<{ ca: string; cert: string; key: string }> {
  x509.cryptoProvider.set(webcrypto)
  const alg = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const generate = () => webcrypto.subtle.generateKey(alg, true, ['sign', 'verify'])
  const [caKeys, keys] = await Promise.all([generate(), generate()])
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Test CA',
    keys: caKeys,
    signingAlgorithm: alg,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  })
  const leaf = await x509.X509CertificateGenerator.create({
    subject: 'CN=server',
    issuer: ca.subject,
    publicKey: keys.publicKey,
    signingKey: caKeys.privateKey,
    signingAlgorithm: alg,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'server' }])],
  })
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8.match(/.{1,64}/g)?.join('\n')}\n-----END PRIVATE KEY-----\n`
  return { ca: ca.toString('pem'), cert: leaf.toString('pem'), key }
}

before(async () => {
  world = await makeWorld(suite)
  const pems = await certificates()
  env = { NODE_EXTRA_CA_CERTS: join(world.runDir, 'ca.pem'), DIR: world.runDir }
  for (const [name, pem] of Object.entries(pems)) writeFileSync(join(world.runDir, `${name}.pem`), pem)
  const server = world.start(
    'shop/server',
    `import fs from 'node:fs'
     import http2 from 'node:http2'
     import https from 'node:https'
     import tls from 'node:tls'
     const read = (name) => fs.readFileSync(process.env.DIR + '/' + name + '.pem')
     const pair = { key: read('key'), cert: read('cert') }
     const up = (server, port) => new Promise((r) => server.listen(port, r))
     await up(https.createServer(pair, (req, res) => res.end(JSON.stringify({ sni: req.socket.servername, from: req.socket.remoteAddress }))), 8443)
     await up(http2.createSecureServer(pair, (req, res) => res.end('h2 ' + req.socket.alpnProtocol)), 8444)
     await up(tls.createServer({ ...pair, ALPNProtocols: ['a', 'b'] }, (s) => s.pipe(s)), 8445)
     console.log('up')`,
    { env },
  )
  await server.says('up')
})

async function client(code: string): Promise<unknown> {
  const ended = await world.run('shop/client', code, { env })
  assert.equal(ended.stderr, '')
  assert.equal(ended.code, 0)
  return JSON.parse(ended.stdout)
}

const SEEN = { sni: 'server', from: '10.244.0.10' }

test('https.request, with and without an agent that keeps connections', async () => {
  const seen = await client(`
    import https from 'node:https'
    const get = (options) => new Promise((resolve, reject) => https.get('https://server:8443/', options, (res) => {
      let text = ''
      res.on('data', (d) => (text += d)).on('end', () => resolve(JSON.parse(text)))
    }).on('error', reject))
    const agent = new https.Agent({ keepAlive: true })
    console.log(JSON.stringify([await get({}), await get({ agent: false }), await get({ agent }), await get({ agent })]))
    agent.destroy()`)
  assert.deepEqual(seen, [SEEN, SEEN, SEEN, SEEN])
})

test("fetch and the undici package's client", async () => {
  const seen = await client(`
    import { request } from 'undici'
    const one = await (await fetch('https://server:8443/')).json()
    const two = await (await request('https://server:8443/')).body.json()
    console.log(JSON.stringify([one, two])); process.exit()`)
  assert.deepEqual(seen, [SEEN, SEEN])
})

test('http2 over TLS', async () => {
  const seen = await client(`
    import http2 from 'node:http2'
    const session = http2.connect('https://server:8444')
    const stream = session.request({ ':path': '/' }).setEncoding('utf8')
    let text = ''
    for await (const chunk of stream) text += chunk
    console.log(JSON.stringify([text, session.socket.remoteAddress, session.encrypted])); session.close()`)
  assert.deepEqual(seen, ['h2 h2', '10.244.1.20', true])
})

test('tls.connect in each of its forms: names, ALPN, addresses, and the order of events', async () => {
  const seen = await client(`
    import tls from 'node:tls'
    const forms = [
      (cb) => tls.connect({ host: 'server', port: 8445, servername: 'server', ALPNProtocols: ['b'] }, cb),
      (cb) => tls.connect(8445, 'server', { ALPNProtocols: ['b'] }, cb),
      (cb) => tls.connect(8445, { host: 'server', ALPNProtocols: ['b'] }, cb),
      (cb) => tls.connect({ host: '10.244.1.20', port: 8445, servername: 'server', ALPNProtocols: ['b'] }, cb),
    ]
    const results = []
    for (const form of forms) results.push(await new Promise((resolve, reject) => {
      const events = []
      const socket = form(() => { socket.write('hello') })
      for (const name of ['connect', 'secureConnect']) socket.on(name, () => events.push(name))
      socket.on('error', reject).on('data', (d) => { resolve([String(d), socket.alpnProtocol, socket.authorized, socket.remoteAddress, socket.remotePort, socket.localAddress, ...events]); socket.destroy() })
    }))
    console.log(JSON.stringify(results))`)
  const each = ['hello', 'b', true, '10.244.1.20', 8445, '10.244.0.10', 'connect', 'secureConnect']
  assert.deepEqual(seen, [each, each, each, each])
})

test('a name that the certificate does not have is refused, whoever names it', async () => {
  world.table.set('other.test', async (request) => {
    const app = await world.capture.dialApp('shop/server', 8445, { ip: '10.244.0.10', port: 1 })
    return world.accept(({ stream }) => stream.pipe(app).pipe(stream))(request)
  })
  const seen = await client(`
    import https from 'node:https'
    import tls from 'node:tls'
    const go = (...args) => new Promise((resolve) => { const s = tls.connect(...args, () => { resolve('ok'); s.destroy() }).on('error', (e) => resolve(e.code)) })
    const web = await new Promise((resolve) => https.get('https://other.test:8445/').on('error', (e) => resolve(e.code)))
    console.log(JSON.stringify([
      await go({ host: 'other.test', port: 8445 }), await go(8445, 'other.test'), web,
      await go({ host: 'other.test', port: 8445, servername: 'server' }),
      await go({ host: 'other.test', port: 8445, checkServerIdentity: (host) => host === 'other.test' ? undefined : new Error('x') }),
      await go({ host: 'server', port: 8445, ca: [] }),
    ]))`)
  const wrong = 'ERR_TLS_CERT_ALTNAME_INVALID'
  assert.deepEqual(seen, [wrong, wrong, wrong, 'ok', 'ok', 'SELF_SIGNED_CERT_IN_CHAIN'])
})

test("TLS begun on a captured socket, at once or later, and a TLSSocket of one's own", async () => {
  const seen = await client(`
    import net from 'node:net'
    import tls from 'node:tls'
    const finish = (socket) => new Promise((resolve, reject) => {
      socket.on('error', reject).on('data', (d) => { resolve([String(d), socket.remoteAddress]); socket.destroy() })
      socket.write('hi')
    })
    const early = net.connect(8445, 'server')
    const one = await finish(tls.connect({ socket: early, servername: 'server' }))
    const late = net.connect(8445, 'server')
    await new Promise((r) => late.on('connect', r))
    const two = await finish(tls.connect({ socket: late, servername: 'server' }))
    const own = new tls.TLSSocket(undefined, { isServer: false, rejectUnauthorized: false })
    own.connect(8445, 'server', () => own._start())
    const three = await finish(own)
    console.log(JSON.stringify([one, two, three]))`)
  assert.deepEqual(seen, Array(3).fill(['hi', '10.244.1.20']))
})

test('a TLS connect that is refused, dropped or reset is so', async () => {
  world.table.set('drop.test', { kind: 'drop' })
  world.table.set(
    'reset.test',
    world.accept(({ reset }) => reset()),
  )
  const seen = await client(`
    import tls from 'node:tls'
    const go = (host, port) => new Promise((resolve) => tls.connect({ host, port }).on('error', (e) => resolve(e.code)))
    const drop = await new Promise((resolve) => { const s = tls.connect({ host: 'drop.test', port: 1, timeout: 30 }).on('timeout', () => { s.destroy(); resolve('timeout') }) })
    console.log(JSON.stringify([await go('server', 81), await go('nowhere.test', 1), drop, await go('reset.test', 1), await fetch('https://reset.test').catch((e) => e.cause.code)]))`)
  assert.deepEqual(seen, ['ECONNREFUSED', 'ENOTFOUND', 'timeout', 'ECONNRESET', 'ECONNRESET'])
})
