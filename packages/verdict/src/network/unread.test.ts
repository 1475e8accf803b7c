import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CiliumRule, Resource } from '@bulkhead/resources'
import { judge } from '../flow/judge.js'
import { compile } from '../model/compile.js'
import { judgeAt } from '../points/judge-at.js'
import { echoes, type PacketOptions, packet, podOf, said } from '../testing/network-scene.js'
import { ciliumPolicy, networkPolicy, unreadPolicy } from '../testing/objects.js'
import type { Verdict } from '../types.js'

/*
 * What is not modelled ends as unknown where it could decide, and only there.
 */

type Egress = NonNullable<CiliumRule['egress']>
const tcp443 = [{ port: '443', protocol: 'TCP' as const }]

function egress(...rules: Egress): Resource {
  return ciliumPolicy('test/p', { egress: rules })
}

function out(policies: readonly Resource[], to: string, port = 443, options: PacketOptions = {}): string {
  return said(packet([...echoes, ...policies], 'egress', 'test/client', to, port, options))
}

const node = '172.18.0.2'

test('peers that are not modelled: whoever they could be is unknown, and nobody else', () => {
  const groups = egress({ toGroups: [{ aws: {} }], toPorts: [{ ports: tcp443 }] })
  assert.equal(out([groups], '1.1.1.1'), 'unknown not-modelled')
  assert.equal(out([groups], '1.1.1.1', 80), 'deny cni.default-deny')
  assert.equal(out([groups], 'test/echo'), 'deny cni.default-deny')
  const nodes = egress({ toNodes: [{}] })
  assert.equal(out([nodes], node), 'unknown not-modelled')
  assert.equal(out([nodes], '1.1.1.1'), 'deny cni.default-deny')
  const cidrGroup = egress({ toCIDRSet: [{ cidrGroupRef: 'office' }, { cidr: '2.2.2.0/24' }] })
  assert.equal(out([cidrGroup], '1.1.1.1'), 'unknown not-modelled')
  assert.equal(out([cidrGroup], '2.2.2.2'), 'allow cni.rule-allows')
  assert.equal(out([cidrGroup], node), 'deny cni.default-deny')
})

test('the entity cluster-mesh: whoever is of this cluster, and perhaps whoever is not', () => {
  const mesh = egress({ toEntities: ['cluster-mesh'], toPorts: [{ ports: tcp443 }] })
  for (const to of ['test/echo', node]) {
    assert.equal(out([mesh], to), 'allow cni.rule-allows', to)
    assert.equal(out([mesh], to, 80), 'deny cni.default-deny', to)
  }
  assert.equal(out([mesh], '1.1.1.1'), 'unknown not-modelled')
  assert.equal(out([mesh], '1.1.1.1', 80), 'deny cni.default-deny')
  const denied = ciliumPolicy('test/p', {
    egress: [{ toEntities: ['all'] }],
    egressDeny: [{ toEntities: ['cluster-mesh'] }],
  })
  assert.equal(out([denied], 'test/echo'), 'deny cni.rule-denies')
  assert.equal(out([denied], '1.1.1.1'), 'unknown not-modelled')
})

test('a rule for a protocol without ports closes its pods, and opens no port', () => {
  for (const protocol of ['VRRP', 'GRE', 'IPIP', 'IPV6', 'ESP', 'AH'] as const) {
    const tunnels = { toEntities: ['world' as const], toPorts: [{ ports: [{ protocol }] }] }
    assert.equal(out([egress(tunnels)], '1.1.1.1'), 'deny cni.default-deny', protocol)
    const all = { toEntities: ['world' as const] }
    assert.equal(out([egress(tunnels, all)], '1.1.1.1'), 'allow cni.rule-allows', protocol)
    const denied = ciliumPolicy('test/p', { egress: [all], egressDeny: [tunnels] })
    assert.equal(out([denied], '1.1.1.1'), 'allow cni.rule-allows', protocol)
  }
})

test('a rule that is read and allows needs no other; a deny that is not read may still stop it', () => {
  const groups = { toGroups: [{ aws: {} }] }
  assert.equal(out([egress(groups, { toEntities: ['world'] })], '1.1.1.1'), 'allow cni.rule-allows')
  const denied = ciliumPolicy('test/p', { egress: [{ toEntities: ['world'] }], egressDeny: [groups] })
  assert.equal(out([denied], '1.1.1.1'), 'unknown not-modelled')
  const closed = ciliumPolicy('test/p', { egress: [{ toEntities: ['cluster'] }], egressDeny: [groups] })
  assert.equal(out([closed], '1.1.1.1'), 'deny cni.default-deny')
  assert.equal(out([closed], 'test/echo'), 'allow cni.rule-allows')
})

