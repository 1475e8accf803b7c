import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubernetesObject, Resource } from '@bulkhead/resources'
import { compile } from '../model/compile.js'
import {
  ambient,
  authorizationPolicy,
  ciliumPolicy,
  gateway,
  httpRoute,
  namespace,
  networkPolicy,
  peerAuthentication,
  resource,
  service,
  workload,
} from '../testing/objects.js'
import type { Flow, Verdict } from '../types.js'
import { FlowError } from './errors.js'
import { judge } from './judge.js'

/*
 * A pod that dials a node's port of a Service. kube-proxy takes the packet at the node and sends it on from the node's
 * address, so the CNI sees a packet to a node at the one end and a packet of a node at the other (semantics B.5, B.9).
 */

const port = 30080
const door = resource({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'door', namespace: 'app' },
  data: { service: `spec: {type: NodePort, ports: [{port: 80, nodePort: ${port}}]}` },
} as KubernetesObject)
const infrastructure = { parametersRef: { group: '', kind: 'ConfigMap', name: 'door' } }

const scene: readonly Resource[] = [
  ambient('app'),
  namespace('plain'),
  workload('app/dst', { ports: [{ containerPort: 8080 }] }),
  workload('app/src'),
  workload('plain/src'),
  service('app/dst', { port: 80, targetPort: 8080 }),
  door,
  gateway('app/gw', { infrastructure }),
  httpRoute('app/r', 'gw', { rules: [{ backendRefs: [{ name: 'dst', port: 80 }] }] }),
]
const snapshotOf = (...more: readonly Resource[]) => compile([...scene, ...more])
const gatewayPod = [...snapshotOf().pods.values()].find(({ workload: of }) => of === 'app/gw-istio')
const nodes = snapshotOf().nodes
/** The node that the gateway runs on, and one that it does not. */
const own = nodes.find(({ name }) => name === gatewayPod?.node) ?? assert.fail('the gateway runs on a node')
const other = nodes.find(({ name }) => name !== gatewayPod?.node) ?? assert.fail('there are two nodes')

function ask(flow: Partial<Flow>, ...more: readonly Resource[]): Verdict {
  return judge({ from: { workload: 'app/src' }, to: { node: other.name }, port, ...flow }, snapshotOf(...more))
}
const points = ({ steps }: Verdict): string[] => steps.map(({ hop, point, outcome }) => `${hop} ${point} ${outcome}`)
const denied = ({ outcome, symptom, steps, decidedBy }: Verdict): unknown[] => {
  const step = steps[decidedBy?.step ?? -1]
  return [outcome, symptom, decidedBy?.hop, step?.point, step?.policy]
}
const outOf = (spec: Parameters<typeof ciliumPolicy>[1]) =>
  ciliumPolicy('app/out', { endpointSelector: { matchLabels: { app: 'src' } }, ...spec })

test('what leaves the pod is a packet to the node, and what comes to the gateway is one of the node', () => {
  const verdict = ask({})
  assert.equal(verdict.outcome, 'allow')
  const source = snapshotOf().pods.get([...snapshotOf().pods.keys()].find((key) => key.startsWith('app/src')) ?? '')
  assert.deepEqual(verdict.hops[0], {
    from: 'app/src',
    to: 'app/gw-istio',
    tuple: { src: source?.ip, dst: other.ip, port, protocol: 'TCP' },
  })
  assert.deepEqual(points(verdict).slice(0, 3), ['0 cni-egress allow', '0 cni-ingress allow', '0 cni-ingress allow'])
  assert.equal(verdict.hops[1]?.as, 'spiffe://cluster.local/ns/app/sa/gw-istio')
})

test('a rule that denies the way to nodes stops it, and so does one that opens the gateway and no node', () => {
  const noNodes = outOf({ egressDeny: [{ toEntities: ['host', 'remote-node'] }] })
  assert.deepEqual(denied(ask({}, noNodes)), ['deny', 'late-reset', 0, 'cni-egress', 'CiliumNetworkPolicy/app/out'])
  assert.deepEqual(denied(ask({ to: { ip: other.ip } }, noNodes)).slice(0, 4), ['deny', 'late-reset', 0, 'cni-egress'])
  const toGateway = { matchLabels: { 'gateway.networking.k8s.io/gateway-name': 'gw' } }
  const onlyGateway = outOf({ egress: [{ toEndpoints: [toGateway] }] })
  assert.equal(ask({ to: { service: 'app/gw-istio' }, port: 80 }, onlyGateway).outcome, 'allow')
  assert.deepEqual(denied(ask({}, onlyGateway)).slice(0, 4), ['deny', 'late-reset', 0, 'cni-egress'])
  const onlyNodes = outOf({
    egress: [{ toEntities: ['remote-node', 'host'], toPorts: [{ ports: [{ port: `${port}` }] }] }],
  })
  assert.equal(ask({}, onlyNodes).outcome, 'allow')
  assert.equal(ask({ to: { service: 'app/gw-istio' }, port: 80 }, onlyNodes).outcome, 'deny')
})

