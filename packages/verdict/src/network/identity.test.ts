import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CiliumRule, Resource } from '@bulkhead/resources'
import { compile } from '../model/compile.js'
import { judgeAt } from '../points/judge-at.js'
import { echoes, type PacketOptions, packet, podOf, said } from '../testing/network-scene.js'
import { ciliumPolicy, networkPolicy, service, workload } from '../testing/objects.js'
import type { CniEvidence } from '../types.js'

/*
 * Who is who: by which labels, addresses and Services rules select (semantics B.4 to B.6).
 */

type Ingress = NonNullable<CiliumRule['ingress']>
const labels = (
  matchLabels: Readonly<Record<string, string>>,
): { readonly matchLabels: Readonly<Record<string, string>> } => ({ matchLabels })
const allow = 'allow cni.rule-allows'
const deny = 'deny cni.default-deny'

function into(ingress: Ingress[number], from: string, key = 'test/p', options?: PacketOptions): string {
  return said(
    packet([...echoes, ciliumPolicy(key, { ingress: [ingress] })], 'ingress', from, 'test/echo', 8080, options),
  )
}

test('sources of labels: k8s, any, none; a reserved one is no pod’s', () => {
  for (const key of ['name', 'k8s:name', 'any:name'])
    assert.equal(into({ fromEndpoints: [labels({ [key]: 'client' })] }, 'test/client'), allow, key)
  assert.equal(into({ fromEndpoints: [labels({ 'container:name': 'client' })] }, 'test/client'), deny)
  assert.equal(into({ fromEndpoints: [labels({ 'reserved:world': '' })] }, '203.0.113.7'), allow)
  assert.equal(into({ fromEndpoints: [labels({ 'reserved:world': '' })] }, 'test/client'), deny)
  assert.equal(into({ fromEndpoints: [labels({ 'reserved:kube-apiserver': '' })] }, '172.18.0.2'), allow)
})

test('a key without a source is of any: also a reserved one, for who has no namespace', () => {
  const noNamespace = { key: 'io.kubernetes.pod.namespace', operator: 'DoesNotExist' as const }
  assert.equal(
    into({ fromEndpoints: [{ ...labels({ world: '' }), matchExpressions: [noNamespace] }] }, '203.0.113.7'),
    allow,
  )
  assert.equal(into({ fromEndpoints: [labels({ world: '' })] }, '203.0.113.7'), deny)
})

test('namespaces by their labels', () => {
  const key = 'k8s:io.cilium.k8s.namespace.labels.team'
  assert.equal(into({ fromEndpoints: [labels({ [key]: 'far' })] }, 'far/client', 'ccnp'), allow)
  assert.equal(into({ fromEndpoints: [labels({ [key]: 'far' })] }, 'test/client', 'ccnp'), deny)
  // In a policy of the whole cluster it is pods all the same.
  const notFar = [{ key, operator: 'NotIn' as const, values: ['far'] }]
  assert.equal(into({ fromEndpoints: [{ matchExpressions: notFar }] }, 'test/client', 'ccnp'), allow)
  assert.equal(into({ fromEndpoints: [{ matchExpressions: notFar }] }, '203.0.113.7', 'ccnp'), deny)
  const byName = 'io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name'
  assert.equal(into({ fromEndpoints: [labels({ [byName]: 'far' })] }, 'far/client'), allow)
})

test('a namespace in the subject of a namespaced policy does not count, in any spelling', () => {
  for (const key of [
    'io.kubernetes.pod.namespace',
    'k8s:io.kubernetes.pod.namespace',
    'any:io.kubernetes.pod.namespace',
  ]) {
    const policy = ciliumPolicy('test/p', { endpointSelector: labels({ [key]: 'far' }), ingress: [{}] })
    const ask = (to: string): string => said(packet([...echoes, policy], 'ingress', '203.0.113.7', to, 8080))
    assert.equal(ask('test/echo'), deny, key)
    assert.equal(ask('far/echo'), 'allow network.no-policy', key)
  }
})