test('a deny that is not read decides nothing of a connection that a list of server names refuses', () => {
  const named = ciliumPolicy('test/p', {
    egress: [{ toEntities: ['world'], toPorts: [{ ports: tcp443, serverNames: ['api.example'] }] }],
    egressDeny: [{ toGroups: [{ aws: {} }] }],
  })
  const client = (sni: string): Verdict =>
    judge(
      { from: { workload: 'test/client' }, to: { ip: '1.1.1.1' }, port: 443, tls: { sni } },
      compile([...echoes, named]),
    )
  assert.equal(client('api.example').outcome, 'unknown')
  assert.deepEqual([client('other.example').outcome, client('other.example').symptom], ['deny', 'reset'])
})

test('what reads a connection and is not modelled: unknown, unless another rule lets it on unread', () => {
  for (const more of [
    { listener: { name: 'x' } },
    { terminatingTLS: {} },
    { rules: { kafka: [{ topic: 't' }] } },
    { rules: { l7proto: 'x', l7: [{}] } },
  ]) {
    const reader = { toEntities: ['world' as const], toPorts: [{ ports: tcp443, ...more }] }
    const { steps } = packet([...echoes, egress(reader)], 'egress', 'test/client', '1.1.1.1', 443)
    assert.deepEqual(
      [steps[0]?.outcome, steps[0]?.policy],
      ['unknown', 'CiliumNetworkPolicy/test/p'],
      JSON.stringify(more),
    )
    assert.match(
      String(steps[0]?.facts?.what),
      /^(listener|terminatingTLS|rules\.\w+) of CiliumNetworkPolicy\/test\/p$/,
    )
    assert.equal(out([egress(reader, { toCIDR: ['1.0.0.0/8'] })], '1.1.1.1'), 'allow cni.rule-allows')
  }
})

test('a header whose value is in a Secret: unknown for a request that meets all else', () => {
  const rules = { http: [{ path: '/a', headerMatches: [{ name: 'x', secret: { name: 's' } }] }] }
  const http = egress({ toEntities: ['world'], toPorts: [{ ports: tcp443, rules }] })
  const ask = (path: string): string =>
    out([http], '1.1.1.1', 443, { payload: { kind: 'http', method: 'GET', path, host: 'h', headers: { x: '1' } } })
  assert.equal(ask('/a'), 'unknown not-modelled reads http')
  assert.equal(ask('/b'), 'deny cni.http-denied reads http')
})

test('objects of kinds that are not read', () => {
  assert.equal(out([unreadPolicy('p')], 'test/echo'), 'unknown not-modelled')
  assert.deepEqual(
    compile([...echoes, unreadPolicy('p'), egress({ toGroups: [{}] }), networkPolicy('test/np')]).notModelled.map(
      ({ id, what }) => [id, what],
    ),
    [
      ['CiliumNetworkPolicy/test/p', 'toGroups'],
      ['AdminNetworkPolicy/p', 'AdminNetworkPolicy isolates pods of every namespace'],
    ],
  )
})

test('policies for nodes: by labels that every node has; by others it cannot be said', () => {
  const snapshot = (policy: Resource): ReturnType<typeof compile> => compile([...echoes, policy])
  const [first, second] = snapshot(unreadPolicy('p')).nodes
  const onNode = (matchLabels: Readonly<Record<string, string>>): Resource =>
    ciliumPolicy('nodes', { nodeSelector: { matchLabels }, ingress: [{ fromEntities: ['cluster'] }] })
  const ask = (policy: Resource, name: string | undefined): string => {
    const host = {
      ...podOf(snapshot(policy), 'test/echo'),
      key: 'host',
      workload: 'host',
      hostNetwork: true,
      labels: {},
    }
    const tuple = { src: '1.1.1.1', dst: host.ip, port: 22, protocol: 'TCP' as const }
    const evidence = { pod: { ...host, node: name ?? '' }, peer: { ip: '1.1.1.1' }, tuple }
    return said(judgeAt('cni-ingress', evidence, snapshot(policy)))
  }
  assert.equal(ask(onNode({ 'kubernetes.io/hostname': first?.name ?? '' }), first?.name), 'deny cni.default-deny')
  assert.equal(ask(onNode({ 'kubernetes.io/hostname': first?.name ?? '' }), second?.name), 'allow network.no-policy')
  assert.equal(ask(onNode({ pool: 'a' }), first?.name), 'unknown not-modelled')
})
