import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubernetesObject } from '@bulkhead/resources'
import { type Flow, judge, type Snapshot } from '@bulkhead/verdict'
import { ciliumPolicy, type Manifest, namespace, networkPolicy, snapshotOf, workload } from '../../testing/objects.js'
import { smallestFix } from '../fix.js'
import type { Fix } from '../types.js'

const ports = [{ containerPort: 80 }, { containerPort: 81 }]
const scene = [namespace('a'), namespace('b'), workload('a/web', { ports }), workload('a/client'), workload('b/far')]
const closed = networkPolicy('a/closed', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] })
const only = (app: string) => ({ podSelector: { matchLabels: { app } } })
const toWeb = (workloadKey: string): Flow => ({ from: { workload: workloadKey }, to: { workload: 'a/web' }, port: 80 })

/** What the engine says once the new objects of a fix are there. */
function withAdded(objects: readonly Manifest[], fix: Fix | undefined): Snapshot {
  const added = (fix?.edits ?? []).filter(({ field }) => field === '')
  return snapshotOf([...objects, ...added.map(({ value }) => JSON.parse(value) as KubernetesObject & Manifest)])
}

test('nothing is open: a policy for each end, for these two and this port alone', () => {
  const objects = [...scene, closed]
  const fix = smallestFix(toWeb('a/client'), snapshotOf(objects))
  assert.deepEqual(
    fix?.edits.map(({ object, says, beside }) => [object, says, beside]),
    [
      [
        'NetworkPolicy/a/client-to-web',
        'add a NetworkPolicy for egress of a/client, 15008/TCP',
        'NetworkPolicy/a/closed',
      ],
      [
        'NetworkPolicy/a/web-from-client',
        'add a NetworkPolicy for ingress of a/web, 15008/TCP',
        'NetworkPolicy/a/closed',
      ],
    ],
  )
  assert.deepEqual((JSON.parse(fix?.edits[0]?.value ?? '{}') as { spec: object }).spec, {
    podSelector: { matchLabels: { app: 'client' } },
    policyTypes: ['Egress'],
    egress: [{ to: [only('web')], ports: [{ port: 15008, protocol: 'TCP' }] }],
  })
  const pasted = withAdded(objects, fix)
  assert.equal(judge(toWeb('a/client'), pasted).outcome, 'allow')
  assert.equal(judge({ ...toWeb('a/client'), protocol: 'UDP' }, pasted).outcome, 'deny')
  assert.equal(judge(toWeb('b/far'), pasted).outcome, 'deny')
  // 15008 carries every port, and that is said.
  assert.deepEqual(fix?.alsoOpens, ['a/client -> a/web:81'])
})

test('a rule that opens this very port: the peer is added there, by namespace where it is another', () => {
  const fromClient = networkPolicy('a/web-from-client', {
    podSelector: { matchLabels: { app: 'web' } },
    ingress: [{ from: [only('client')], ports: [{ port: 15008 }] }],
  })
  const fix = smallestFix(toWeb('b/far'), snapshotOf([...scene, fromClient]))
  const [edit, ...more] = fix?.edits ?? []
  assert.equal(more.length, 0)
  assert.deepEqual([edit?.object, edit?.field], ['NetworkPolicy/a/web-from-client', 'spec.ingress[0].from'])
  assert.deepEqual(JSON.parse(edit?.value ?? '{}'), {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'b' } },
    ...only('far'),
  })
})

test('a rule for more pods than this one is not widened: a policy of its own opens less', () => {
  const all = networkPolicy('a/all', {
    podSelector: {},
    policyTypes: ['Ingress'],
    ingress: [{ from: [only('client')], ports: [{ port: 15008 }] }],
  })
  const more = [...scene, workload('a/db', { ports: [{ containerPort: 80 }] }), all]
  const fix = smallestFix(toWeb('b/far'), snapshotOf(more))
  assert.deepEqual(
    fix?.edits.map(({ object }) => object),
    ['NetworkPolicy/a/web-from-far'],
  )
})

test('a rule for the app’s port alone: the port that mesh traffic arrives on is added to it', () => {
  const appPort = networkPolicy('a/web', {
    podSelector: { matchLabels: { app: 'web' } },
    ingress: [{ from: [only('client')], ports: [{ port: 80 }] }],
  })
  const fix = smallestFix(toWeb('a/client'), snapshotOf([...scene, appPort]))
  assert.deepEqual(
    fix?.edits.map(({ object, says }) => [object, says]),
    [['NetworkPolicy/a/web', 'add {port: 15008} to the ports of rule 0']],
  )
})

test('a host outside: its name may be asked for, and its addresses be dialled, and no other’s', () => {
  const objects = [...scene, closed]
  const flow: Flow = { from: { workload: 'a/client' }, to: { host: 'api.partner.example' }, port: 443 }
  const fix = smallestFix(flow, snapshotOf(objects))
  assert.deepEqual(
    fix?.edits.map(({ object }) => object),
    [
      'CiliumNetworkPolicy/a/client-asks-for-api.partner.example',
      'CiliumNetworkPolicy/a/client-to-api.partner.example',
    ],
  )
  const pasted = withAdded(objects, fix)
  assert.equal(judge(flow, pasted).outcome, 'allow')
  assert.equal(judge({ ...flow, port: 80 }, pasted).outcome, 'deny')
  assert.equal(judge({ ...flow, to: { host: 'other.example' } }, pasted).symptom, 'dns-refused')
})

test('the API server has an entity of its own; a node has none, and all of them are not opened for one', () => {
  const objects = [...scene, closed]
  const api: Flow = { from: { workload: 'a/client' }, to: { service: 'default/kubernetes' }, port: 443 }
  const fix = smallestFix(api, snapshotOf(objects))
  assert.deepEqual(
    fix?.edits.map(({ object }) => object),
    ['CiliumNetworkPolicy/a/client-to-api-server'],
  )
  assert.equal(judge(api, withAdded(objects, fix)).outcome, 'allow')
  const node = snapshotOf(objects).nodes[1]?.name ?? ''
  assert.equal(
    smallestFix({ from: { workload: 'a/client' }, to: { node }, port: 10250 }, snapshotOf(objects)),
    undefined,
  )
})

test('a deny rule is meant: no change is offered', () => {
  const no = ciliumPolicy('a/no', {
    endpointSelector: {},
    egressDeny: [{ toEntities: ['world'] }],
    enableDefaultDeny: { egress: false },
  })
  const flow: Flow = { from: { workload: 'a/client' }, to: { ip: '192.0.2.1' }, port: 443 }
  assert.equal(judge(flow, snapshotOf([...scene, no])).outcome, 'deny')
  assert.equal(smallestFix(flow, snapshotOf([...scene, no])), undefined)
})
