import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sniff } from './sniff.js'

const said = (text: string) => sniff(Buffer.from(text, 'latin1')) ?? 'more'

describe('what the first bytes of a connection say', () => {
  it('HTTP: a request line, whatever its path; the preface of HTTP/2', () => {
    for (const text of [
      'GET / HTTP/1.1\r\n',
      'DELETE /a?b HTTP/1.0\n',
      'M-SEARCH * HTTP/1.1\r\nhost: a\r\n\r\nbody',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    ])
      assert.equal(said(text), 'http', text)
  })

  it('not yet: as long as it could still become a request line', () => {
    for (const text of ['', 'G', 'GET', 'GET /', 'GET / HTTP/1.', 'PRI * HTTP/2.0\r', `GET /${'a'.repeat(8_000)}`])
      assert.equal(said(text), 'more', text.slice(0, 20))
  })

  it('something else: at the first byte that says so', () => {
    for (const text of [
      '\x16\x03\x01',
      'get / HTTP/1.1\r\n',
      '\r\nGET / HTTP/1.1\r\n',
      ' GET / HTTP/1.1\r\n',
      'HELLO',
      'GET / HTTP/3\r\n',
      'GET  / HTTP/1.1\r\n',
      'GET /\r\n',
      'SSH-2.0-x\r\n',
      '\0\0\0\x08\x04\xd2\x16\x2f',
      `GET /${'a'.repeat(8_192)}`,
    ])
      assert.equal(said(text), 'tcp', text.slice(0, 20))
  })
})
