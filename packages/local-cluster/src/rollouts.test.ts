import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '@bulkhead/testing'
import { processStamp } from './processes.js'
import { account, ask, get, policy, start, statusOf, web } from './testing/live.js'

test('while a template changes five times no request is lost', async (t) => {
  const { cluster, save, rolled } = await start(t, {
    'web.yaml': web('v0'),
    'p.yaml': policy('p', 'ALLOW', 'client'),
  })
  const asking = ask(t, cluster)
  await asking.heard('200 v0')
  for (let n = 1; n <= 5; n++) {
    const rollout = await rolled(() => save('web.yaml', web(`v${n}`)))
    assert.deepEqual(rollout.workloads, ['shop/web'])
    await asking.heard(`200 v${n}`)
  }
  const counts = await asking.counts()
  assert.deepEqual(Object.keys(counts).sort(), ['200 v0', '200 v1', '200 v2', '200 v3', '200 v4', '200 v5'])
  const pods = cluster.status().workloads.find(({ workload }) => workload === 'shop/web')
  assert.deepEqual([pods?.ready, pods?.of], [1, 1])
})

test('a rollout that is stuck keeps what serves, under the policies of its save; the next save gets it going', async (t) => {
  const { cluster, save, told, rolled } = await start(
    t,
    { 'web.yaml': web('good'), 'p.yaml': policy('p', 'ALLOW', 'client') },
    { rolloutTimeoutMs: 300 },
  )
  const asking = ask(t, cluster)
  await asking.heard('200 good')
  const hangs = web('bad', { command: 'command: [node, -e, "setInterval(() => {}, 1000)"]' })
  const stuck = await rolled(() => save('web.yaml', hangs), 'stuck')
  assert.match(stuck.waitingFor.join(), /^shop\/web-/)
  assert.deepEqual(Object.keys(await asking.counts()), ['200 good'])
  // The old pod is still one of the workload: policies of later saves hold for it.
  await told('changed', () => save('p.yaml', policy('p', 'ALLOW', 'nobody')))
  assert.equal(await statusOf(cluster), 'reset')
  await told('changed', () => save('p.yaml', policy('p', 'ALLOW', 'client')))
  assert.equal(await statusOf(cluster), 200)
  await rolled(() => save('web.yaml', web('better')))
  assert.equal((await cluster.attempt('shop/client', get)).observation.http?.body.includes('better'), true)
  assert.equal(cluster.status().workloads.find(({ workload }) => workload === 'shop/web')?.of, 1)
})

test('workloads come, scale and go with their files', async (t) => {
  const { cluster, root, save, rolled } = await start(t, {})
  const count = () => cluster.status().workloads.find(({ workload }) => workload === 'shop/web')?.pods.length
  for (const [replicas, pods] of [
    [1, 1],
    [3, 3],
    [1, 1],
    [0, undefined],
  ] as const) {
    await rolled(() => save('web.yaml', web('one', { replicas })))
    assert.equal(count(), pods)
    if (replicas < 2) continue
    // One of several that calls its own workload calls another.
    const { flows } = await cluster.attempt('shop/web', { ...get, to: { workload: 'shop/web' } })
    assert.deepEqual([flows[0]?.outcome, flows[0]?.source.pod === flows[0]?.destination.pod], ['allow', false])
  }
  await rolled(() => save('web.yaml', web('one')))
  assert.equal(await statusOf(cluster), 200)
  await rolled(() => rmSync(join(root, 'web.yaml')))
  assert.equal(count(), undefined)
})

/** Two pods that only wait; `word` is what a template says. */
const set = (word: string) => `${account('set')}
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: set, namespace: shop }
spec:
  replicas: 2
  serviceName: set
  selector: { matchLabels: { app: set } }
  template:
    metadata: { labels: { app: set }, annotations: { word: ${word} } }
    spec:
      serviceAccountName: set
      containers: [{ name: probe, image: localhost/bulkhead/probe:0.1.0, env: [{ name: WORD, value: ${word} }] }]
`

test('a StatefulSet’s pods are made anew one by one under their names, the last one first', async (t) => {
  const { cluster, save, rolled } = await start(t, { 'set.yaml': set('one') })
  const pods = () => cluster.status().workloads.find(({ workload }) => workload === 'shop/set')?.pods ?? []
  const pids = () => pods().map(({ pod, containers }) => `${pod} ${containers[0]?.pid}`)
  const before = pids()
  const seen = new Set<string>()
  const watching = setInterval(() => {
    const down = pods().filter(({ ready }) => !ready)
    const gone = ['shop/set-0', 'shop/set-1'].filter((name) => !pods().some(({ pod }) => pod === name))
    seen.add([...down.map(({ pod }) => pod), ...gone].join())
  }, 5)
  await rolled(() => save('set.yaml', set('two')))
  clearInterval(watching)
  assert.deepEqual(
    pods()
      .map(({ pod, ready }) => [pod, ready])
      .sort(),
    [
      ['shop/set-0', true],
      ['shop/set-1', true],
    ],
  )
  assert.ok(
    pids().every((pid) => !before.includes(pid)),
    pids().join(),
  )
  // Never both at once, and never the first before the last.
  assert.deepEqual(
    [...seen].filter((word) => word !== ''),
    ['shop/set-1', 'shop/set-0'],
  )
})

test('a change whose pods do not become ready is taken back, and what it was to replace has served all the while', async (t) => {
  const { cluster } = await start(t, { 'web.yaml': web('good') }, { rolloutTimeoutMs: 300 })
  const asking = ask(t, cluster)
  await asking.heard('200 good')
  const before = cluster.status()
  const hangs = { command: 'command: [node, -e, "setInterval(() => {}, 1000)"]' }
  const deny = policy('p', 'DENY', 'client')
  for (const objects of [web('bad', hangs), web('bad', hangs).replaceAll('web', 'web2')]) {
    await assert.rejects(cluster.apply('bad', { objects: `${objects}---${deny.replace('app: web', 'app: other')}` }), {
      code: 'not-ready',
      message:
        /^shop\/web2?-\S+ did not become ready, so the change was taken back; look into .+\/shop\/web2?-\S+\.log/,
    })
    const { workloads, changes } = cluster.status()
    assert.deepEqual(
      [changes, workloads.map(({ workload, of }) => [workload, of])],
      [[], before.workloads.map(({ workload, of }) => [workload, of])],
    )
  }
  assert.equal(
    cluster.objects().some(({ id }) => id === 'AuthorizationPolicy/shop/p'),
    false,
  )
  assert.deepEqual(Object.keys(await asking.counts()), ['200 good'])
})

test('what is taken down in the middle of a rollout leaves nothing running', async (t) => {
  const { cluster, save, told } = await start(t, { 'web.yaml': web('one', { replicas: 2 }) })
  await told('changed', () => save('web.yaml', web('two', { replicas: 2 })))
  await eventually('a new pod is on its way', () =>
    cluster.status().workloads.some(({ workload, of }) => workload === 'shop/web' && of === 3),
  )
  const pids = cluster
    .status()
    .workloads.flatMap(({ pods }) => pods.flatMap(({ containers }) => containers.map(({ pid = 0 }) => pid)))
  assert.ok(pids.length >= 3)
  await cluster.stop({ graceMs: 2000 })
  assert.ok(pids.every((pid) => processStamp(pid) === undefined))
})