test('the service account’s label is Cilium’s: no pod can give it to itself', () => {
  const key = 'io.cilium.k8s.policy.serviceaccount'
  const thief = workload('test/thief', { labels: { name: 'client', [key]: 'client' }, serviceAccount: 'thief' })
  const policy = ciliumPolicy('test/p', { ingress: [{ fromEndpoints: [labels({ [key]: 'client' })] }] })
  const ask = (from: string): string => said(packet([...echoes, thief, policy], 'ingress', from, 'test/echo', 8080))
  assert.equal(ask('test/client'), allow)
  assert.equal(ask('test/thief'), deny)
  // Labels alone can be stolen.
  const byLabel = ciliumPolicy('test/p', { ingress: [{ fromEndpoints: [labels({ name: 'client' })] }] })
  assert.equal(said(packet([...echoes, thief, byLabel], 'ingress', 'test/thief', 'test/echo', 8080)), allow)
})

test('an address is the pod’s, the node’s or nobody’s, however it is written', () => {
  const snapshot = compile(echoes)
  const { ip } = podOf(snapshot, 'test/client')
  const byPod = { fromEndpoints: [labels({ name: 'client' })] }
  assert.equal(into(byPod, ip), allow)
  assert.equal(into(byPod, `::ffff:${ip}`), allow)
  assert.equal(into({ fromEntities: ['world'] }, ip), deny)
  assert.equal(into({ fromEntities: ['world'] }, '2001:db8::1'), allow)
  assert.equal(into({ fromEndpoints: [labels({ 'reserved:world-ipv4': '' })] }, '2001:db8::1'), deny)
  assert.equal(into({ fromEndpoints: [labels({ 'reserved:world-ipv6': '' })] }, '2001:db8::1'), allow)
  assert.equal(into({ fromCIDR: ['2001:db8::/32'] }, '2001:db8::1'), allow)
  assert.equal(into({ fromCIDR: ['0.0.0.0/0'] }, '2001:db8::1'), deny)
  // The kubelet's probes come from an address that is nobody's.
  assert.equal(into({ fromCIDR: ['169.254.7.127/32'] }, '169.254.7.127'), allow)
  assert.equal(into({ fromEntities: ['host', 'remote-node', 'cluster'] }, '169.254.7.127'), deny)
})

test('a pod on the host’s network is its node', () => {
  const agent = workload('test/agent', { labels: { name: 'client' }, hostNetwork: true })
  const onFar = (ingress: Ingress[number], own: boolean): string => {
    const snapshot = compile([...echoes, agent, ciliumPolicy('far/p', { ingress: [ingress] })])
    const [host, pod] = [podOf(snapshot, 'test/agent'), podOf(snapshot, 'far/echo')]
    const node = snapshot.nodes.find(({ name }) => (name === pod.node) === own) ?? host
    const peer = { ...host, node: 'name' in node ? node.name : '', ip: node.ip }
    const tuple = { src: peer.ip, dst: pod.ip, port: 8080, protocol: 'TCP' as const }
    return said(judgeAt('cni-ingress', { pod, peer, tuple }, snapshot))
  }
  assert.equal(onFar({ fromEntities: ['remote-node'] }, false), allow)
  assert.equal(onFar({ fromEntities: ['host'] }, false), deny)
  assert.equal(onFar({}, true), 'allow cni.own-node')
  const everywhere = { key: 'io.kubernetes.pod.namespace', operator: 'Exists' as const }
  assert.equal(onFar({ fromEndpoints: [{ matchExpressions: [everywhere] }] }, false), deny)
})

