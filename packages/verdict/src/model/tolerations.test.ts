import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Workload } from '@bulkhead/resources'
import { ambient, resource, workload } from '../testing/objects.js'
import type { Pod } from '../types.js'
import { compile } from './compile.js'

const key = 'node-role.kubernetes.io/control-plane'
const worker = ['bulkhead-worker', 'bulkhead-worker2']

function agent(tolerations: readonly object[] | undefined, more: { hostNetwork?: boolean } = {}) {
  const { object } = workload('node/agent', { kind: 'DaemonSet', ...more })
  const { spec } = object as Workload
  const template = { ...spec.template, spec: { ...spec.template.spec, ...(tolerations && { tolerations }) } }
  return resource({ ...object, spec: { ...spec, template } } as Workload)
}

const podsOf = (pods: ReadonlyMap<string, Pod>) =>
  [...pods.values()].filter(({ workload }) => workload === 'node/agent')
const nodesOf = (...given: Parameters<typeof agent>) => podsOf(compile([ambient('node'), agent(...given)]).pods)

test('a DaemonSet that tolerates the taint has a pod on the control plane’s node too, with an address of its block', () => {
  const pods = nodesOf([{ key, operator: 'Exists', effect: 'NoSchedule' }])
  assert.deepEqual(
    pods.map(({ node }) => node),
    [...worker, 'bulkhead-control-plane'],
  )
  // 10.244.0.2 is CoreDNS's.
  assert.deepEqual(
    pods.map(({ ip }) => ip),
    ['10.244.1.2', '10.244.2.2', '10.244.0.3'],
  )
})

test('which tolerations are for that taint', () => {
  const tolerated: readonly object[] = [
    { operator: 'Exists' },
    { key, operator: 'Exists' },
    { key },
    { key, operator: 'Equal', value: '', effect: 'NoSchedule' },
  ]
  const not: readonly (object | undefined)[] = [
    undefined,
    { key, operator: 'Exists', effect: 'NoExecute' },
    { key, value: 'true' },
    { key: 'node-role.kubernetes.io/other', operator: 'Exists' },
    { value: '' },
  ]
  for (const one of tolerated) assert.equal(nodesOf([one]).length, 3, JSON.stringify(one))
  for (const one of not) assert.equal(nodesOf(one && [one]).length, 2, JSON.stringify(one))
})

test('its pods stay what they are when others come, and with the taint no longer tolerated the workers’ too', () => {
  const tolerating = agent([{ key, operator: 'Exists' }])
  const before = compile([ambient('node'), tolerating])
  const more = [ambient('node'), workload('node/first'), workload('node/second', { replicas: 3 }), tolerating]
  const after = compile(more, { previous: before })
  for (const pod of podsOf(before.pods)) assert.deepEqual(after.pods.get(pod.key), pod)
  const names = podsOf(before.pods).map(({ name }) => name)
  assert.deepEqual(
    nodesOf(undefined).map(({ name }) => name),
    names.slice(0, 2),
  )
})

test('on the host’s network it has the node’s address', () => {
  const pods = nodesOf([{ operator: 'Exists' }], { hostNetwork: true })
  assert.deepEqual(
    pods.map(({ ip }) => ip),
    ['172.18.0.3', '172.18.0.4', '172.18.0.2'],
  )
})

test('a cluster of one node alone runs everything on it', () => {
  const nodes = ['bulkhead-control-plane']
  const { pods } = compile([ambient('node'), agent([{ operator: 'Exists' }]), workload('node/app')], { nodes })
  assert.deepEqual(
    [...pods.values()].map(({ node }) => node),
    [...nodes, ...nodes],
  )
})

test('a pod of no workload that names its node is there, whatever taint it has; a name that no node has counts for nothing', () => {
  const bare = (nodeName?: string) => {
    const spec = { containers: [{ name: 'c', image: 'i' }], ...(nodeName !== undefined && { nodeName }) }
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'agent', namespace: 'node' }, spec } as const
    return podsOf(compile([ambient('node'), resource(pod)]).pods).map(({ node }) => node)
  }
  assert.deepEqual(bare('bulkhead-control-plane'), ['bulkhead-control-plane'])
  assert.deepEqual(bare('bulkhead-worker2'), ['bulkhead-worker2'])
  assert.deepEqual(bare(), ['bulkhead-worker'])
  assert.deepEqual(bare('elsewhere'), ['bulkhead-worker'])
})
