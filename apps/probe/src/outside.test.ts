import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it, type TestContext } from 'node:test'
import type { Observation, ResolvedAttempt } from '@bulkhead/scenarios'
import { cleanUp, killed, type Scope, wholeSuite } from '@bulkhead/testing'
import { makeAttempt } from './attempt.js'

const main = join(import.meta.dirname, 'main.js')

interface Told {
  readonly outside: readonly { readonly protocol: string; readonly port: number }[]
  readonly root: string
}

/** @returns what it says in its one line */
async function started(t: Scope, ...places: readonly string[]): Promise<Told> {
  const child = spawn(process.execPath, [main, 'outside', ...places])
  cleanUp(t, () => killed(child))
  const ended = once(child, 'exit').then(([code]) => assert.fail(`it ended with ${code}`))
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), ended])
  ended.catch(() => undefined)
  return JSON.parse(String(line))
}

const told = await started(wholeSuite(), 'http:0', 'https:0', 'udp:0')
const portOf = (protocol: string): number => told.outside.find((one) => one.protocol === protocol)?.port ?? 0

const common = { to: { host: 'drop.attacker.example' }, host: '127.0.0.1', timeoutMs: 3000 }
const drop = { method: 'POST', path: '/drop', headers: { host: 'drop.attacker.example' }, body: 'everything' }
/** To its TLS port, under a name. */
const ask = (sni: string, authorities: string | undefined = told.root): Promise<Observation> =>
  makeAttempt({
    ...{ ...common, kind: 'http', port: portOf('https'), tls: { sni }, http: drop },
    ...(authorities !== '' && { authorities }),
  } satisfies ResolvedAttempt)

/** With the body read. */
const saidBy = ({ http }: Observation): unknown => JSON.parse(http?.body ?? '')

describe('a host outside of a cluster', () => {
  it('says of everything that arrives how much it was', async () => {
    const request = await makeAttempt({ ...common, kind: 'http', port: portOf('http'), http: drop })
    const expected = { 'stand-in': true, host: 'drop.attacker.example', method: 'POST', received: 10 }
    assert.deepEqual([request.symptom, saidBy(request)], ['ok', expected])
    const datagram = await makeAttempt({ ...common, kind: 'udp', port: portOf('udp'), send: 'everything' })
    assert.deepEqual([datagram.symptom, datagram.detail], ['ok', { text: 'stand-in: 10 bytes' }])
  })

  it('has a certificate for every name below example, which whoever is told its root takes', async () => {
    for (const name of ['drop.attacker.example', 'status.partner.example', 'a.b.c.d.example']) {
      const seen = await ask(name)
      assert.deepEqual([seen.symptom, seen.http?.status], ['ok', 200], name)
    }
    const stranger = await ask('drop.attacker.example', '')
    assert.deepEqual([stranger.symptom, stranger.phase], ['tls-refused', 'tls'])
  })

  it('has none for other names, and its root is good for none of them', async () => {
    const other = await ask('api.github.com')
    assert.deepEqual([other.symptom, other.error?.code], ['tls-refused', 'ERR_TLS_CERT_ALTNAME_INVALID'])
    const constraints = Buffer.from('300da00b300982076578616d706c65', 'hex')
    const { raw, ca } = new X509Certificate(told.root)
    assert.ok(ca && raw.includes(constraints))
  })

  it('is another one at each start', async (t: TestContext) => {
    const second = await started(t, 'https:0')
    assert.notEqual(second.root, told.root)
    const stranger = await ask('drop.attacker.example', second.root)
    assert.equal(stranger.symptom, 'tls-refused')
  })

  it('says why when it cannot listen', async () => {
    const child = spawn(process.execPath, [main, 'outside', 'tcp:80'])
    let said = ''
    child.stderr.on('data', (chunk) => (said += String(chunk)))
    const [code] = await once(child, 'close')
    assert.equal(code, 2)
    assert.match(said, /"tcp:80" is no place to listen; write http:PORT or https:PORT or udp:PORT/)
  })
})