test('the gateway’s pod sees a node: no pod’s labels open it, and its own node always may', () => {
  const from = [{ podSelector: { matchLabels: { app: 'src' } } }]
  const podSelector = { matchLabels: { 'gateway.networking.k8s.io/gateway-name': 'gw' } }
  const onlySource = networkPolicy('app/in', { podSelector, ingress: [{ from, ports: [{ port: 80 }] }] })
  assert.equal(ask({ to: { service: 'app/gw-istio' }, port: 80 }, onlySource).outcome, 'allow')
  assert.deepEqual(denied(ask({}, onlySource)).slice(0, 4), ['deny', 'late-reset', 0, 'cni-ingress'])
  assert.equal(ask({ to: { node: own.name } }, onlySource).outcome, 'allow')
})

test('a policy of the gateway sees the address of the node, and a rule of the node’s own host firewall its port', () => {
  const rule = (block: string) => ({ from: [{ source: { remoteIpBlocks: [block] } }] })
  const selector = { matchLabels: { 'gateway.networking.k8s.io/gateway-name': 'gw' } }
  const only = (block: string) => authorizationPolicy('app/gate', { selector, action: 'ALLOW', rules: [rule(block)] })
  assert.equal(ask({}, only(`${other.ip}/32`)).outcome, 'allow')
  assert.deepEqual(denied(ask({}, only('10.244.0.0/16'))).slice(0, 4), ['deny', 'rbac-403', 0, 'gateway'])
  const firewall = ciliumPolicy('nodes', {
    nodeSelector: {},
    ingressDeny: [{ fromEntities: ['all'], toPorts: [{ ports: [{ port: `${port}` }] }] }],
  })
  assert.deepEqual(denied(ask({}, firewall)).slice(0, 4), ['deny', 'late-reset', 0, 'cni-ingress'])
})

test('to a pod in the mesh it is plaintext, whoever calls: STRICT refuses it, and its identity is nobody’s', () => {
  const exposed = resource({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'open', namespace: 'app' },
    spec: { type: 'NodePort', selector: { app: 'dst' }, ports: [{ port: 80, targetPort: 8080, nodePort: 30090 }] },
  } as KubernetesObject)
  const strict = peerAuthentication('app/default', { mtls: { mode: 'STRICT' } })
  const rules = [{ from: [{ source: { principals: ['cluster.local/ns/app/sa/src'] } }] }]
  const identity = authorizationPolicy('app/who', { selector: { matchLabels: { app: 'dst' } }, rules })
  for (const { name } of nodes) {
    const byNode: Partial<Flow> = { to: { node: name }, port: 30090 }
    assert.equal(ask(byNode, exposed).outcome, 'allow')
    for (const wall of [strict, identity]) {
      assert.equal(ask({ to: { service: 'app/open' }, port: 80 }, exposed, wall).outcome, 'allow', wall.id)
      assert.deepEqual(denied(ask(byNode, exposed, wall)).slice(0, 4), ['deny', 'reset', 0, 'ztunnel'], wall.id)
    }
  }
  assert.equal(ask({ from: { workload: 'plain/src' }, port: 30090 }, exposed, strict).symptom, 'reset')
})

test('without a request it is GET / with the node’s address as Host, as from outside it is by the mapped port', () => {
  const named = httpRoute('app/r', 'gw', { hostnames: ['nobody.example'] })
  const scene = compile([named, ...[...snapshotOf().resources].filter(({ id }) => id !== named.id)])
  const hostOf = (flow: Flow): unknown => judge(flow, scene).steps.at(-1)?.facts?.host
  assert.equal(hostOf({ from: { workload: 'app/src' }, to: { node: own.name }, port }), `${own.ip}:${port}`)
  assert.equal(hostOf({ from: { external: '172.18.0.1' }, to: { node: own.name }, port }), `localhost:${port}`)
})

test('nobody shows a certificate at a node’s port', () => {
  assert.throws(() => ask({ from: { workload: 'plain/src' }, certificate: 'self-signed' }), FlowError)
})
