import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeProcesses } from '../push/types.js'
import { dataOf, pod, refusedWith, scenes, scheduling } from '../testing/scheduling.js'

const path = '/api/v1/nodes'

const processes: NodeProcesses = {
  pods: [
    { podUid: 'uid-of-web-1', podId: 'p', processes: [{ pid: 7, command: 'nginx', ppid: 1, containerId: 'c' }] },
    { podUid: 'uid-of-bank-1', processes: [] },
    { podUid: 'nobody-knows', processes: [{ pid: 9, command: 'x' }] },
  ],
  timestamp: '2025-12-30T13:09:10Z',
  nodeName: 'node-1',
}

test(
  'GET /api/v1/nodes',
  scenes({
    'contract 1.6: names and states, by name': async ({ planner }) => {
      const ann = await planner()
      assert.deepEqual(dataOf(await ann.get(path)), {
        nodes: [
          { name: 'node-1', status: 'Ready' },
          { name: 'node-2', status: 'NotReady' },
          { name: 'node-3', status: 'Unknown' },
        ],
      })
    },

    'contract M27: in pages, and a list also when there is none': async ({ planner, cluster }) => {
      const ann = await planner()
      const first = dataOf(await ann.get(`${path}?limit=2`)) as { nodes: { name: string }[]; nextCursor: string }
      assert.deepEqual(
        first.nodes.map(({ name }) => name),
        ['node-1', 'node-2'],
      )
      assert.deepEqual(dataOf(await ann.get(`${path}?limit=2&cursor=${first.nextCursor}`)), {
        nodes: [{ name: 'node-3', status: 'Unknown' }],
      })
      for (const query of ['limit=0', 'limit=x', `cursor=${'x'.repeat(254)}`])
        refusedWith(await ann.get(`${path}?${query}`), 422, 'VALIDATION_FAILED')
      for (const { name } of cluster.nodes()) cluster.removeNode(name)
      assert.deepEqual(dataOf(await ann.get(path)), { nodes: [] })
    },

    'contract 1.6: when the Kubernetes API does not say: 503, not an empty list': async ({ planner, cluster }) => {
      const ann = await planner()
      cluster.synced = false
      refusedWith(await ann.get(path), 503, 'CLUSTER_UNKNOWN')
      refusedWith(await ann.get(`${path}/node-1/pods/pids`), 503, 'CLUSTER_UNKNOWN')
    },
  }),
)

test(
  'GET /api/v1/nodes/{nodeID}/pods/pids',
  scenes({
    'contract 1.6: what the node’s scheduler sees, in the API’s spelling, and which pods those are': async ({
      planner,
      push,
    }) => {
      const ann = await planner()
      push.read = async () => processes
      const [web, ...others] = processes.pods
      assert.deepEqual(dataOf(await ann.get(`${path}/node-1/pods/pids`)), {
        ...processes,
        pods: [{ ...web, podName: 'web-1', k8sNamespace: 'shop' }, ...others],
      })
      assert.deepEqual(push.asked, ['node-1'])
    },

    'a scheduler that tells of pods of another node is not believed in that': async ({ planner, push }) => {
      const all = await planner()
      const shop = await planner({ policies: [{ permissionKey: 'pod_pid_mapping.read', k8sNamespace: 'shop' }] })
      // web-3 is on node-2.
      push.read = async () => ({
        ...processes,
        pods: [...processes.pods, { podUid: 'uid-of-web-3', processes: [{ pid: 1, command: 'made up' }] }],
      })
      for (const [by, uids] of [
        [all, ['uid-of-web-1', 'uid-of-bank-1', 'nobody-knows']],
        [shop, ['uid-of-web-1']],
      ] as const) {
        const { pods } = dataOf(await by.get(`${path}/node-1/pods/pids`)) as { pods: { podUid: string }[] }
        assert.deepEqual(
          pods.map(({ podUid }) => podUid),
          uids,
        )
      }
    },

    'contract 1.6: no node named 400, one that there is not 404, without a scheduler 503, with one that fails 503':
      async ({ planner, push }) => {
        const ann = await planner()
        refusedWith(await ann.get(`${path}/%20/pods/pids`), 400, 'NODE_ID_REQUIRED', 'Node ID is required')
        refusedWith(await ann.get(`${path}/${'x'.repeat(254)}/pods/pids`), 422, 'VALIDATION_FAILED')
        for (const name of ['node-9', 'NODE-1', '__proto__', '%2e%2e%2fnode-1', '%24where']) {
          refusedWith(await ann.get(`${path}/${name}/pods/pids`), 404, 'NODE_NOT_FOUND', 'node not found')
        }
        refusedWith(await ann.get(`${path}//pods/pids`), 404, 'NOT_FOUND')
        assert.equal(push.asked.length, 0, 'nobody is asked for a node that there is not')
        refusedWith(await ann.get(`${path}/node-1/pods/pids`), 503, 'SCHEDULER_MISSING')
        push.read = () => Promise.reject(new Error('connect ECONNREFUSED 10.244.1.9:8080'))
        const failed = await ann.get(`${path}/node-1/pods/pids`)
        refusedWith(failed, 503, 'SCHEDULER_UNAVAILABLE')
        assert.doesNotMatch(failed.text, /10\.244/)
      },

    'contract M12: with a policy for one namespace, its pods alone': async ({ planner, push, cluster }) => {
      cluster.setPod(pod('bank-1', 'bank', 'node-1', 'bank'))
      const others = scheduling.filter((key) => key !== 'pod_pid_mapping.read')
      const ann = await planner({
        policies: [...others, { permissionKey: 'pod_pid_mapping.read', k8sNamespace: 'bank' }],
      })
      push.read = async () => processes
      assert.deepEqual(dataOf(await ann.get(`${path}/node-1/pods/pids`)), {
        ...processes,
        pods: [{ ...processes.pods[1], podName: 'bank-1', k8sNamespace: 'bank' }],
      })
    },
  }),
)
