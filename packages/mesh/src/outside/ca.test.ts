import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { Duplex } from 'node:stream'
import { describe, it } from 'node:test'
import { connect, TLSSocket } from 'node:tls'
import { createOutsideCa, createServerCa, type Leaf } from './ca.js'

/** Two ends of a wire. */
function wire(): readonly [Duplex, Duplex] {
  const make = (other: () => Duplex): Duplex =>
    new Duplex({
      read() {},
      write(chunk, _encoding, done) {
        other().push(chunk)
        done()
      },
      final(done) {
        other().push(null)
        done()
      },
    })
  const a: Duplex = make(() => b)
  const b: Duplex = make(() => a)
  return [a, b]
}

/** What Node says of a server with that certificate, when it is asked for that name. */
function verify(root: string, leaf: Leaf, servername: string): Promise<string> {
  // An address is no server name, and is what the certificate is held against all the same.
  const asked = isIP(servername) === 0 ? { servername } : { host: servername, servername: '' }
  const [near, far] = wire()
  const server = new TLSSocket(far, { isServer: true, cert: leaf.certificate, key: leaf.key })
  server.on('error', () => {})
  return new Promise((resolve) => {
    const client = connect({ socket: near, ...asked, ca: root })
    const done = (said: string) => {
      client.destroy()
      server.destroy()
      resolve(said)
    }
    client.once('secureConnect', () => done('good'))
    client.once('error', (error: NodeJS.ErrnoException) => done(`${error.code}: ${error.message}`))
  })
}

describe('the certificates of the stand-in', () => {
  it('are good for the names that it answers for, and what is under them', async () => {
    const ca = await createOutsideCa(['api.github.com', 'example'])
    for (const name of ['api.github.com', 'drop.attacker.example', 'x.y.z.example'])
      assert.equal(await verify(ca.root, await ca.issue(name), name), 'good', name)
    const another = await verify(ca.root, await ca.issue('api.github.com'), 'drop.attacker.example')
    assert.match(another, /^ERR_TLS_CERT_ALTNAME_INVALID/)
  })

  it('are refused for any other name, even from this authority: that is all its key is worth', async () => {
    const ca = await createOutsideCa(['api.github.com', 'example'])
    for (const name of ['api.cloudflare.com', 'github.com', 'example.com', 'notexample', 'xapi.github.com'])
      assert.match(await verify(ca.root, await ca.issue(name), name), /permitted subtree violation/, name)
  })

  it('are not good without it, and one authority is not another', async () => {
    const [ca, other] = [await createOutsideCa(['example']), await createOutsideCa(['example'])]
    const leaf = await ca.issue('drop.attacker.example')
    assert.notEqual(await verify(other.root, leaf, 'drop.attacker.example'), 'good')
    assert.equal(await verify(ca.root, leaf, 'drop.attacker.example'), 'good')
  })
})

describe('the certificates of a server with addresses', () => {
  const options = { commonName: 'kubernetes', names: ['kubernetes.default'], addresses: ['10.96.0.1'] }

  it('are good for its names and its addresses', async () => {
    const ca = await createServerCa(options)
    const leaf = await ca.issue('kubernetes.default', '10.96.0.1')
    for (const name of ['kubernetes.default', '10.96.0.1'])
      assert.equal(await verify(ca.root, leaf, name), 'good', name)
    assert.match(await verify(ca.root, leaf, '10.96.0.2'), /^ERR_TLS_CERT_ALTNAME_INVALID/)
  })

  it('are refused for any other name or address', async () => {
    const ca = await createServerCa(options)
    for (const name of ['10.96.0.2', '127.0.0.1', '::1', 'default', 'api.github.com'])
      assert.match(await verify(ca.root, await ca.issue(name), name), /(permitted|excluded) subtree violation/, name)
  })
})
