import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@bulkhead/testing'
import type { LocalCluster } from '../cluster.js'
import type { ClusterError } from '../errors.js'
import { account, get, namespace, start, statusOf, web } from '../testing/live.js'
import { refusalText } from './refusal.js'

/** Pod Security, as the namespace's labels ask for it. */
const level = (name: string) => namespace.replace('ambient }', `ambient, pod-security.kubernetes.io/enforce: ${name} }`)

/** Of a template or a pod: what the restricted level asks for. */
const safe = (text: string) =>
  text
    .replace(
      'serviceAccountName:',
      'securityContext: { runAsNonRoot: true, seccompProfile: { type: RuntimeDefault } }\n      serviceAccountName:',
    )
    .replace(
      /^( +)(- )?image: .*$/m,
      '$&\n          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: [ALL] } }',
    )

const client = safe(
  level('restricted').replace(
    'image: localhost/bulkhead/probe:0.1.0 }',
    'image: localhost/bulkhead/probe:0.1.0, securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: [ALL] } } }',
  ),
)

const barePod = `${account('bare')}
apiVersion: v1
kind: Pod
metadata: { name: bare, namespace: shop }
spec:
  serviceAccountName: bare
  hostPID: true
  containers: [{ name: probe, image: docker.io/library/nginx:1 }]
`

const workload = (cluster: LocalCluster, name = 'shop/web') =>
  cluster.status().workloads.find((one) => one.workload === name)

test('a workload whose pods are refused is there with none of them, is waited for by nobody, and starts when it is mended', async (t) => {
  const { cluster, save, rolled, told } = await start(t, { 'namespace.yaml': client, 'web.yaml': web('one') })
  const found = workload(cluster)
  assert.deepEqual([found?.kind, found?.ready, found?.of, found?.pods], ['Deployment', 0, 1, []])
  assert.match(
    found?.failedCreate?.message ?? '',
    /^pods "web-\S+" is forbidden: violates PodSecurity "restricted:latest": allow/,
  )
  const [refusal, ...others] = cluster.status().notAdmitted
  assert.deepEqual([others, refusal?.id, refusal?.refused], [[], 'Deployment/shop/web', 'pods'])
  assert.equal(refusal?.policy, 'Namespace/shop')
  assert.match(refusal?.policyAt ?? '', /^namespace\.yaml:\d+$/)
  assert.match(refusal?.objectAt ?? '', /^web\.yaml:\d+:\d+$/)
  assert.equal(
    cluster.objects().some(({ id }) => id === 'Deployment/shop/web'),
    true,
  )
  // Nothing is behind its Service.
  assert.notEqual(await statusOf(cluster), 200)
  const flow = { from: { workload: 'shop/client' }, to: { service: 'shop/web' }, port: 8080 }
  assert.equal((await cluster.predict(flow)).outcome, 'deny')

  const rollout = await rolled(() => save('web.yaml', safe(web('two'))))
  assert.deepEqual(rollout.workloads, ['shop/web'])
  assert.equal(await statusOf(cluster), 200)
  assert.deepEqual(cluster.status().notAdmitted, [])

  // Another template that is refused: the old pod stays, and serves.
  const { admission, rolling } = await told('changed', () => save('web.yaml', web('three')))
  assert.deepEqual(rolling, [])
  assert.deepEqual(
    admission.news.map(({ id, refused }) => [id, refused]),
    [['Deployment/shop/web', 'pods']],
  )
  assert.equal((await cluster.attempt('shop/client', get)).observation.http?.body.includes('two'), true)
  const after = workload(cluster)
  assert.deepEqual([after?.ready, after?.of, after?.failedCreate?.refused], [1, 1, 'pods'])
  // What the namespace asks for lets its pods in: nobody has touched the workload.
  const mended = await rolled(() => save('namespace.yaml', client.replace('enforce: restricted', 'enforce: baseline')))
  assert.deepEqual(mended.workloads, ['shop/web'])
  await eventually(
    'the new pod serves',
    async () => (await cluster.attempt('shop/client', get)).observation.http?.body.includes('three') === true,
  )
})

test('a pod that is refused is left out of the start and of a save, and all else goes on', async (t) => {
  const { cluster, save, told } = await start(t, {
    'namespace.yaml': level('baseline'),
    'web.yaml': web('one'),
    'bare.yaml': barePod,
  })
  assert.equal(await statusOf(cluster), 200)
  const [refusal] = cluster.status().notAdmitted
  assert.deepEqual([refusal?.id, refusal?.operation, refusal?.refused], ['Pod/shop/bare', 'CREATE', 'object'])
  assert.equal(
    cluster.objects().some(({ id }) => id === 'Pod/shop/bare'),
    false,
  )
  assert.match(
    refusal === undefined ? '' : refusalText(refusal),
    /^Error from server \(Forbidden\): error when creating "bare\.yaml": pods "bare" is forbidden: violates PodSecurity "baseline:latest": host namespaces \(hostPID=true\)\n {2}by {4}Namespace\/shop \(namespace\.yaml:\d+\)\n {2}for {3}\/spec\/hostPID of Pod\/shop\/bare \(bare\.yaml:\d+:\d+\)\n {2}It is not there\. What to do: /,
  )
  // Who applies it is told the same, though the files have it already.
  await assert.rejects(cluster.apply('bare', { objects: barePod, file: 'bare.yaml' }), { code: 'refused' })
  const { admission } = await told('changed', () =>
    save(
      'bare.yaml',
      barePod
        .replace('hostPID: true', 'hostNetwork: false')
        .replace('docker.io/library/nginx:1', 'localhost/bulkhead/probe:0.1.0'),
    ),
  )
  assert.deepEqual(admission.mended, ['Pod/shop/bare'])
  await eventually('it runs', () => workload(cluster, 'shop/bare')?.ready === 1)
})

test('a change that is refused, or whose pods are, changes nothing, and says what was said of each of its objects', async (t) => {
  const { cluster } = await start(t, { 'namespace.yaml': client })
  const before = cluster.status()
  const objects = cluster.objects()
  for (const [text, first] of [
    [barePod, /^Error from server \(Forbidden\): error when creating "x\.yaml": pods "bare" is forbidden: /],
    [web('one'), /^Error creating: pods "web-\S+" is forbidden: violates PodSecurity/],
  ] as const) {
    await assert.rejects(cluster.apply('x', { objects: text, file: 'x.yaml' }), (error: ClusterError) => {
      assert.deepEqual([error.code, error.name], ['refused', 'ClusterError'])
      assert.match(error.message, first)
      assert.match(error.message, /\n {2}It is not there\. What to do: /)
      const said = error.admissions.map(({ object, outcome, pod }) => [object.kind, outcome, pod?.outcome])
      const refused = text === barePod ? ['Pod', 'deny', undefined] : ['Deployment', 'allow', 'deny']
      assert.deepEqual(said.at(-1), refused)
      assert.deepEqual(said[0], ['ServiceAccount', 'allow', undefined])
      return true
    })
    const said = await cluster.admit({ objects: text, file: 'x.yaml' })
    assert.deepEqual(
      said.map(({ object }) => object.kind),
      text === barePod ? ['ServiceAccount', 'Pod'] : ['ServiceAccount', 'Service', 'Deployment'],
    )
  }
  assert.deepEqual([cluster.status(), cluster.objects()], [before, objects])
  await cluster.apply('x', { objects: safe(web('one')) })
  assert.equal(await statusOf(cluster), 200)
})
