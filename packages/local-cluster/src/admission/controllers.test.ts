import assert from 'node:assert/strict'
import { test } from 'node:test'
import { namespace, start, statusOf, web } from '../testing/live.js'

/** Pod Security, as the namespace's labels ask for it. */
const baseline = namespace.replace('ambient }', 'ambient, pod-security.kubernetes.io/enforce: baseline }')

const bad = (text: string) => text.replace('serviceAccountName: web', 'hostIPC: true\n      serviceAccountName: web')

const statefulSet = (message: string) =>
  web(message).replace('kind: Deployment', 'kind: StatefulSet').replace('replicas: 1', 'serviceName: web')
const daemonSet = (message: string) =>
  web(message).replace('kind: Deployment', 'kind: DaemonSet').replace('  replicas: 1\n', '')

for (const { kind, text, of, words } of [
  {
    kind: 'StatefulSet',
    text: statefulSet,
    of: 1,
    words: /^create Pod web-0 in StatefulSet web failed error: pods "web-0" /,
  },
  { kind: 'DaemonSet', text: daemonSet, of: 2, words: /^Error creating: pods "web-[a-z0-9]{5}" / },
])
  test(`a ${kind} whose pods are refused is told as its controller tells it, and starts when it is mended`, async (t) => {
    const { cluster, save, rolled } = await start(t, { 'namespace.yaml': baseline, 'web.yaml': bad(text('one')) })
    const workload = () => cluster.status().workloads.find((one) => one.workload === 'shop/web')
    const found = workload()
    assert.deepEqual([found?.kind, found?.ready, found?.of, found?.pods], [kind, 0, of, []])
    assert.match(found?.failedCreate?.told ?? '', words)
    assert.match(
      found?.failedCreate?.told ?? '',
      /violates PodSecurity "baseline:latest": host namespaces \(hostIPC=true\)$/,
    )
    const [refusal, ...others] = cluster.status().notAdmitted
    assert.deepEqual(
      [others, refusal?.id, refusal?.refused, refusal?.policy, refusal?.path],
      [[], `${kind}/shop/web`, 'pods', 'Namespace/shop', '/spec/hostIPC'],
    )
    assert.match(refusal?.objectAt ?? '', /^web\.yaml:\d+:\d+$/)
    assert.notEqual(await statusOf(cluster), 200)
    const { workloads } = await rolled(() => save('web.yaml', text('two')))
    assert.deepEqual(workloads, ['shop/web'])
    assert.deepEqual([await statusOf(cluster), cluster.status().notAdmitted], [200, []])
    assert.deepEqual([workload()?.ready, workload()?.of], [of, of])
  })
