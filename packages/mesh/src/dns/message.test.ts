import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { cleanUp } from '@bulkhead/testing'
import { MAX_MESSAGE_BYTES, RCODE, readQuestion, writeAnswer, writeFailure } from './message.js'

const name = (text: string) =>
  Buffer.concat([
    ...text.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label, 'latin1')])),
    Buffer.from([0]),
  ])
const question = (text: string, flags = 0x0100, more: Buffer = Buffer.from([0, 1, 0, 1])) =>
  Buffer.concat([Buffer.from([0x12, 0x34, flags >> 8, flags & 255, 0, 1, 0, 0, 0, 0, 0, 0]), name(text), more])

describe('DNS messages', () => {
  it('are what a real resolver asks and understands', async (t) => {
    const server = createSocket('udp4')
    cleanUp(t, () => server.close())
    server.on('message', (data, from) => {
      const read = readQuestion(data)
      assert.ok(read?.kind === 'question')
      const answers: Record<string, () => Buffer> = {
        'api.github.com': () => writeAnswer(read.question, RCODE.ok, ['198.51.100.10', '198.51.100.11']),
        'refused.example': () => writeAnswer(read.question, RCODE.refused),
      }
      const answer = answers[read.question.name] ?? (() => writeAnswer(read.question, RCODE.noName))
      server.send(answer(), from.port, from.address)
    })
    server.bind(0, '127.0.0.1')
    await once(server, 'listening')
    const resolver = new Resolver({ timeout: 2000, tries: 1 })
    resolver.setServers([`127.0.0.1:${server.address().port}`])
    assert.deepEqual(await resolver.resolve4('API.github.com'), ['198.51.100.10', '198.51.100.11'])
    await assert.rejects(resolver.resolve6('api.github.com'), { code: 'ENODATA' })
    await assert.rejects(resolver.resolve4('refused.example'), { code: 'EREFUSED' })
    await assert.rejects(resolver.resolve4('nobody.example'), { code: 'ENOTFOUND' })
  })

  it('that are no question are told apart: what can be answered, and what cannot', () => {
    assert.equal(readQuestion(question('x.example', 0x8180)), undefined)
    assert.equal(readQuestion(Buffer.from('not DNS')), undefined)
    const code = (data: Buffer) => {
      const read = readQuestion(data)
      return read?.kind === 'malformed' ? read.code : read?.kind
    }
    assert.equal(code(question('x.example')), 'question')
    const whole = question('x.example')
    for (let end = 12; end < whole.length; end += 1) assert.equal(code(whole.subarray(0, end)), RCODE.malformed)
    assert.equal(code(question('x.example', 0x2900)), RCODE.notImplemented)
    assert.equal(code(question('x.example', 0, Buffer.from([0, 1, 0, 3]))), RCODE.notImplemented)
    assert.equal(code(question('a b.example')), RCODE.malformed)
    assert.equal(code(question('a\0b.example')), RCODE.malformed)
    assert.equal(code(question(`${`${'x'.repeat(63)}.`.repeat(4)}y`)), RCODE.malformed)
    assert.equal(code(Buffer.concat([whole.subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])])), RCODE.malformed)
    assert.equal(code(Buffer.concat([whole, Buffer.alloc(MAX_MESSAGE_BYTES)])), RCODE.malformed)
    assert.deepEqual([...writeFailure(0x1234, RCODE.malformed).subarray(0, 4)], [0x12, 0x34, 0x80, 0x81])
  })

  it('never grow past what UDP takes', () => {
    const read = readQuestion(question('x.example'))
    assert.ok(read?.kind === 'question')
    const answer = writeAnswer(
      read.question,
      RCODE.ok,
      Array.from({ length: 100 }, (_, i) => `192.0.2.${i}`),
    )
    assert.ok(answer.length <= MAX_MESSAGE_BYTES && answer.length > 400)
  })
})
