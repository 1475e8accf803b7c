import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Flow, judge } from '@bulkhead/verdict'
import { ciliumPolicy, type Manifest, namespace, snapshotOf, workload } from '../../testing/objects.js'
import { smallestFix } from '../fix.js'

const kubeDns = { matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'kube-system', 'k8s-app': 'kube-dns' } }
const scene = [
  namespace('a', false),
  workload('a/app'),
  workload('a/api', { ports: [{ containerPort: 80 }] }),
  ciliumPolicy('a/out', {
    endpointSelector: { matchLabels: { app: 'app' } },
    egress: [
      {
        toEndpoints: [kubeDns],
        toPorts: [{ ports: [{ port: '53', protocol: 'ANY' }], rules: { dns: [{ matchPattern: '*.one.example' }] } }],
      },
      {
        toFQDNs: [{ matchPattern: '*.example' }, { matchPattern: '*.one.example' }],
        toPorts: [{ ports: [{ port: '443' }], serverNames: ['api.one.example'] }],
      },
      {
        toEndpoints: [{ matchLabels: { app: 'api' } }],
        toPorts: [{ ports: [{ port: '80', protocol: 'TCP' }], rules: { http: [{ method: 'GET', path: '/public' }] } }],
      },
    ],
  }),
]
const snapshot = snapshotOf(scene)
const from = { workload: 'a/app' }

for (const [what, flow, symptom, field, value] of [
  [
    'a server name',
    { from, to: { host: 'www.one.example' }, port: 443 },
    'reset',
    'spec.egress[1].toPorts[0].serverNames',
    'www.one.example',
  ],
  [
    'a name that is asked for',
    { from, to: { service: 'kube-system/kube-dns' }, port: 53, protocol: 'UDP', dns: { query: 'two.example' } },
    'dns-refused',
    'spec.egress[0].toPorts[0].rules.dns',
    { matchName: 'two.example' },
  ],
  [
    'a request',
    { from, to: { workload: 'a/api' }, port: 80, http: { method: 'PUT', path: '/a.b' } },
    'cilium-403',
    'spec.egress[2].toPorts[0].rules.http',
    { method: 'PUT', path: '/a\\.b' },
  ],
] as const satisfies readonly (readonly [string, Flow, string, string, unknown])[]) {
  test(`${what} that no list has is added to the list`, () => {
    assert.equal(judge(flow, snapshot).symptom, symptom)
    const [edit, ...more] = smallestFix(flow, snapshot)?.edits ?? []
    assert.equal(more.length, 0)
    assert.deepEqual([edit?.object, edit?.field], ['CiliumNetworkPolicy/a/out', field])
    assert.deepEqual(JSON.parse(edit?.value ?? ''), value)
  })
}

test('a connection that names no server has nothing to be listed', () => {
  const flow: Flow = { from, to: { host: 'api.one.example' }, port: 443, tls: {} }
  assert.equal(judge(flow, snapshot).symptom, 'reset')
  assert.equal(smallestFix(flow, snapshot), undefined)
  assert.equal(judge({ ...flow, tls: { sni: 'api.one.example' } }, snapshot).outcome, 'allow')
})

test('of several specs the one is added to whose rule let the packet pass', () => {
  const door = (app: string, ...serverNames: readonly string[]) => ({
    endpointSelector: { matchLabels: { app } },
    egress: [{ toEntities: ['world'], toPorts: [{ ports: [{ port: '443' }], serverNames }] }],
  })
  const policy: Manifest = {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { name: 'doors', namespace: 'a' },
    spec: door('api', 'api.example'),
    specs: [door('other', 'other.example'), door('app', 'app.example')],
  }
  const doors = snapshotOf([namespace('a', false), workload('a/app'), workload('a/api'), policy])
  const flow: Flow = { from, to: { ip: '192.0.2.1' }, port: 443, tls: { sni: 'www.one.example' } }
  assert.equal(judge(flow, doors).symptom, 'reset')
  const { edits, alsoOpens } = smallestFix(flow, doors) ?? { edits: [], alsoOpens: [] }
  assert.deepEqual(
    edits.map(({ field, value }) => [field, value]),
    [['specs[1].egress[0].toPorts[0].serverNames', '"www.one.example"']],
  )
  assert.deepEqual(alsoOpens, [])
})
