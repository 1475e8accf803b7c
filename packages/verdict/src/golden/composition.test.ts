import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '@bulkhead/resources'
import { judge } from '../flow/judge.js'
import { compile } from '../model/compile.js'
import {
  ambient,
  authorizationPolicy,
  ciliumPolicy,
  networkPolicy,
  peerAuthentication,
  resource,
  service,
  waypoint,
  workload,
} from '../testing/objects.js'
import type { Flow, FlowSource, Step } from '../types.js'

/*
 * Golden vectors 123 to 133, 135 and 136 (134 is with the gateways): a packet past the CNI's rules at both ends, and then the destination's ztunnel.
 */

const world = ciliumPolicy('demo/world', {
  ingress: [
    { fromEndpoints: [{}], toPorts: [{ ports: [{ port: '15008', protocol: 'TCP' }] }] },
    { fromEntities: ['world'], toPorts: [{ ports: [{ port: '5432', protocol: 'TCP' }] }] },
  ],
})
const topology = [
  ambient('demo'),
  workload('demo/hello-app'),
  workload('demo/worker'),
  workload('demo/postgres', { ports: [{ containerPort: 5432 }] }),
  world,
]
const helloOnly = authorizationPolicy('demo/postgres-policy', {
  selector: { matchLabels: { app: 'postgres' } },
  rules: [{ from: [{ source: { principals: ['cluster.local/ns/demo/sa/hello-app'] } }] }],
})
const client: FlowSource = { external: '203.0.113.7' }

function asked(
  policies: readonly Resource[],
  from: FlowSource,
): { outcome: string; symptom: string; ztunnel: string[] } {
  const of = judge({ from, to: { workload: 'demo/postgres' }, port: 5432 }, compile([...topology, ...policies]))
  assert.deepEqual(
    of.steps.filter(({ point }) => point === 'cni-ingress').map(({ outcome, code }) => [outcome, code]),
    [['allow', 'cni.rule-allows']],
  )
  const ztunnel = of.steps
    .filter((step: Step) => step.point === 'ztunnel')
    .map((step) => `${step.outcome} ${step.code}`)
  return { outcome: of.outcome, symptom: of.symptom, ztunnel }
}

test('126 another captured pod is refused by identity, whatever the CNI lets through', () => {
  assert.deepEqual(asked([helloOnly], { workload: 'demo/worker' }), {
    outcome: 'deny',
    symptom: 'reset',
    ztunnel: ['allow mtls.no-policy', 'deny authz.no-rule-allows'],
  })
  assert.equal(asked([helloOnly], { workload: 'demo/hello-app' }).ztunnel[1], 'allow authz.rule-allows')
})

test('127 without an ALLOW, ztunnel lets it through', () => {
  assert.equal(asked([], { workload: 'demo/worker' }).ztunnel[1], 'allow authz.no-allow-policy')
})

test('128 STRICT: a client outside is refused, by PeerAuthentication', () => {
  const strict = peerAuthentication('demo/default', { mtls: { mode: 'STRICT' } })
  assert.deepEqual(asked([strict], client), {
    outcome: 'deny',
    symptom: 'reset',
    ztunnel: ['deny mtls.strict-no-identity', 'allow authz.no-allow-policy'],
  })
})

test('129 PERMISSIVE and an ALLOW: a client outside is refused, having no identity', () => {
  assert.deepEqual(asked([helloOnly], client), {
    outcome: 'deny',
    symptom: 'reset',
    ztunnel: ['allow mtls.no-policy', 'deny authz.no-rule-allows'],
  })
})

test('130 PERMISSIVE and no policy: a hole', () => {
  assert.equal(asked([], client).outcome, 'allow')
  assert.deepEqual(asked([], client).ztunnel, ['allow mtls.no-policy', 'allow authz.no-allow-policy'])
})

const captured: FlowSource = { workload: 'app/src' }
const ports = [{ containerPort: 8080 }]
const two = [
  ambient('app'),
  workload('app/src'),
  workload('app/dst', { ports }),
  workload('app/legacy', { ports, labels: { app: 'legacy', 'istio.io/dataplane-mode': 'none' } }),
]
/** What decided, and what the client sees. */
function decision(policies: readonly Resource[], from: FlowSource, to: string): readonly (string | undefined)[] {
  const of = judge({ from, to: { workload: to }, port: 8080 }, compile([...two, ...policies]))
  const step = of.steps[of.decidedBy?.step ?? -1]
  return [of.outcome, of.symptom, step?.point, step?.code]
}

test('123 a default deny without the probes address: the kubelet’s probes of a captured pod are dropped', () => {
  const closed = ciliumPolicy('app/closed', { ingress: [{}] })
  const probes = ciliumPolicy('probes', {
    enableDefaultDeny: { ingress: false, egress: false },
    ingress: [{ fromCIDR: ['169.254.7.127/32'] }],
  })
  const pod = [...compile(two).pods.values()].find((one) => one.workload === 'app/dst')
  const kubelet: FlowSource = { node: pod?.node ?? '' }
  assert.deepEqual(decision([closed], kubelet, 'app/dst'), ['deny', 'timeout', 'cni-ingress', 'cni.default-deny'])
  assert.equal(decision([closed, probes], kubelet, 'app/dst')[0], 'allow')
})

