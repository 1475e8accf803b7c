import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { temporaryFolder, wholeSuite } from '@bulkhead/testing'

const folder = temporaryFolder(wholeSuite())
const file = join(folder, 'probe.mjs')

async function run(args: readonly string[], stdin: string): Promise<{ code: unknown; out: string; err: string }> {
  // In an empty folder, so that nothing is found beside it.
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOSTNAME: 'owned-1' },
  })
  const said = { out: '', err: '' }
  child.stdout.on('data', (data: Buffer) => {
    said.out += data.toString()
  })
  child.stderr.on('data', (data: Buffer) => {
    said.err += data.toString()
  })
  child.stdin.end(stdin)
  const [code] = await once(child, 'close')
  return { code, ...said }
}

const withAttempt = (attempt: object): string =>
  `globalThis[Symbol.for('bulkhead.probe.attempt')]=${JSON.stringify(JSON.stringify(attempt))};\n`
const owned = (attempt: object): Promise<{ code: unknown; out: string; err: string }> =>
  run(['--input-type=module', '-'], withAttempt(attempt) + readFileSync(file, 'utf8'))

describe('the probe as one file', () => {
  before(async () => {
    const bundler = join(import.meta.dirname, '../bundle.mjs')
    const [code] = await once(spawn(process.execPath, [bundler, file], { stdio: 'inherit' }), 'close')
    assert.equal(code, 0)
  })

  it('needs nothing beside it, and is small enough to be sent again and again', () => {
    assert.ok(statSync(file).size < 3_000_000, `${statSync(file).size} bytes`)
  })

  it('makes an attempt as the program of a process that somebody else has started, by stdin', async () => {
    const server = createServer((_, response) => response.end('hello'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const { port } = server.address() as AddressInfo
      const attempt = {
        kind: 'http',
        to: { ip: '127.0.0.1' },
        host: '127.0.0.1',
        port,
        http: { method: 'GET', path: '/' },
      }
      const { code, out, err } = await owned(attempt)
      assert.deepEqual([code, err], [0, ''])
      const { symptom, http } = JSON.parse(out)
      assert.deepEqual([symptom, http.status, http.body], ['ok', 200, 'hello'])
      const asFile = await run([file, 'attempt'], JSON.stringify(attempt))
      assert.deepEqual([asFile.code, JSON.parse(asFile.out).http.body], [0, 'hello'])
    } finally {
      server.close()
    }
  })

  it('has the drivers and the certificates in it', async () => {
    const nowhere = { to: { ip: '127.0.0.1' }, host: '127.0.0.1', port: 1, timeoutMs: 20_000 }
    const forged = { certificate: 'self-signed', claim: 'spiffe://cluster.local/ns/a/sa/b', hbonePort: 1 }
    for (const attempt of [
      { kind: 'mongo', mongo: { user: 'u', database: 'd' }, password: 'p' },
      { kind: 'postgres', postgres: { user: 'u' }, password: 'p' },
      { kind: 'hbone', ...forged },
    ]) {
      const { code, out, err } = await owned({ ...nowhere, ...attempt })
      assert.deepEqual([code, err], [0, ''], attempt.kind)
      assert.equal(JSON.parse(out).error.code, 'ECONNREFUSED', out)
    }
    assert.match((await owned({ ...nowhere, kind: 'run' })).out, /a program runs in the pod owned-1/)
  })

  it('says what is wrong with an attempt', async () => {
    const { code, out, err } = await owned({ kind: 'ftp' })
    assert.deepEqual([code, out], [2, ''])
    assert.match(err, /"kind" is "ftp"/)
  })
})
