import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseManifests } from '@bulkhead/resources'
import { cleanUp, eventually, killed, temporaryFolder } from '@bulkhead/testing'
import { compile, type Flow, type FlowRecord, judge, type Snapshot } from '@bulkhead/verdict'
import { withGrant } from './capture/index.js'
import type { Mesh } from './mesh.js'
import { startMesh } from './start.js'
import { recordOf } from './testing/harness.js'
import type { Grant } from './types.js'

/* Real processes with the real capture, judged by the real engine from real manifests. */

const fixture = (name: string) => {
  const url = new URL(`../fixtures/shop/${name}.yaml`, import.meta.url)
  const { resources, diagnostics } = parseManifests(readFileSync(fileURLToPath(url), 'utf8'), `${name}.yaml`)
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  )
  return resources
}

const workloads = fixture('workloads')
const open = compile(workloads)
const walled = compile([...workloads, ...fixture('policies')], { previous: open })

const podOf = (workload: string) => {
  const pod = [...open.pods.values()].find((candidate) => candidate.workload === workload)
  assert.ok(pod, `no pod of ${workload}`)
  return pod
}

async function start(t: TestContext, snapshot: Snapshot): Promise<Mesh> {
  const runDir = temporaryFolder(t)
  const mesh = await startMesh({ runDir, snapshot, connectTimeoutMs: 500 })
  cleanUp(t, () => mesh.close())
  await Promise.all([...snapshot.pods.keys()].map((key) => mesh.addPod(key)))
  return mesh
}

/** A process of a pod. It ends with the test. */
function run(t: TestContext, grant: Grant, code: string) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    env: withGrant({ PATH: process.env.PATH }, grant.env),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  cleanUp(t, () => killed(child))
  return child
}

const SERVER = `
import { createServer } from 'node:http'
createServer((request, response) => response.end('hello ' + request.socket.remoteAddress)).listen(8080)
`

async function serve(t: TestContext, mesh: Mesh): Promise<void> {
  const { key } = podOf('shop/web-api')
  run(t, mesh.grant(key), SERVER)
  await eventually('web-api to listen', () => mesh.listening(key).includes(8080))
  mesh.setReady(key, true)
}

/** What fetch gives in that pod: the body, or the code of its failure. */
async function fetched(t: TestContext, mesh: Mesh, workload: string, url: string): Promise<string> {
  const code = `
    try { console.log(await (await fetch(${JSON.stringify(url)})).text()) }
    catch (error) { console.log(error.cause?.code ?? error.message) }
    process.exit()`
  const child = run(t, mesh.grant(podOf(workload).key, { run: workload }), code)
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk
  })
  await once(child, 'close')
  return said.trim()
}

/** What a record and a verdict both say. */
const words = ({
  outcome,
  symptom,
  steps,
  decidedBy,
}: Pick<FlowRecord, 'outcome' | 'symptom' | 'steps' | 'decidedBy'>) => ({
  outcome,
  symptom,
  decided: decidedBy === undefined ? undefined : steps[decidedBy]?.code,
  steps,
})

const predicted = (snapshot: Snapshot, flow: Flow) => {
  const { decidedBy, ...verdict } = judge(flow, snapshot)
  return words({ ...verdict, ...(decidedBy && { decidedBy: decidedBy.step }) })
}