test('what selects pods selects none on the host’s network; nodes are selected for the whole cluster alone', () => {
  const agent = workload('test/agent', { labels: { name: 'client' }, hostNetwork: true })
  const ask = (policy: Resource, network?: PacketOptions['network']): string =>
    said(packet([...echoes, agent, policy], 'ingress', '203.0.113.7', 'test/agent', 8080, network && { network }))
  const free = 'allow network.no-policy'
  assert.equal(ask(networkPolicy('test/np')), free)
  assert.equal(ask(ciliumPolicy('test/cnp', { ingress: [{}] })), free)
  assert.equal(ask(ciliumPolicy('ccnp', { ingress: [{}] })), free)
  assert.equal(ask(ciliumPolicy('test/cnp', { nodeSelector: {}, ingress: [{}] })), free)
  assert.equal(ask(ciliumPolicy('ccnp', { nodeSelector: {}, ingress: [{}] })), deny)
  assert.equal(ask(networkPolicy('far/np'), { enforcement: 'always' }), free)
})

test('toServices: the pods that the Service selects, on their own ports', () => {
  const ask = (reference: Readonly<Record<string, unknown>>, to: string, port = 8080, ports = '8080'): string => {
    const namesake = service('far/echo', { selector: { kind: 'echo' } })
    const toPorts = [{ ports: [{ port: ports, protocol: 'TCP' as const }] }]
    const policy = ciliumPolicy('test/p', { egress: [{ toServices: [reference], toPorts }] })
    const backing = service('test/echo', { selector: { kind: 'echo' }, labels: { tier: 'echo' } })
    return said(packet([...echoes, backing, namesake, policy], 'egress', 'test/client', to, port))
  }
  const byName = (serviceName: string, namespace: string): Readonly<Record<string, unknown>> => ({
    k8sService: { serviceName, namespace },
  })
  assert.equal(ask(byName('echo', 'test'), 'test/echo'), allow)
  assert.equal(ask(byName('echo', 'test'), 'far/echo'), deny)
  assert.equal(ask(byName('echo', 'test'), 'test/echo', 80), deny)
  assert.equal(
    ask({ k8sServiceSelector: { selector: labels({ tier: 'echo' }), namespace: 'test' } }, 'test/echo'),
    allow,
  )
  assert.equal(ask(byName('kube-dns', 'kube-system'), 'dns', 53, '53'), allow)
  // Nothing behind the reference leaves nothing written, and ports alone are anybody's.
  assert.equal(ask(byName('gone', 'test'), '1.1.1.1'), allow)
  assert.equal(ask(byName('gone', 'test'), '1.1.1.1', 443), deny)
  assert.equal(ask(byName('kubernetes', 'default'), '172.18.0.2', 6443, '6443'), 'unknown not-modelled')
  assert.equal(ask(byName('kubernetes', 'default'), 'test/echo'), deny)
})

test('named ports are the destination’s, by name and protocol, at either end', () => {
  const toPorts = [{ ports: [{ port: 'http-8080', protocol: 'TCP' as const }] }]
  const policy = ciliumPolicy('test/p', { egress: [{ toPorts }] })
  const ask = (to: string, port: number): string => said(packet([...echoes, policy], 'egress', 'test/client', to, port))
  assert.equal(ask('test/echo', 8080), allow)
  assert.equal(ask('test/client2', 8080), deny)
  assert.equal(ask('1.1.1.1', 8080), deny)
})

test('a range of ports, and none for a named one', () => {
  const range = { toPorts: [{ ports: [{ port: '8000', endPort: 8100, protocol: 'TCP' as const }] }] }
  assert.equal(into(range, 'test/client'), allow)
  assert.equal(into({ toPorts: [{ ports: [{ port: '8000', endPort: 8079 }] }] }, 'test/client'), deny)
  assert.equal(into(range, 'test/client', 'test/p', { protocol: 'UDP' }), deny)
})

