import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '@bulkhead/resources'
import { compile } from '../model/compile.js'
import {
  at,
  client,
  client2,
  deniesAllIngress,
  echo,
  everything,
  inDefault,
  inDenied,
  outDefault,
  says,
  tcp,
} from '../testing/cilium-scene.js'
import { connect, echoes, type PacketOptions, podOf } from '../testing/network-scene.js'
import { ciliumPolicy } from '../testing/objects.js'

/*
 * Golden vectors 63 to 75 and 77 (semantics G.2): who is who, ICMP, nodes, modes, and policies that keep their pods open.
 */

test('63 a peer without a namespace is one of the policy’s own', () => {
  const web = ciliumPolicy('test/web', { ...echo, ingress: [{ fromEndpoints: [{ matchLabels: { kind: 'client' } }] }] })
  assert.equal(says([web], 'far/client', 'test/echo'), inDefault)
  assert.equal(says([web], 'test/client', 'test/echo'), 'allow')
})

test('64 unless it asks for a namespace, whichever', () => {
  for (const key of [
    'io.kubernetes.pod.namespace',
    'k8s:io.kubernetes.pod.namespace',
    'any:io.kubernetes.pod.namespace',
  ]) {
    const matchExpressions = [{ key, operator: 'Exists' as const }]
    const web = ciliumPolicy('test/web', {
      ...echo,
      ingress: [{ fromEndpoints: [{ matchLabels: { 'k8s:kind': 'client' }, matchExpressions }] }],
    })
    assert.equal(says([web], 'far/client', 'test/echo'), 'allow', key)
    assert.equal(at([web], 'ingress', '203.0.113.7', 'test/echo', 8080), 'deny cni.default-deny', key)
  }
})

test('65 ingress-from-specific-namespace-ccnp', () => {
  const inNamespace = (name: string): { readonly matchLabels: Readonly<Record<string, string>> } => ({
    matchLabels: { 'k8s:io.kubernetes.pod.namespace': name },
  })
  const ccnp = ciliumPolicy('from-far', {
    endpointSelector: inNamespace('test'),
    ingress: [{ fromEndpoints: [inNamespace('far')] }],
  })
  assert.equal(says([ccnp], 'far/client', 'test/echo'), 'allow')
  assert.equal(says([ccnp], 'test/client', 'test/echo'), inDefault)
  assert.equal(says([ccnp], 'test/client', 'far/echo'), 'allow')
})

test('66 in a policy of the whole cluster every endpoint is every pod, and no node and nobody outside', () => {
  const ccnp = ciliumPolicy('pods', { ...echo, ingress: [{ fromEndpoints: [{}] }] })
  assert.equal(says([ccnp], 'far/client', 'test/echo'), 'allow')
  assert.equal(says([ccnp], '203.0.113.7', 'test/echo'), inDefault)
  assert.equal(at([ccnp], 'ingress', '172.18.0.2', 'test/echo', 8080), 'deny cni.default-deny')
  // Also where the selector asks for what a node does not have.
  const noLabel = { matchExpressions: [{ key: 'quarantined', operator: 'DoesNotExist' as const }] }
  const tame = ciliumPolicy('pods', { ...echo, ingress: [{ fromEndpoints: [noLabel] }] })
  assert.equal(says([tame], '203.0.113.7', 'test/echo'), inDefault)
})

