import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { describe, it } from 'node:test'
import { createCa, loot } from './ca.js'

const identity = 'spiffe://cluster.local/ns/shop/sa/web-api'

describe('the CA', () => {
  it('issues what the SPIFFE profile wants, signed by its root and good for both ends', async () => {
    const ca = await createCa()
    const issued = await ca.issue(identity)
    const leaf = new X509Certificate(issued.certificate)
    const root = new X509Certificate(ca.root)
    assert.ok(leaf.checkIssued(root) && leaf.verify(root.publicKey))
    assert.ok(root.ca && !leaf.ca)
    // An empty subject, one name.
    assert.equal(leaf.subject, undefined)
    assert.equal(leaf.subjectAltName, `URI:${identity}`)
    assert.deepEqual(leaf.keyUsage, ['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.1'])
    assert.ok(leaf.checkPrivateKey(createPrivateKey(issued.key)))
    assert.equal(leaf.serialNumber.toLowerCase(), issued.serial)
    assert.match(ca.root, /^-----BEGIN CERTIFICATE-----\n(?:[^\n]{1,64}\n)+-----END CERTIFICATE-----\n$/)
  })

  it('counts its time by the clock it is given, with slack before', async () => {
    const now = Date.parse('2026-03-04T05:06:07.500Z')
    const ca = await createCa({ now: () => now, ttlMs: 60_000 })
    const { notBefore, notAfter, certificate } = await ca.issue(identity)
    assert.equal(notBefore.toISOString(), '2026-03-04T05:04:07.000Z')
    assert.equal(notAfter.toISOString(), '2026-03-04T05:07:08.000Z')
    assert.equal(Date.parse(new X509Certificate(certificate).validTo), notAfter.getTime())
  })

  it('gives each certificate a serial and a key of its own', async () => {
    const ca = await createCa()
    const [one, other] = await Promise.all([ca.issue(identity), ca.issue(identity)])
    assert.notEqual(one.serial, other.serial)
    assert.notEqual(one.key, other.key)
  })

  it('has loot: a real one that is over, and one without its key', async () => {
    const ca = await createCa()
    const root = new X509Certificate(ca.root)
    const expired = await loot(ca, 'expired', identity)
    const over = new X509Certificate(expired.certificate)
    assert.ok(over.verify(root.publicKey))
    assert.ok(Date.parse(over.validTo) < Date.now())
    assert.ok(over.checkPrivateKey(createPrivateKey(expired.key ?? '')))
    const stolen = await loot(ca, 'stolen', identity)
    assert.ok(Date.parse(new X509Certificate(stolen.certificate).validTo) > Date.now())
    assert.equal(stolen.key, undefined)
  })
})
