import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { adoptCluster, checkOurs } from './ours.js'
import { ownCluster, temporaryPlace, uid } from './plan/testing.js'
import { readRecord } from './record.js'
import { type Answers, type Matcher, recordingTools } from './testing/index.js'

const record = { uid, begun: 'then', networkWasThere: true, steps: {}, untold: [] }

function prepared(t: TestContext, table: readonly (readonly [Matcher, Answers])[] = []) {
  const place = temporaryPlace(t)
  mkdirSync(place.folder, { recursive: true })
  writeFileSync(place.kubeconfig, '')
  return { place, tools: recordingTools([...table, ...ownCluster(place, { there: true })]) }
}

test('ours: our file, our context on this machine, and the cluster that we made', async (t) => {
  const { place, tools } = prepared(t)
  await checkOurs(tools, place, record)
  assert.deepEqual(tools.astray(place.kubeconfig), [])
  assert.equal(tools.asked.length, 2)
})

for (const [server, good] of [
  ['https://127.0.0.1:6443', true],
  ['https://localhost:6443', true],
  ['https://[::1]:6443', true],
  ['https://10.0.0.1:6443', false],
  ['https://api.production.example', false],
  ['https://127.0.0.1.attacker.example:6443', false],
  ['http://127.0.0.1:6443', false],
  ['', false],
] as const)
  test(`a server at ${server || 'nowhere'} is ${good ? 'on this machine' : 'refused, and nothing is asked of it'}`, async (t) => {
    const { place, tools } = prepared(t, [['kubectl config view', { stdout: server }]])
    const check = checkOurs(tools, place, record)
    if (good) await check
    else {
      await assert.rejects(check, { code: 'not-ours', message: /not on this machine\. Nothing was changed/ })
      assert.deepEqual(tools.asked.length, 1)
    }
  })

test('another cluster behind the same address, a context that is not there, an API server that does not answer', async (t) => {
  const another = prepared(t, [['kubectl get namespace kube-system', { stdout: 'another' }]])
  await assert.rejects(checkOurs(another.tools, another.place, record), { code: 'not-ours', message: /UID another/ })
  const none = prepared(t, [['kubectl config view', { code: 1, stderr: 'error: cannot locate context kind-bulkhead' }]])
  await assert.rejects(checkOurs(none.tools, none.place, record), {
    code: 'not-ours',
    message: /has no context kind-bulkhead/,
  })
  const silent = prepared(t, [['kubectl get namespace kube-system', { code: 1, stderr: 'connection refused' }]])
  await assert.rejects(checkOurs(silent.tools, silent.place, record), {
    code: 'no-answer',
    message: /refused.*docker start/s,
  })
})

test('without a record, or without our file, there is none', async (t) => {
  const { place, tools } = prepared(t)
  await assert.rejects(checkOurs(tools, place, undefined), { code: 'none' })
  await assert.rejects(checkOurs(tools, { ...place, kubeconfig: `${place.kubeconfig}-2` }, record), { code: 'none' })
  assert.deepEqual(tools.asked, [])
})

test('a cluster that was made by hand is taken for ours where kind has it and it is on this machine', async (t) => {
  const { place, tools } = prepared(t)
  await adoptCluster(tools, place, new Date(0))
  assert.equal(readRecord(place)?.uid, uid)
  await checkOurs(tools, place, readRecord(place))
  const far = prepared(t, [['kubectl config view', { stdout: 'https://api.production.example' }]])
  await assert.rejects(adoptCluster(far.tools, far.place, new Date(0)), { code: 'not-ours' })
  assert.equal(readRecord(far.place), undefined)
  const gone = prepared(t, [['kind get clusters', { stdout: 'other\n' }]])
  await assert.rejects(adoptCluster(gone.tools, gone.place, new Date(0)), { code: 'none' })
})

const ports = /^docker container inspect .*\.Ports "6443\/tcp"/
for (const [what, server, published] of [
  ['another port, as of a tunnel', 'https://127.0.0.1:40124', '127.0.0.1 40123\n\n'],
  ['the same port of another address', 'https://127.0.0.2:40123', '127.0.0.1 40123\n\n'],
  ['a port that begins like it', 'https://127.0.0.1:4012', '127.0.0.1 40123\n\n'],
  ['a port, where the container is stopped', 'https://127.0.0.1:40123', '\n'],
] as const)
  test(`by hand, and the context leads to ${what}: nothing is asked of it, and it is not ours`, async (t) => {
    const { place, tools } = prepared(t, [
      ['kubectl config view', { stdout: server }],
      [ports, { stdout: published }],
    ])
    const adopted = adoptCluster(tools, place, new Date(0))
    await assert.rejects(adopted, {
      code: 'not-ours',
      message: /Docker publishes the API server .*Nothing was changed/,
    })
    assert.equal(readRecord(place), undefined)
    assert.ok(!tools.lines().some((line) => line.startsWith('kubectl get')), tools.lines().join('\n'))
  })

for (const [what, server, published] of [
  ['by IPv6', 'https://[::1]:40123', '::1 40123\n\n'],
  ['at two addresses', 'https://127.0.0.1:40123', '::1 40125\n127.0.0.1 40123\n\n'],
  ['as the label of Docker Desktop says', 'https://127.0.0.1:40123', '127.0.0.1:40123\n'],
  ['as that label says, by IPv6', 'https://[::1]:40123', '[::1]:40123\n'],
] as const)
  test(`by hand, and Docker publishes it ${what}: it is ours`, async (t) => {
    const { place, tools } = prepared(t, [
      ['kubectl config view', { stdout: server }],
      [ports, { stdout: published }],
    ])
    assert.equal((await adoptCluster(tools, place, new Date(0))).uid, uid)
  })
