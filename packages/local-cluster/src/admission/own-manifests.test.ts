import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { cleanUp, temporaryFolder } from '@bulkhead/testing'
import { LocalCluster } from '../cluster.js'
import type { ClusterError } from '../errors.js'
import { realEngine } from '../real-engine.js'
import { nothingHeld, refusalsOf, storedOf } from './entries.js'
import { pass } from './gate.js'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const folders = (...names: readonly string[]) => names.map((name) => join(root, 'k8s', name))

test('all that npm start brings up is let in as it is written, and so is what istiod makes of its Gateways', async () => {
  const { resources } = await realEngine.load(folders('workloads', 'layers'), root)
  const { held, asked } = await pass(realEngine, nothingHeld, { wanted: resources, written: resources })
  assert.deepEqual(refusalsOf(held), [])
  assert.deepEqual(held.policies?.notModelled, [])
  assert.deepEqual(
    storedOf(held, 'running').map(({ id }) => id),
    resources.map(({ id }) => id),
  )
  assert.ok(asked.filter(({ given }) => given.layer === '10-admission').length > 10)
  const made = [...held.made.values()].map(({ given }) => given.kind)
  for (const kind of ['ServiceAccount', 'Deployment', 'Service']) assert.ok(made.includes(kind), made.join())
})

test('hacker-root is refused with the words of a cluster, while layer 10 is on', async (t) => {
  const cluster = await LocalCluster.start({
    manifests: folders('workloads/sandbox', 'layers/10-admission'),
    relativeTo: root,
    stateDir: join(temporaryFolder(t), 'state'),
  })
  cleanUp(t, () => cluster.stop({ graceMs: 0 }))
  const { notAdmitted, workloads } = cluster.status()
  assert.deepEqual(notAdmitted, [])
  assert.ok(workloads.length > 0)
  const file = 'k8s/attacks/hacker-root.yaml'
  const change = { objects: readFileSync(join(root, file), 'utf8'), file }
  const words =
    /^Error from server: error when creating "k8s\/attacks\/hacker-root\.yaml": admission webhook "vpol\.validate\.kyverno\.svc-fail" denied the request: .*Policy disallow-root-user failed: Running as root is forbidden/
  await assert.rejects(cluster.apply('hacker-root', change), (error: ClusterError) => {
    assert.equal(error.code, 'refused')
    assert.match(error.message, words)
    assert.match(
      error.message,
      /\n {2}by {4}ValidatingPolicy\/\S+ \(k8s\/layers\/10-admission\/\S+\/policy\.yaml:\d+\)\n/,
    )
    assert.match(
      error.message,
      /\n {2}for {3}.*Pod\/sandbox\/hacker-root \(k8s\/attacks\/hacker-root\.yaml:\d+:\d+\)\n/,
    )
    const said = error.admissions.find(({ object }) => object.id === 'Pod/sandbox/hacker-root')
    assert.ok(
      said?.steps.some(({ policy, outcome }) => policy === 'ValidatingPolicy/disallow-root-user' && outcome === 'deny'),
    )
    return true
  })
  assert.equal(
    cluster.objects().some(({ id }) => id === 'Pod/sandbox/hacker-root'),
    false,
  )
  await cluster.setLayers({ off: ['10-admission'] })
  await cluster.apply('hacker-root', change)
  assert.equal(cluster.status().workloads.find(({ workload }) => workload === 'sandbox/hacker-root')?.ready, 1)
  // What is there stays, and is told.
  const { wouldRefuse = [] } = await cluster.setLayers({ on: ['10-admission'] })
  assert.deepEqual(
    wouldRefuse.map(({ id }) => id),
    ['Pod/sandbox/hacker-root'],
  )
  assert.equal(cluster.status().workloads.find(({ workload }) => workload === 'sandbox/hacker-root')?.ready, 1)
  await cluster.withdraw('hacker-root')
})
