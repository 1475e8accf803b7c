import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it } from 'node:test'
import { cleanUp, killed } from '@bulkhead/testing'
import { listen } from './testing/servers.js'

const main = join(import.meta.dirname, 'main.js')

async function run(args: readonly string[], input = ''): Promise<{ code: number; out: string; err: string }> {
  const child = spawn(process.execPath, [main, ...args])
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => (out += String(chunk)))
  child.stderr.on('data', (chunk) => (err += String(chunk)))
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number]
  return { code, out, err }
}

describe('the probe program', () => {
  it('makes the attempt on stdin and prints what it saw, in one line', async (t) => {
    const port = await listen(
      t,
      createServer((_, response) => void response.end('hello')),
    )
    const { code, out, err } = await run(
      ['attempt'],
      JSON.stringify({ kind: 'http', to: { ip: '127.0.0.1' }, host: '127.0.0.1', port }),
    )
    assert.equal(code, 0)
    assert.equal(err, '')
    assert.equal(out.split('\n').length, 2)
    assert.equal(JSON.parse(out).http.body, 'hello')
  })

  it('exits 0 for an attempt that was refused: it was observed', async () => {
    const { code, out } = await run(['attempt'], '{"kind":"socket","to":{"ip":"0.0.0.0"},"port":1,"host":"/nowhere/x"}')
    assert.equal(code, 0)
    assert.equal(JSON.parse(out).symptom, 'refused')
  })

  it('says that it holds a connection before it says how that ended', async (t) => {
    const server = createServer((_, response) => void response.end('hello'))
    server.keepAliveTimeout = 60_000
    const port = await listen(t, server)
    const child = spawn(process.execPath, [main, 'attempt'])
    cleanUp(t, () => killed(child))
    const attempt = { kind: 'http', to: { ip: '127.0.0.1' }, host: '127.0.0.1', port, hold: true, timeoutMs: 10_000 }
    child.stdin.end(JSON.stringify(attempt))
    const lines: string[] = []
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line)
      if (lines.length === 1) server.closeAllConnections()
    }
    assert.equal(lines[0], '{"held":true}')
    const { symptom, phase } = JSON.parse(lines[1] ?? '')
    assert.deepEqual([lines.length, symptom, phase], [2, 'reset', 'held'])
  })

  const bad: readonly (readonly [input: string, says: RegExp])[] = [
    ['', /not JSON/],
    ['[', /not JSON/],
    ['7', /not a JSON object/],
    ['{}', /"kind" is undefined; it must be one of http, /],
    ['{"kind":"ftp"}', /"kind" is "ftp"/],
    ['{"kind":"http","port":80}', /"host" is undefined/],
    ['{"kind":"http","host":"a","port":"80"}', /"port" is "80"/],
    ['{"kind":"http","host":"a","port":70000}', /"port" is 70000/],
    ['{"kind":"http","host":"a","port":80,"timeoutMs":-1}', /"timeoutMs" is -1/],
  ]
  for (const [input, says] of bad) {
    it(`cannot make the attempt ${JSON.stringify(input)}, and says why`, async () => {
      const { code, out, err } = await run(['attempt'], input)
      assert.deepEqual([code, out], [2, ''])
      assert.match(err, says)
    })
  }

  it('refuses a command that it does not have', async () => {
    const { code, err } = await run(['attak'])
    assert.equal(code, 2)
    assert.match(err, /unknown command "attak"; usage: probe idle/)
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`idles until ${signal}, and ends at once, with 0`, { timeout: 10_000 }, async (t) => {
      const child = spawn(process.execPath, [main, 'idle'])
      cleanUp(t, () => killed(child))
      await once(child.stdout, 'data')
      const start = performance.now()
      child.kill(signal)
      const [code] = await once(child, 'exit')
      assert.equal(code, 0)
      // The kubelet would wait for it for 30 s.
      assert.ok(performance.now() - start < 8_000)
    })
  }
})