test('67 once a port is opened alone, no echo request passes', () => {
  const ping: PacketOptions = { protocol: 'ICMP' }
  const port80 = ciliumPolicy('test/80', { ...echo, ingress: [tcp('80')] })
  assert.equal(at([port80], 'ingress', 'test/client', 'test/echo', 8, ping), 'deny cni.default-deny')
  const icmps = [{ fields: [{ type: 'EchoRequest' }] }]
  const pings = ciliumPolicy('test/ping', { ...echo, ingress: [{ fromEndpoints: [{}], icmps }] })
  assert.equal(at([port80, pings], 'ingress', 'test/client', 'test/echo', 8, ping), 'allow cni.rule-allows')
  assert.equal(at([port80, pings], 'ingress', 'test/client', 'test/echo', 0, ping), 'allow cni.rule-allows')
  assert.equal(at([port80, pings], 'ingress', 'test/client', 'test/echo', 13, ping), 'deny cni.default-deny')
  assert.equal(at([pings], 'ingress', 'test/client', 'test/echo', 8080), 'deny cni.default-deny')
  const any = ciliumPolicy('test/any', { ...echo, ingress: [tcp('0')] })
  assert.equal(at([any], 'ingress', 'test/client', 'test/echo', 8, ping), 'deny cni.default-deny')
  assert.equal(at([any], 'ingress', 'test/client', 'test/echo', 65535), 'allow cni.rule-allows')
})

test('68 client-ingress-from-other-client-icmp-deny', () => {
  const fields = [{ family: 'IPv4' as const, type: 8 }]
  const deny = ciliumPolicy('test/no-ping', {
    ...client,
    ingressDeny: [{ fromEndpoints: [client2], icmps: [{ fields }] }],
  })
  const ping: PacketOptions = { protocol: 'ICMP' }
  assert.equal(at([everything, deny], 'ingress', 'test/client2', 'test/client', 8, ping), 'deny cni.rule-denies')
  assert.equal(says([everything, deny], 'test/client2', 'test/echo'), 'allow')
  assert.equal(at([everything, deny], 'ingress', 'test/client', 'test/client2', 8, ping), 'allow cni.rule-allows')
})

const ofClient = podOf(compile(echoes), 'test/client')
const [own, other] = [true, false].map(
  (same) => compile(echoes).nodes.find(({ name }) => (name === ofClient.node) === same)?.ip ?? '',
) as [string, string]

test('69 host-entity-egress: a pod’s own node by the entity, and no other node', () => {
  const host = ciliumPolicy('test/host', { ...client, egress: [{ toEntities: ['host'] }] })
  assert.equal(at([host], 'egress', 'test/client', own, 4240), 'allow cni.rule-allows')
  assert.equal(at([host], 'egress', 'test/client', other, 4240), 'deny cni.default-deny')
  const remote = ciliumPolicy('test/host', { ...client, egress: [{ toEntities: ['remote-node'] }] })
  assert.equal(at([remote], 'egress', 'test/client', other, 4240), 'allow cni.rule-allows')
  // What a pod may not do with its node unasked, by the API it may.
  const closed = ciliumPolicy('test/closed', { ...client, egress: [{}] })
  assert.equal(at([closed], 'egress', 'test/client', own, 4240), 'deny cni.default-deny')
  assert.equal(at([closed], 'egress', 'test/client', own, 4240, { network: { reader: 'api' } }), 'allow cni.own-node')
})

test('the API server is known by its entity, as is the node it runs on', () => {
  const only = (name: 'kube-apiserver' | 'remote-node' | 'host' | 'world'): Resource =>
    ciliumPolicy('test/only', { ...client, egress: [{ toEntities: [name] }] })
  const ask = (policy: Resource): string => at([policy], 'egress', 'test/client', '172.18.0.2', 6443)
  assert.equal(ask(only('kube-apiserver')), 'allow cni.rule-allows')
  assert.equal(ask(only('remote-node')), 'allow cni.rule-allows')
  assert.equal(ask(only('host')), 'deny cni.default-deny')
  assert.equal(ask(only('world')), 'deny cni.default-deny')
})

