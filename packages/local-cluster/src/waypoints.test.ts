import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Attempt } from '@bulkhead/scenarios'
import type { LocalCluster } from './cluster.js'
import { ask, get, start, statusOf } from './testing/live.js'
import { identities, requests, served, waypoint } from './testing/waypoint.js'

const remove: Attempt = { ...get, http: { method: 'DELETE', path: '/' } }
const waypointOf = (cluster: LocalCluster) =>
  cluster.status().workloads.find(({ workload }) => workload === 'shop/waypoint')

const files = {
  'web.yaml': served('one'),
  'layers/50-identity/identities.yaml': identities,
  'layers/60-requests/requests.yaml': requests(),
  'layers/60-requests/waypoint.yaml': waypoint(),
}
const layered = (t: Parameters<typeof start>[0], options: Parameters<typeof start>[2] = {}) => start(t, files, options)

test('a waypoint is there, is shown, and judges each request; what runs past it is refused', async (t) => {
  const { cluster } = await layered(t)
  const shown = waypointOf(cluster)
  assert.deepEqual([shown?.kind, shown?.ready, shown?.of, shown?.pods[0]?.gateway], ['Waypoint', 1, 1, 'shop/waypoint'])
  const { observation, flows } = await cluster.attempt('shop/client', get)
  assert.equal(observation.http?.status, 200)
  assert.ok(flows.some(({ steps }) => steps.some(({ point }) => point === 'waypoint')))
  assert.equal((await cluster.attempt('shop/client', remove)).observation.http?.status, 403)
  const past = await cluster.attempt('shop/client', { ...get, to: { workload: 'shop/web' } })
  assert.equal(past.observation.symptom, 'reset')
  assert.throws(() => cluster.exec('shop/waypoint'), { code: 'no-program', message: /Gateway shop\/waypoint/ })
})

test('while the wall of requests goes down and up again, nobody who is allowed all the while loses a request', async (t) => {
  const { cluster } = await layered(t)
  const asking = ask(t, cluster)
  await asking.heard('200 one')
  for (let turn = 0; turn < 3; turn++) {
    await cluster.setLayers({ off: ['60'] })
    assert.equal(waypointOf(cluster), undefined)
    assert.notEqual((await cluster.attempt('shop/client', remove)).observation.http?.status, 403)
    await cluster.setLayers({ on: ['60'] })
    assert.equal(waypointOf(cluster)?.ready, 1)
    assert.equal((await cluster.attempt('shop/client', remove)).observation.http?.status, 403)
  }
  assert.equal(await statusOf(cluster), 200)
  const counts = await asking.counts()
  const lost = cluster
    .flows()
    .filter(
      ({ source, outcome, symptom }) => source.workload === 'shop/client' && (outcome !== 'allow' || symptom !== 'ok'),
    )
    .filter(({ http }) => http?.method !== 'DELETE')
  assert.deepEqual(Object.keys(counts), ['200 one'], `${JSON.stringify(counts)} ${JSON.stringify(lost, null, 1)}`)
  assert.ok((counts['200 one'] ?? 0) > 100)
})

test('one that died stays on the way, and what goes by it fails; one that never was is gone past, and meets the wall', async (t) => {
  const { cluster } = await layered(t)
  const tried = async () => {
    const { observation, flows } = await cluster.attempt('shop/client', get)
    const predicted = await cluster.predict({
      from: { workload: 'shop/client' },
      to: { service: 'shop/web' },
      port: 8080,
      http: { method: 'GET', path: '/' },
    })
    assert.equal(observation.symptom, predicted.symptom)
    return { status: observation.http?.status, codes: flows.flatMap(({ steps }) => steps.map(({ code }) => code)) }
  }
  assert.equal((await tried()).status, 200)
  await cluster.apply('dead', { objects: waypoint(0) })
  assert.equal(waypointOf(cluster), undefined)
  const dead = await tried()
  assert.equal(dead.status, undefined)
  assert.ok(dead.codes.includes('network.no-endpoint'), dead.codes.join(' '))
  await cluster.withdraw('dead')
  assert.equal((await tried()).status, 200)

  // Taken away and brought anew, it is another one, which nobody has gone by.
  await cluster.apply('never', { objects: waypoint(0), without: ['Gateway/shop/waypoint'] })
  const never = await tried()
  assert.equal(never.status, undefined)
  assert.ok(never.codes.includes('waypoint.walked-past'), never.codes.join(' '))
  assert.ok(never.codes.includes('authz.rule-denies'), never.codes.join(' '))
  // Its pod comes later, and counts from then on.
  await cluster.apply('never', { objects: waypoint(1), without: ['Gateway/shop/waypoint'] })
  assert.equal((await tried()).status, 200)
  await cluster.withdraw('never')
  assert.equal((await tried()).status, 200)
})
