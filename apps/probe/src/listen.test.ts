import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { cleanUp, killed } from '@bulkhead/testing'
import { makeAttempt } from './attempt.js'
import type { Listening } from './listen.js'
import { closedPort } from './testing/servers.js'

const main = join(import.meta.dirname, 'main.js')

async function collector(t: TestContext, ...places: string[]) {
  const child = spawn(process.execPath, [main, 'listen', ...places])
  cleanUp(t, () => killed(child))
  const ended = once(child, 'exit').then(([code]) => assert.fail(`it ended with ${code}`))
  const [line] = (await Promise.race([once(child.stdout, 'data'), ended])) as [Buffer]
  ended.catch(() => undefined)
  const [, text = ''] = /^collector at (.*)\n$/.exec(String(line)) ?? []
  const open: Listening['places'] = text.split(', ').map((place) => {
    const [protocol = '', port] = place.split(':')
    return { protocol: protocol === 'udp' ? 'udp' : 'http', port: Number(port) }
  })
  const port = (protocol: string): number => open.find((one) => one.protocol === protocol)?.port ?? assert.fail(text)
  return { child, port }
}

describe('the collector', () => {
  it('says of a datagram and of a request how much it was', async (t) => {
    const { port } = await collector(t, 'udp:0', 'http:0')
    const common = { to: { ip: '127.0.0.1' }, host: '127.0.0.1', timeoutMs: 3000 }
    const datagram = await makeAttempt({ ...common, kind: 'udp', port: port('udp'), send: 'loot of 15 byte' })
    assert.deepEqual([datagram.symptom, datagram.detail], ['ok', { text: 'collector: 15 bytes' }])
    const http = { method: 'POST', path: '/drop?x', body: 'grüße' }
    const request = await makeAttempt({ ...common, kind: 'http', port: port('http'), http })
    assert.deepEqual([request.symptom, request.http?.status], ['ok', 200])
    assert.deepEqual(JSON.parse(request.http?.body ?? ''), {
      collector: true,
      method: 'POST',
      path: '/drop?x',
      received: 7,
    })
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`ends at once at ${signal}, with 0`, { timeout: 10_000 }, async (t) => {
      const { child } = await collector(t, 'udp:0')
      child.kill(signal)
      assert.deepEqual(await once(child, 'exit'), [0, null])
    })
  }

  const bad: readonly (readonly [args: readonly string[], says: RegExp])[] = [
    [[], /"listen" needs places to listen at; usage: probe idle/],
    [['tcp:80'], /"tcp:80" is no place to listen; write udp:PORT or http:PORT/],
    [['udp:70000'], /"udp:70000" is no place/],
    [['udp'], /"udp" is no place/],
  ]
  for (const [args, says] of bad) {
    it(`cannot listen at ${JSON.stringify(args)}, and says why`, async () => {
      const child = spawn(process.execPath, [main, 'listen', ...args])
      let err = ''
      child.stderr.on('data', (chunk) => (err += String(chunk)))
      const [code] = await once(child, 'close')
      assert.equal(code, 2)
      assert.match(err, says)
    })
  }

  it('says which port is taken', async (t) => {
    const port = await closedPort()
    await collector(t, `http:${port}`)
    const child = spawn(process.execPath, [main, 'listen', 'udp:0', `http:${port}`])
    let err = ''
    child.stderr.on('data', (chunk) => (err += String(chunk)))
    const [code] = await once(child, 'close')
    assert.equal(code, 2)
    assert.match(err, new RegExp(`EADDRINUSE.*${port}`))
  })
})
