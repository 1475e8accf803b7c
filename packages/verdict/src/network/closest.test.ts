import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CiliumRule, Resource } from '@bulkhead/resources'
import { compile } from '../model/compile.js'
import { judgeAt } from '../points/judge-at.js'
import { echoes, type PacketOptions, packet, podOf } from '../testing/network-scene.js'
import { ambient, ciliumPolicy, networkPolicy, workload } from '../testing/objects.js'
import type { Closest } from '../types.js'

/*
 * A denial by default names the rule that came closest to allowing, and what it lacks.
 */

type Ingress = NonNullable<CiliumRule['ingress']>

function closest(policies: readonly Resource[], port: number, options: PacketOptions = {}): Closest | undefined {
  const { steps } = packet([...echoes, ...policies], 'ingress', 'test/client', 'test/echo', port, options)
  assert.equal(steps[0]?.code, 'cni.default-deny')
  return steps[0]?.closest
}

function ingress(...rules: Ingress): Resource {
  return ciliumPolicy('test/p', { ingress: rules }, { layer: '30-cilium', file: 'p.yaml' })
}

const client = { matchLabels: { name: 'client' } }
const other = { matchLabels: { other: 'client' } }
const port = (number: string, protocol: 'TCP' | 'UDP' = 'TCP'): Ingress[number] => ({
  toPorts: [{ ports: [{ port: number, protocol }] }],
})

test('the rule that lacks the fewest attributes, the first of equals, with its line', () => {
  const rules = ingress(
    { fromEndpoints: [other], ...port('80') },
    { fromEndpoints: [other], ...port('8080') },
    { fromEndpoints: [client], ...port('80') },
  )
  const { policy, rule, at, lacks } = closest([rules], 8080) as Closest
  assert.deepEqual([policy, rule], ['CiliumNetworkPolicy/test/p', 1])
  assert.match(at, /^p\.yaml:\d+$/)
  assert.deepEqual(lacks, [
    { attribute: 'peer', wants: ['pods with other=client of namespace test'], has: 'test/client' },
  ])
})

test('a port, a protocol, or both', () => {
  const lacks = (rule: Ingress[number]): Closest['lacks'] | undefined =>
    closest([ingress({ fromEndpoints: [client], ...rule })], 8080)?.lacks
  assert.deepEqual(lacks(port('80')), [{ attribute: 'port', wants: ['80/TCP'], has: '8080/TCP' }])
  assert.deepEqual(lacks(port('8080', 'UDP')), [{ attribute: 'protocol', wants: ['UDP'], has: 'TCP' }])
  assert.deepEqual(lacks(port('53', 'UDP')), [
    { attribute: 'port', wants: ['53/UDP'], has: '8080/TCP' },
    { attribute: 'protocol', wants: ['UDP'], has: 'TCP' },
  ])
})

test('a long list of what a rule wants is cut', () => {
  const cidrs = Array.from({ length: 40 }, (_, index) => `198.51.100.${index}/32`)
  const wants = closest([ingress({ fromCIDR: cidrs })], 8080)?.lacks[0]?.wants ?? []
  assert.deepEqual([wants.length, wants[0], wants.at(-1)], [6, '198.51.100.0/32', '35 more'])
})

test('no rule, none that is closest; every policy that isolates is named, and no layer', () => {
  const policies = [
    networkPolicy('test/np', { policyTypes: ['Ingress'] }, { layer: '20-network' }),
    ciliumPolicy('test/cnp', { ingress: [{}] }, { layer: '30-cilium' }),
  ]
  const { steps } = packet([...echoes, ...policies], 'ingress', 'test/client', 'test/echo', 8080)
  const [step] = steps
  assert.deepEqual(
    [step?.engine, step?.layer, step?.policy, step?.closest],
    ['cilium', undefined, undefined, undefined],
  )
  assert.deepEqual(
    step?.isolatedBy?.map(({ policy, layer }) => [policy, layer]),
    [
      ['CiliumNetworkPolicy/test/cnp', '30-cilium'],
      ['NetworkPolicy/test/np', '20-network'],
    ],
  )
})

const mesh = [
  ambient('app'),
  workload('app/src'),
  workload('app/src2'),
  workload('app/dst', { ports: [{ containerPort: 8080 }] }),
]

function atMesh(policy: Resource, from = 'app/src') {
  const snapshot = compile([...mesh, policy])
  const [pod, peer] = [podOf(snapshot, 'app/dst'), podOf(snapshot, from)]
  const tuple = { src: peer.ip, dst: pod.ip, port: 15008, protocol: 'TCP' as const }
  return judgeAt('cni-ingress', { pod, peer, tuple }, snapshot).steps[0]
}

const from = (app: string, number: number) => ({
  from: [{ podSelector: { matchLabels: { app } } }],
  ports: [{ port: number }],
})

test('at 15008 the rule that opens another port to this very peer is closer than one for others', () => {
  const policy = networkPolicy('app/np', {
    ingress: [from('src2', 15008), { ports: [{ port: 9090 }] }, from('src', 8080)],
  })
  const step = atMesh(policy)
  assert.deepEqual([step?.code, step?.closest?.rule, step?.facts?.opens], ['cni.default-deny', 2, '8080/TCP'])
  assert.deepEqual(step?.closest?.lacks, [{ attribute: 'port', wants: ['8080/TCP'], has: '15008/TCP' }])
})

test('what 15008 carries is said where it is allowed between pods of the mesh', () => {
  const step = atMesh(networkPolicy('app/np', { ingress: [from('src', 15008)] }))
  assert.deepEqual(step?.facts, {
    pod: 'app/dst',
    direction: 'ingress',
    peer: 'app/src',
    port: '15008/TCP',
    carries: 'every port',
  })
})
