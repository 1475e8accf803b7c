import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseManifests } from '@bulkhead/resources'
import { cleanUp, killed, temporaryFolder } from '@bulkhead/testing'
import { compile, type Flow, judge, type Snapshot } from '@bulkhead/verdict'
import { request } from 'undici'
import { withGrant } from '../capture/index.js'
import { startMesh } from '../start.js'
import { recordOf } from '../testing/harness.js'
import { say } from '../testing/http.js'

/* A real process with the real capture behind a gateway of real manifests, judged by the real engine. */

const fixture = (name: string) => {
  const url = new URL(`../../fixtures/shop/${name}.yaml`, import.meta.url)
  const { resources, diagnostics } = parseManifests(readFileSync(fileURLToPath(url), 'utf8'), `${name}.yaml`)
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  )
  return resources
}

const open = compile([...fixture('workloads'), ...fixture('gateway')])
/** web-api lets sleep in, and nobody else: not the gateway either. */
const walled = compile([...fixture('workloads'), ...fixture('gateway'), ...fixture('policies')], { previous: open })

const podOf = (workload: string) => {
  const pod = [...open.pods.values()].find((candidate) => candidate.workload === workload)
  assert.ok(pod, `no pod of ${workload}`)
  return pod
}

const SERVER = `
import { createServer } from 'node:http'
createServer((request, response) => response.end(request.url + ' for ' + request.headers['x-forwarded-for']))
  .listen(8080, () => console.log('up'))
`

async function start(t: TestContext, snapshot: Snapshot) {
  const runDir = temporaryFolder(t)
  const mesh = await startMesh({ runDir, snapshot, connectTimeoutMs: 300 })
  cleanUp(t, () => mesh.close())
  const webApi = podOf('shop/web-api')
  for (const { key } of [webApi, podOf('shop/front-istio'), podOf('shop/sleep'), podOf('shop/outsider')]) {
    await mesh.addPod(key)
    mesh.setReady(key, true)
  }
  const child = spawn(process.execPath, ['--input-type=module', '-e', SERVER], {
    env: withGrant({ PATH: process.env.PATH }, mesh.grant(webApi.key).env),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  cleanUp(t, () => killed(child))
  await once(child.stdout, 'data')
  return mesh
}

interface Case {
  readonly run: string
  readonly method: string
  readonly path: string
  readonly host: string
  readonly expected: readonly [status: number, body: string]
}

const cases: readonly Case[] = [
  { run: 'taken', method: 'GET', path: '/api/a?b', host: 'shop.test', expected: [200, '/a?b for 172.18.0.1'] },
  {
    run: 'climbing',
    method: 'GET',
    path: '/api/%2e%2e/api//x',
    host: 'shop.test',
    expected: [200, '//x for 172.18.0.1'],
  },
  { run: 'denied', method: 'POST', path: '/api', host: 'shop.test', expected: [403, 'RBAC: access denied'] },
  { run: 'no route', method: 'GET', path: '/else', host: 'shop.test', expected: [404, ''] },
  { run: 'no host', method: 'GET', path: '/api', host: 'else.test', expected: [404, ''] },
]

/** A body of one chunk, or one without. */
const unchunked = (body: string) => body.replace(/^[0-9a-f]+\r\n/, '').replace(/\r\n0$/, '')

describe('a gateway of real manifests', () => {
  it('does what the engine says that it does', async (t) => {
    const mesh = await start(t, open)
    for (const { run, method, path, host, expected } of cases) {
      const { port, close } = await mesh.publish('shop/front-istio', 80, { at: 0, run })
      // As it is: a client of the usual kind would tidy the path up before it sends it.
      const answer = await say(t, port, `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`)
      const [head = '', body = ''] = answer.split('\r\n\r\n')
      assert.deepEqual([Number(head.slice(9, 12)), unchunked(body)], expected, run)
      if (expected[0] === 200) assert.match(head, /\r\nx-by: front\r\n/)
      const record = await recordOf(mesh, run)
      const flow: Flow = {
        from: { external: '172.18.0.1' },
        to: { service: 'shop/front-istio' },
        port: 80,
        http: { method, path, host },
      }
      const verdict = judge(flow, open)
      assert.equal(record.symptom, verdict.symptom, run)
      assert.equal(record.outcome, verdict.outcome, run)
      const decided = record.decidedBy === undefined ? undefined : record.steps[record.decidedBy]
      const predicted = verdict.decidedBy && verdict.steps[verdict.decidedBy.step]
      assert.deepEqual([decided?.code, decided?.at], [predicted?.code, predicted?.at], run)
      await close()
    }
  })

  it('answers processes of pods, too, by its name', async (t) => {
    const mesh = await start(t, open)
    for (const workload of ['shop/sleep', 'shop/outsider']) {
      const { key, ip } = podOf(workload)
      const code = `
        import { get } from 'node:http'
        const headers = { host: 'shop.test' }
        get('http://front-istio/api/a', { headers }, async (answer) => {
          for await (const chunk of answer) process.stdout.write(answer.statusCode + ' ' + chunk)
        })`
      const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
        env: withGrant({ PATH: process.env.PATH }, mesh.grant(key, { run: workload }).env),
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      cleanUp(t, () => killed(child))
      const [said] = await once(child.stdout, 'data')
      assert.equal(String(said), `200 /a for ${ip}`)
      const record = await recordOf(mesh, workload)
      assert.deepEqual([record.transport, record.source.pod, record.symptom], ['http', key, 'ok'])
      const flow: Flow = {
        from: { workload },
        to: { service: 'shop/front-istio' },
        port: 80,
        http: { method: 'GET', path: '/api/a', host: 'shop.test' },
      }
      const verdict = judge(flow, open)
      assert.deepEqual(
        record.steps.map(({ hop, point, code }) => `${hop} ${point} ${code}`),
        verdict.steps.map(({ hop, point, code }) => `${hop} ${point} ${code}`),
      )
    }
  })

  it('is refused by a ztunnel that does not know it', async (t) => {
    const mesh = await start(t, open)
    const { port } = await mesh.publish('shop/front-istio', 80, { at: 0, run: 'run' })
    const ask = async () => {
      const answer = await request(`http://127.0.0.1:${port}/api`, { headers: { host: 'shop.test' } })
      await answer.body.dump()
      return answer.statusCode
    }
    assert.equal(await ask(), 200)
    mesh.swap(walled, 1)
    assert.equal(await ask(), 503)
    const [, record] = mesh.flows({ run: 'run' })
    assert.ok(record)
    const flow: Flow = {
      from: { external: '172.18.0.1' },
      to: { service: 'shop/front-istio' },
      port: 80,
      http: { method: 'GET', path: '/api', host: 'shop.test' },
    }
    const verdict = judge(flow, walled)
    assert.deepEqual([record.outcome, record.symptom], [verdict.outcome, verdict.symptom])
    assert.equal(record.symptom, 'gateway-503')
    assert.deepEqual(
      record.steps.map(({ hop, point, code }) => `${hop} ${point} ${code}`),
      verdict.steps.map(({ hop, point, code }) => `${hop} ${point} ${code}`),
    )
  })
})