describe('the mesh with real processes', () => {
  it('lets everybody through without policies', async (t) => {
    const mesh = await start(t, open)
    await serve(t, mesh)
    const calls = ['shop/sleep', 'shop/notsleep', 'shop/outsider'].map(async (workload) => {
      assert.equal(await fetched(t, mesh, workload, 'http://web-api:8080/'), `hello ${podOf(workload).ip}`)
      const record = await recordOf(mesh, workload)
      assert.deepEqual(
        words(record),
        predicted(open, { from: { workload }, to: { service: 'shop/web-api' }, port: 8080 }),
      )
      return record.transport
    })
    assert.deepEqual(await Promise.all(calls), ['hbone', 'hbone', 'plaintext'])
  })

  it('enforces what the engine predicts, step by step', async (t) => {
    const mesh = await start(t, walled)
    await serve(t, mesh)
    const cases: readonly (readonly [
      workload: string,
      host: string,
      port: number,
      seen: RegExp,
      code: string | undefined,
    ])[] = [
      ['shop/sleep', 'web-api', 8080, /^hello /, undefined],
      ['shop/notsleep', 'web-api.shop', 8080, /UND_ERR_SOCKET|ECONNRESET/, 'authz.no-rule-allows'],
      ['shop/outsider', 'web-api.shop.svc.cluster.local', 8080, /UND_ERR_SOCKET|ECONNRESET/, 'mtls.strict-no-identity'],
    ]
    const calls = cases.map(async ([workload, host, port, seen, code]) => {
      assert.match(await fetched(t, mesh, workload, `http://${host}:${port}/`), seen)
      const record = await recordOf(mesh, workload)
      const flow: Flow = { from: { workload }, to: { service: 'shop/web-api' }, port }
      assert.deepEqual(words(record), predicted(walled, flow))
      const decided = record.decidedBy === undefined ? undefined : record.steps[record.decidedBy]
      assert.equal(decided?.code, code)
      return decided
    })
    const decided = await Promise.all(calls)
    assert.deepEqual(
      decided[1]?.isolatedBy?.map(({ policy, at }) => `${policy} ${at.replace(/\d+$/, 'line')}`),
      [
        'AuthorizationPolicy/shop/allow-nothing policies.yaml:line',
        'AuthorizationPolicy/shop/web-api policies.yaml:line',
      ],
    )
    assert.match(decided[2]?.at ?? '', /^policies\.yaml:\d+$/)
  })

  it('fails as the engine predicts where nothing is', async (t) => {
    const mesh = await start(t, open)
    await serve(t, mesh)
    for (const workload of ['shop/sleep', 'shop/outsider']) {
      const { ip } = podOf('shop/web-api')
      const seen = await fetched(t, mesh, workload, `http://${ip}:8081/`)
      assert.match(seen, workload === 'shop/sleep' ? /UND_ERR_SOCKET|ECONNRESET/ : /ECONNREFUSED/)
      const record = await recordOf(mesh, workload)
      const flow: Flow = { from: { workload }, to: { workload: 'shop/web-api' }, port: 8081 }
      assert.deepEqual(words(record), predicted(open, flow))
    }
    assert.equal(await fetched(t, mesh, 'shop/notsleep', 'http://no-such-thing:80/'), 'ENOTFOUND')
    assert.equal((await recordOf(mesh, 'shop/notsleep')).symptom, 'dns-not-found')
  })

  it('resets as TCP does: from the app, from the client, and by a policy that changed', async (t) => {
    const mesh = await start(t, open)
    const { key, ip } = podOf('shop/web-api')
    const app = run(
      t,
      mesh.grant(key),
      `import { createServer } from 'node:net'
      createServer((socket) => {
        socket.on('error', (error) => console.log('app saw ' + error.code)).on('end', () => console.log('app saw an end'))
        socket.on('data', (data) => (String(data) === 'reset' ? socket.resetAndDestroy() : socket.write(data)))
      }).listen(8080)`,
    )
    let heard = ''
    app.stdout.on('data', (chunk: Buffer) => {
      heard += chunk
    })
    await eventually('web-api to listen', () => mesh.listening(key).includes(8080))
    const client = (workload: string, first: string, then = '') => {
      const child = run(
        t,
        mesh.grant(podOf(workload).key, { run: `${workload} ${first}` }),
        `import { connect } from 'node:net'
        const socket = connect(8080, '${ip}', () => socket.write('${first}'))
        socket.on('error', (error) => console.log('client saw ' + error.code)).on('end', () => console.log('client saw an end'))
        socket.on('data', (data) => { console.log('client heard ' + data); ${then} })`,
      )
      const said = { text: '' }
      child.stdout.on('data', (chunk: Buffer) => {
        said.text += chunk
      })
      return (text: string) => eventually(`${text} (${workload})`, () => said.text.includes(text))
    }
    for (const workload of ['shop/sleep', 'shop/outsider']) {
      await client(workload, 'reset')('client saw ECONNRESET')
      await client(workload, 'hello', 'socket.resetAndDestroy()')('client heard hello')
      await eventually('the app to see the reset', () => heard.includes('app saw ECONNRESET'))
      heard = ''
    }
    // What was reset is given a moment to close.
    await eventually('nothing open', () => mesh.openConnections === 0)
    const stays = client('shop/sleep', 'stay')
    const goes = client('shop/notsleep', 'stay')
    await Promise.all([stays('client heard stay'), goes('client heard stay')])
    assert.equal(mesh.swap(walled, 1), 1)
    await goes('client saw ECONNRESET')
    assert.equal((await recordOf(mesh, 'shop/notsleep stay')).flag, 'POLICY_CHANGE')
    assert.deepEqual(mesh.flows({ run: 'shop/sleep stay' }), [])
  })

  it("keeps a pod's loopback to the pod", async (t) => {
    const mesh = await start(t, open)
    const { key, ip } = podOf('shop/web-api')
    const app = run(
      t,
      mesh.grant(key, { run: 'own' }),
      `import { createServer, connect } from 'node:net'
      createServer((socket) => socket.end('private')).listen(9000, '127.0.0.1', () => {
        const ask = (host) => connect(9000, host).on('data', (data) => console.log(host + ' ' + data)).on('error', (error) => console.log(host + ' ' + error.code))
        for (const host of ['127.0.0.1', 'localhost', '${ip}']) ask(host)
      })`,
    )
    let heard = ''
    app.stdout.on('data', (chunk: Buffer) => {
      heard += chunk
    })
    await eventually('three answers', () => heard.split('\n').length === 4)
    assert.deepEqual(heard.trim().split('\n').sort(), [`${ip} ECONNREFUSED`, '127.0.0.1 private', 'localhost private'])
    assert.match(await fetched(t, mesh, 'shop/outsider', `http://${ip}:9000/`), /ECONNREFUSED/)
    assert.match(await fetched(t, mesh, 'shop/sleep', 'http://127.0.0.1:9000/'), /ECONNREFUSED/)
    const own = mesh.flows({ run: 'own' })
    assert.deepEqual(own.map(({ transport, symptom }) => `${transport} ${symptom}`).sort(), [
      'loopback ok',
      'loopback ok',
      'loopback refused',
    ])
    assert.deepEqual(words(await recordOf(mesh, 'shop/sleep')).decided, 'network.nothing-listens')
  })

  it('probes as the kubelet does, past STRICT', async (t) => {
    const mesh = await start(t, walled)
    await serve(t, mesh)
    const { key } = podOf('shop/web-api')
    const socket = await mesh.dialAsKubelet(key, 8080)
    socket.write('GET / HTTP/1.1\r\nhost: probe\r\nconnection: close\r\n\r\n')
    let said = ''
    for await (const chunk of socket) said += chunk
    assert.match(said, /^HTTP\/1\.1 200 .*hello 169\.254\.7\.127/s)
    await assert.rejects(mesh.dialAsKubelet(key, 8081), { code: 'ECONNREFUSED' })
    assert.deepEqual(mesh.flows(), [])
  })
})