test('125 a NetworkPolicy that opens 15008 to the caller: captured pods meet', () => {
  const from = [{ podSelector: { matchLabels: { app: 'src' } } }]
  const hbone = networkPolicy('app/from-src', { ingress: [{ from, ports: [{ port: 15008 }] }] })
  assert.equal(decision([hbone], captured, 'app/dst')[0], 'allow')
})

const only8080 = ciliumPolicy('app/egress', {
  endpointSelector: { matchLabels: { app: 'src' } },
  egress: [{ toEndpoints: [{}], toPorts: [{ ports: [{ port: '8080' }] }] }],
})

test('131 egress to the app’s port alone stops a captured pod, which needs 15008; the closest rule says so', () => {
  assert.deepEqual(decision([only8080], captured, 'app/dst'), ['deny', 'late-reset', 'cni-egress', 'cni.default-deny'])
  const of = judge({ from: captured, to: { workload: 'app/dst' }, port: 8080 }, compile([...two, only8080]))
  const step = of.steps[of.decidedBy?.step ?? -1]
  assert.deepEqual(step?.closest?.lacks, [{ attribute: 'port', wants: ['8080/ANY'], has: '15008/TCP' }])
  assert.equal(step?.facts?.opens, '8080/ANY')
})

test('132 the same rule is enough for a destination outside the mesh', () => {
  assert.equal(decision([only8080], captured, 'app/legacy')[0], 'allow')
})

test('133 between captured pods a Cilium http rule never sees a request, if 15008 is open', () => {
  const http = ciliumPolicy('app/http', {
    ingress: [
      {
        fromEndpoints: [{}],
        toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }], rules: { http: [{ path: '/y' }] } }],
      },
      { fromEndpoints: [{}], toPorts: [{ ports: [{ port: '15008', protocol: 'TCP' }] }] },
    ],
  })
  const flow = { from: captured, to: { workload: 'app/dst' }, port: 8080, http: { method: 'GET', path: '/x' } }
  assert.equal(judge(flow, compile([...two, http])).outcome, 'allow')
})

const waypointed = [
  resource({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'app', labels: { 'istio.io/dataplane-mode': 'ambient', 'istio.io/use-waypoint': 'wp' } },
  }),
  ...two.slice(1),
  waypoint('app/wp'),
  service('app/dst', { port: 8080 }),
]
const fromSrc = [{ podSelector: { matchLabels: { app: 'src' } } }]
const hboneFromSrc = networkPolicy('app/dst-from-src', {
  podSelector: { matchLabels: { app: 'dst' } },
  ingress: [{ from: fromSrc, ports: [{ port: 15008 }] }],
})
const srcAccount = authorizationPolicy('app/dst', {
  selector: { matchLabels: { app: 'dst' } },
  rules: [{ from: [{ source: { principals: ['cluster.local/ns/app/sa/src'] } }] }],
})

for (const [number, policy, decided] of [
  ['124', hboneFromSrc, ['cni-ingress', 'cni.default-deny']],
  ['136', srcAccount, ['ztunnel', 'authz.no-rule-allows']],
] as const) {
  test(`${number} with a waypoint before it, who comes to the destination is not the caller, and is not let in`, () => {
    const flow = { from: captured, to: { service: 'app/dst' }, port: 8080 }
    const of = judge(flow, compile([...waypointed, policy]))
    const step = of.steps[of.decidedBy?.step ?? -1]
    assert.deepEqual([of.outcome, of.symptom, step?.hop], ['deny', 'gateway-503', 1])
    assert.deepEqual([step?.point, step?.code], decided)
    assert.deepEqual(
      of.hops.map(({ from, to }) => [from, to]),
      [
        ['app/src', 'app/wp'],
        ['app/wp', 'app/dst'],
      ],
    )
    const without = waypointed.filter(({ kind }) => kind !== 'Gateway')
    assert.equal(judge(flow, compile([...without, policy])).outcome, 'allow')
  })
}

test('135 istiod without its webhook’s port open to the API server: the API server’s call is dropped', () => {
  const endpointSelector = { matchLabels: { app: 'istiod' } }
  const ingress = (...numbers: readonly string[]) =>
    ciliumPolicy('istio-system/istiod', {
      endpointSelector,
      ingress: [{ toPorts: [{ ports: numbers.map((port) => ({ port, protocol: 'TCP' })) }] }],
    })
  const flow: Flow = { from: { node: 'bulkhead-control-plane' }, to: { workload: 'istio-system/istiod' }, port: 15017 }
  const closed = judge(flow, compile([...two, ingress('15012')]))
  assert.deepEqual([closed.outcome, closed.symptom, closed.steps[0]?.code], ['deny', 'timeout', 'cni.default-deny'])
  assert.equal(judge(flow, compile([...two, ingress('15012', '15017')])).outcome, 'allow')
})
