import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '@bulkhead/testing'
import { asPod, reader, readPodsAndNodes } from '../testing/kube.js'
import { account, start, web } from '../testing/live.js'

/** On every node, with the host's /proc. */
const agent = `${account('agent')}
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: agent, namespace: shop }
spec:
  selector: { matchLabels: { app: agent } }
  template:
    metadata: { labels: { app: agent } }
    spec:
      serviceAccountName: agent
      tolerations: [{ key: node-role.kubernetes.io/control-plane, operator: Exists, effect: NoSchedule }]
      containers:
        - name: probe
          image: localhost/bulkhead/probe:0.1.0
          env: [{ name: PROC_ROOT, value: /host/proc }]
          volumeMounts:
            - { name: proc, mountPath: /host/proc, readOnly: true }
            - { name: dev, mountPath: /host/dev }
      volumes:
        - { name: proc, hostPath: { path: /proc/, type: Directory } }
        - { name: dev, hostPath: { path: /dev } }
`

test('a DaemonSet’s pod on each node finds in /host/proc its node’s processes, under the uids that the API tells', async (t) => {
  const { cluster, save, rolled } = await start(t, {
    'agent.yaml': agent,
    'web.yaml': web('one', { replicas: 2 }),
    'reader.yaml': reader(readPodsAndNodes),
  })
  const { workloads, nodes, stateDir } = cluster.status()
  const all = () => cluster.status().workloads.flatMap(({ pods }) => pods)
  const agents = workloads.find(({ workload }) => workload === 'shop/agent')?.pods ?? []
  assert.deepEqual(agents.map(({ node }) => node).sort(), ['bulkhead-control-plane', ...nodes.map(({ name }) => name)])
  const asked = asPod(
    t,
    cluster,
    'shop/reader',
    `const { items } = await core.listPodForAllNamespaces()
     for (const { metadata, status, spec } of items) say({ pod: metadata.namespace + '/' + metadata.name, uid: metadata.uid, node: spec.nodeName, host: status.hostIP, id: status.containerStatuses[0].containerID })
     say({ taints: (await core.listNode()).items.map(({ metadata, spec }) => [metadata.name, spec.taints?.[0]?.key]) })`,
  )
  const said = await asked.over()
  assert.deepEqual(said.at(-1)?.taints, [
    ['bulkhead-control-plane', 'node-role.kubernetes.io/control-plane'],
    ['bulkhead-worker', null],
    ['bulkhead-worker2', null],
  ])
  for (const { node, rewritten, pod } of agents) {
    const root = rewritten.find(({ name }) => name === 'PROC_ROOT')?.to ?? ''
    assert.equal(root, join(stateDir, 'nodes', node, 'proc'))
    const there = all().filter((one) => one.node === node)
    const pids = there.flatMap(({ containers }) => containers.map(({ pid }) => pid))
    await eventually(`all of ${node} are there`, () => pids.every((pid) => existsSync(join(root, String(pid)))))
    for (const { pod: key, containers } of there) {
      const told = said.find((line) => line.pod === key)
      const cgroup = readFileSync(join(root, String(containers[0]?.pid), 'cgroup'), 'utf8')
      assert.equal(told?.node, node)
      assert.ok(cgroup.includes(`-pod${String(told?.uid).replaceAll('-', '_')}.slice/`), cgroup)
      assert.ok(cgroup.endsWith(`cri-containerd-${String(told?.id).replace('containerd://', '')}.scope\n`), cgroup)
    }
    const log = cluster.logs(pod)[0]?.file ?? ''
    assert.match(readFileSync(log, 'utf8'), /volume dev: the host's \/dev is an empty folder here/)
  }
  const onControlPlane = said.find(({ node }) => node === 'bulkhead-control-plane')
  assert.equal(onControlPlane?.host, '172.18.0.2')

  // A rollout: the old pods' processes are gone from their nodes' trees, and the new ones' are there.
  await rolled(() => save('web.yaml', web('two', { replicas: 2 })))
  const trees = () =>
    readdirSync(join(stateDir, 'nodes')).flatMap((node) => readdirSync(join(stateDir, 'nodes', node, 'proc')))
  const expected = () => all().flatMap(({ containers }) => containers.map(({ pid }) => String(pid)))
  await eventually('all and only those that run are there', () => {
    const found = trees().map((path) => basename(path))
    return expected().every((pid) => found.includes(pid)) && found.length === expected().length
  })
  await cluster.stop({ graceMs: 0 })
  assert.ok(!existsSync(join(stateDir, 'nodes')))
})
