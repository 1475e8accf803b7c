import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { HEADER_BYTES, newToken, parseHeader, writeHeader } from './proxy-header.js'

const token = newToken()
const address = fc.record({
  ip: fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 255 }))).map((parts) => parts.join('.')),
  port: fc.integer({ min: 0, max: 65_535 }),
})

describe('the PROXY header', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(address, address, (source, destination) => {
        const header = writeHeader(token, source, destination)
        assert.equal(header.length, HEADER_BYTES)
        assert.deepEqual(parseHeader(token, header), { ...source })
      }),
    )
  })

  it('begins as version 2 of the protocol, with a TCP over IPv4 connection', () => {
    const header = writeHeader(token, { ip: '10.244.1.2', port: 40_000 }, { ip: '10.244.2.3', port: 15_008 })
    assert.equal(
      header.subarray(0, 31).toString('hex'),
      '0d0a0d0a000d0a515549540a2111001f0af401020af402039c403aa0e00010',
    )
  })

  it('is nothing with another token, or with any bit changed outside the addresses', () => {
    const header = writeHeader(token, { ip: '10.0.0.1', port: 1 }, { ip: '10.0.0.2', port: 2 })
    assert.equal(parseHeader(newToken(), header), undefined)
    assert.equal(parseHeader(token, header.subarray(1)), undefined)
    for (let at = 0; at < HEADER_BYTES; at += 1) {
      if (at >= 16 && at < 28) continue
      const changed = Buffer.from(header)
      changed.writeUInt8(header.readUInt8(at) ^ 1, at)
      assert.equal(parseHeader(token, changed), undefined, `byte ${at}`)
    }
  })
})