test('70 pod-to-node-cidrpolicy: a CIDR holds no node, and no pod', () => {
  const cidr = ciliumPolicy('test/cidr', { ...client, egress: [{ toCIDR: ['172.18.0.0/16', '10.0.0.0/8'] }] })
  assert.equal(at([cidr], 'egress', 'test/client', own, 4240), 'deny cni.default-deny')
  assert.equal(at([cidr], 'egress', 'test/client', other, 4240), 'deny cni.default-deny')
  assert.equal(says([cidr], 'test/client', 'test/echo'), outDefault)
  assert.equal(at([cidr], 'egress', 'test/client', '172.18.0.99', 4240), 'allow cni.rule-allows')
  const except = [{ cidr: '172.18.0.0/16', except: ['172.18.0.96/28'] }]
  const holed = ciliumPolicy('test/cidr', { ...client, egress: [{ toCIDRSet: except }] })
  assert.equal(at([holed], 'egress', 'test/client', '172.18.0.99', 4240), 'deny cni.default-deny')
  assert.equal(at([holed], 'egress', 'test/client', '172.18.0.9', 4240), 'allow cni.rule-allows')
})

const openDeny = ciliumPolicy('test/open', {
  ...echo,
  enableDefaultDeny: { ingress: false },
  ingressDeny: [{ fromEndpoints: [client2] }],
})

test('71 a policy that keeps its pods open denies what it denies', () => {
  assert.equal(says([openDeny], 'test/client', 'test/echo'), 'allow')
  assert.equal(says([openDeny], 'test/client2', 'test/echo'), inDenied)
})

test('72 beside one that closes them, all is closed', () => {
  const { says: verdict, step } = connect([...echoes, openDeny, deniesAllIngress], 'test/client', 'test/echo', 8080)
  assert.equal(verdict, inDefault)
  assert.deepEqual(
    step?.isolatedBy?.map(({ policy }) => policy),
    ['CiliumNetworkPolicy/test/deny-in'],
  )
})

test('73 mode always denies without a policy, mode never allows in spite of one', () => {
  const always = { network: { enforcement: 'always' } } as const
  const never = { network: { enforcement: 'never' } } as const
  assert.equal(connect(echoes, 'test/client', 'test/echo', 8080, always).says, outDefault)
  assert.equal(at([], 'ingress', own, 'test/client', 8080, always), 'allow cni.own-node')
  assert.equal(connect([...echoes, deniesAllIngress, openDeny], 'test/client2', 'test/echo', 8080, never).says, 'allow')
})

test('74 what reads requests lets the pod’s own node ask for anything', () => {
  const rules = { http: [{ method: 'GET', path: '/public' }] }
  const http = ciliumPolicy('test/http', { ...client, ingress: [{ toPorts: [{ ports: [{ port: '8080' }], rules }] }] })
  const request = { kind: 'http', method: 'GET', path: '/anything', host: 'x', headers: {} } as const
  assert.equal(at([http], 'ingress', own, 'test/client', 8080, { payload: request }), 'allow cni.own-node')
  assert.equal(
    at([http], 'ingress', 'test/client2', 'test/client', 8080, { payload: request }),
    'deny cni.http-denied reads http',
  )
})

test('75 echo-ingress-auth-always-fail; and required, where nothing authenticates', () => {
  for (const mode of ['test-always-fail', 'required', 'disabled'] as const) {
    const auth = ciliumPolicy('test/auth', { ...echo, ingress: [{ fromEndpoints: [{}], authentication: { mode } }] })
    const expected = mode === 'disabled' ? 'allow' : 'deny timeout cni-ingress cni.auth-required'
    assert.equal(says([auth], 'test/client', 'test/echo'), expected, mode)
  }
})

test('77 cluster-entity, for pods wherever they run, nodes, and not the world', () => {
  const cluster = ciliumPolicy('test/cluster', {
    ingress: [{ fromEntities: ['cluster'] }],
    egress: [{ toEntities: ['cluster'] }],
  })
  assert.equal(says([cluster], 'test/client', 'test/echo'), 'allow')
  assert.equal(says([cluster], 'far/client', 'test/echo'), 'allow')
  assert.equal(at([cluster], 'egress', 'test/client', other, 4240), 'allow cni.rule-allows')
  assert.equal(says([cluster], 'test/client', '1.1.1.1', 443), outDefault)
})