test('both kinds in one set: what either allows is allowed, what either closes is closed', () => {
  const np = networkPolicy('test/np', { ingress: [{ from: [{ podSelector: labels({ name: 'client' }) }] }] })
  const wide = ciliumPolicy('wide', { ingress: [{ fromEntities: ['world'] }] })
  const ask = (policies: readonly Resource[], from: string): string =>
    said(packet([...echoes, ...policies], 'ingress', from, 'test/echo', 8080))
  assert.equal(ask([np, wide], 'test/client'), allow)
  assert.equal(ask([np, wide], '203.0.113.7'), allow)
  assert.equal(ask([np, wide], 'test/client2'), deny)
  const stop = ciliumPolicy('test/stop', { ingressDeny: [{ fromEndpoints: [labels({ name: 'client' })] }] })
  assert.equal(ask([np, stop], 'test/client'), 'deny cni.rule-denies')
})

test('several specs of one object, each with its own pods', () => {
  const { object, ...rest } = ciliumPolicy('test/p')
  const specs: readonly CiliumRule[] = [
    { endpointSelector: labels({ kind: 'echo' }), ingress: [{}] },
    { endpointSelector: labels({ kind: 'client' }), egress: [{}] },
  ]
  const both = { ...rest, object: { ...object, spec: undefined, specs } }
  assert.equal(said(packet([...echoes, both], 'ingress', 'test/client', 'test/echo', 8080)), deny)
  assert.equal(said(packet([...echoes, both], 'egress', 'test/client', 'test/echo', 8080)), deny)
  assert.equal(said(packet([...echoes, both], 'egress', 'test/echo', 'test/client', 8080)), 'allow network.no-policy')
})

test('what was said of a packet does not stand for what it carries, nor for a name that is learned since', () => {
  const serverNames = ['a.example']
  const policy = ciliumPolicy('test/p', {
    egress: [
      { toCIDR: ['192.0.2.0/24'], toPorts: [{ ports: [{ port: '443', protocol: 'TCP' }], serverNames }] },
      { toFQDNs: [{ matchName: 'b.example' }] },
    ],
  })
  const snapshot = compile([...echoes, policy])
  const pod = podOf(snapshot, 'test/client')
  const ask = (ip: string, more: Partial<CniEvidence> = {}): string => {
    const tuple = { src: pod.ip, dst: ip, port: 443, protocol: 'TCP' as const }
    return said(judgeAt('cni-egress', { pod, peer: { ip }, tuple, ...more }, snapshot))
  }
  assert.equal(ask('192.0.2.1'), 'allow cni.rule-allows reads tls')
  assert.equal(ask('192.0.2.1', { payload: { kind: 'tls', sni: 'z.example' } }), 'deny cni.sni-denied reads tls')
  assert.equal(ask('192.0.2.1', { payload: { kind: 'tls', sni: 'a.example' } }), 'allow cni.rule-allows reads tls')
  assert.equal(ask('198.51.100.1'), deny)
  assert.equal(ask('198.51.100.1', { learned: ['b.example'] }), allow)
  assert.equal(ask('198.51.100.1'), deny)
  // A name is known of what is outside: a pod has its labels.
  const echo = podOf(snapshot, 'test/echo')
  assert.equal(ask(echo.ip, { learned: ['b.example'] }), deny)
})

test('a pod is not kept from itself, and what is asked twice is answered the same', () => {
  const closed = ciliumPolicy('test/closed', { ingress: [{}], egress: [{}] })
  const snapshot = compile([...echoes, closed])
  const pod = podOf(snapshot, 'test/echo')
  const tuple = { src: pod.ip, dst: pod.ip, port: 8080, protocol: 'TCP' as const }
  assert.equal(judgeAt('cni-egress', { pod, peer: pod, tuple }, snapshot).outcome, 'allow')
  const asked = { pod, peer: { ip: '203.0.113.7' }, tuple: { ...tuple, src: '203.0.113.7' } }
  const first = judgeAt('cni-ingress', asked, snapshot)
  assert.deepEqual(judgeAt('cni-ingress', asked, snapshot), first)
  assert.equal(first.outcome, 'deny')
})
