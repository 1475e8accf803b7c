import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '@bulkhead/resources'
import { compile } from '../model/compile.js'
import {
  ambient,
  authorizationPolicy,
  ciliumPolicy,
  gateway,
  httpRoute,
  namespace,
  networkPolicy,
  resource,
  service,
  workload,
} from '../testing/objects.js'
import { short } from '../testing/scene.js'
import type { Flow, Verdict } from '../types.js'
import { judge } from './judge.js'

const ports = [{ containerPort: 80 }]
const scene = [
  ambient('a'),
  namespace('plain'),
  workload('a/app'),
  workload('plain/app'),
  workload('plain/host', { hostNetwork: true }),
  workload('plain/web', { ports }),
]
const ask = (flow: Omit<Flow, 'from'> & Partial<Pick<Flow, 'from'>>, ...more: readonly Resource[]): Verdict =>
  judge({ from: { workload: 'a/app' }, ...flow }, compile([...scene, ...more]))
const points = ({ steps }: Verdict): string[] =>
  steps.map(
    ({ point, outcome, code, facts }) => `${point}${facts?.query === undefined ? '' : ' dns'} ${outcome} ${code}`,
  )

const kubeDns = { matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'kube-system', 'k8s-app': 'kube-dns' } }
const dnsFor = (...names: readonly string[]) => ({
  toEndpoints: [kubeDns],
  toPorts: [
    { ports: [{ port: '53', protocol: 'ANY' as const }], rules: { dns: names.map((matchName) => ({ matchName })) } },
  ],
})
const one = { toFQDNs: [{ matchName: 'one.example' }] }
const https = { port: '443', protocol: 'TCP' as const }
const closed = networkPolicy('a/closed', { policyTypes: ['Egress'] })

test('a connection to a name outside begins with a question to kube-dns, at both ends of its way', () => {
  const of = ask({ to: { host: 'One.example.' }, port: 443 })
  assert.deepEqual(points(of), [
    'cni-egress dns allow network.no-policy',
    'cni-ingress dns allow network.no-policy',
    'cni-egress allow network.no-policy',
  ])
  assert.deepEqual(
    of.steps.map(({ facts }) => facts?.query),
    ['one.example', 'one.example', undefined],
  )
  assert.equal(of.hops.length, 1)
})

test('nobody asks for an address, for a name of the cluster’s, or on the host’s network', () => {
  const asked = (of: Verdict): boolean => of.steps.some(({ facts }) => facts?.query !== undefined)
  assert.equal(asked(ask({ to: { ip: '192.0.2.1' }, port: 443 })), false)
  assert.equal(asked(ask({ to: { host: '192.0.2.1' }, port: 443 })), false)
  assert.equal(asked(ask({ to: { host: 'web.plain' }, port: 80 }, service('plain/web'))), false)
  assert.equal(asked(ask({ to: { host: 'kube-dns.kube-system' }, port: 53, protocol: 'UDP' })), false)
  assert.equal(asked(ask({ from: { workload: 'plain/host' }, to: { host: 'one.example' }, port: 443 })), false)
  assert.equal(asked(ask({ from: { workload: 'plain/app' }, to: { host: 'one.example' }, port: 443 })), true)
})

test('a question that is dropped is never answered, one that a rule refuses is refused; all else is judged too', () => {
  for (const from of ['a/app', 'plain/app']) {
    const policies = [closed, networkPolicy('plain/closed', { policyTypes: ['Egress'] })]
    const of = ask({ from: { workload: from }, to: { host: 'one.example' }, port: 443 }, ...policies)
    assert.deepEqual(short(of), { outcome: 'deny', symptom: 'dns-timeout', code: 'cni.default-deny' }, from)
    assert.deepEqual(points(of)[2], 'cni-egress deny cni.default-deny')
  }
  const narrow = ciliumPolicy('a/narrow', { egress: [dnsFor('one.example'), { toEntities: ['world'] }] })
  const of = ask({ to: { host: 'two.example' }, port: 443 }, narrow)
  assert.deepEqual(short(of), { outcome: 'deny', symptom: 'dns-refused', code: 'cni.dns-denied' })
  assert.match(of.text, /DENIED by CiliumNetworkPolicy\/a\/narrow \(cni-egress, asking for two\.example\)$/)
  assert.equal(ask({ to: { host: 'one.example' }, port: 443 }, narrow).outcome, 'allow')
  // kube-dns may have walls of its own.
  const shut = networkPolicy('kube-system/shut', { podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } })
  assert.deepEqual(short(ask({ to: { host: 'one.example' }, port: 443 }, shut)), {
    outcome: 'deny',
    symptom: 'dns-timeout',
    code: 'cni.default-deny',
  })
  // A name that nobody has is asked for as well: whoever may not ask does not learn that.
  assert.equal(ask({ to: { host: 'nobody' }, port: 80 }, closed).symptom, 'dns-timeout')
  assert.equal(ask({ to: { host: 'nobody' }, port: 80 }).symptom, 'dns-not-found')
})

test('toFQDNs knows the addresses that a rule’s answers taught, and no others (B.6)', () => {
  const learned = ciliumPolicy('a/out', { egress: [dnsFor('one.example', 'two.example'), one] })
  assert.equal(ask({ to: { host: 'one.example' }, port: 443 }, learned).outcome, 'allow')
  assert.equal(ask({ to: { host: 'one.example', ip: '192.0.2.1' }, port: 443 }, learned).outcome, 'allow')
  assert.equal(ask({ to: { host: 'two.example' }, port: 443 }, learned).symptom, 'late-reset')
  assert.equal(ask({ to: { ip: '192.0.2.1' }, port: 443 }, learned).symptom, 'late-reset')
  // Without a rule that reads the answers nothing is learned.
  const plain = ciliumPolicy('a/out', { egress: [{ toEndpoints: [kubeDns] }, one] })
  assert.equal(ask({ to: { host: 'one.example' }, port: 443 }, plain).symptom, 'late-reset')
})

test('a server name: the host’s own on 443, what the flow says, or none (B.7)', () => {
  const door = ciliumPolicy('a/out', {
    egress: [
      dnsFor('one.example', 'two.example'),
      {
        toFQDNs: [{ matchName: 'one.example' }, { matchName: 'two.example' }],
        toPorts: [{ ports: [https, { port: '8443', protocol: 'TCP' }], serverNames: ['one.example'] }],
      },
    ],
  })
  const host = (name: string, rest: Partial<Flow> = {}): Verdict =>
    ask({ to: { host: name }, port: 443, ...rest }, door)
  assert.equal(host('one.example').outcome, 'allow')
  const other = host('two.example')
  assert.deepEqual(short(other), { outcome: 'deny', symptom: 'reset', code: 'cni.sni-denied' })
  assert.match(other.text, /\(cni-egress, server name two\.example\)$/)
  assert.equal(host('two.example', { tls: { sni: 'one.example' } }).outcome, 'allow')
  for (const lying of [
    { tls: { sni: 'two.example' } },
    { tls: {} },
    { http: { method: 'GET', path: '/' } },
    { port: 8443 },
  ])
    assert.equal(host('one.example', lying).symptom, 'reset', JSON.stringify(lying))
  assert.equal(host('one.example', { port: 8443, tls: { sni: 'one.example' } }).outcome, 'allow')
})

test('Cilium’s HTTP rules read what is sent in plain text, also by a gateway, and nothing in the mesh’s tunnels', () => {
  const rules = { http: [{ method: 'GET', path: '/public' }] }
  const onWeb = ciliumPolicy('plain/web', {
    endpointSelector: { matchLabels: { app: 'web' } },
    ingress: [{ toPorts: [{ ports: [{ port: '80', protocol: 'TCP' }], rules }] }],
  })
  const web = (path: string, more: readonly Resource[] = []): Verdict =>
    ask({ to: { workload: 'plain/web' }, port: 80, http: { method: 'GET', path } }, onWeb, ...more)
  assert.equal(web('/public').outcome, 'allow')
  assert.deepEqual(short(web('/')), { outcome: 'deny', symptom: 'cilium-403', code: 'cni.http-denied' })
  // What the flow leaves open is GET /; TLS is no request, and gets no answer.
  assert.equal(ask({ to: { workload: 'plain/web' }, port: 80 }, onWeb).symptom, 'cilium-403')
  assert.equal(ask({ to: { workload: 'plain/web' }, port: 80, tls: {} }, onWeb).symptom, 'reset')

  const door = [
    gateway('plain/gw'),
    httpRoute('plain/route', 'gw', { rules: [{ backendRefs: [{ name: 'web', port: 80 }] }] }),
    service('plain/web'),
  ]
  const through = (path: string): Verdict =>
    judge(
      { from: { external: '203.0.113.7' }, to: { service: 'plain/gw-istio' }, port: 80, http: { method: 'GET', path } },
      compile([...scene, onWeb, ...door]),
    )
  assert.equal(through('/public').outcome, 'allow')
  assert.deepEqual(short(through('/')), { outcome: 'deny', symptom: 'cilium-403', code: 'cni.http-denied' })
  assert.equal(through('/').decidedBy?.hop, 1)

  const inMesh = ciliumPolicy('a/web', {
    ingress: [
      { toPorts: [{ ports: [{ port: '80', protocol: 'TCP' }], rules }] },
      { toPorts: [{ ports: [{ port: '15008' }] }] },
    ],
  })
  const captured = ask(
    { to: { workload: 'a/web' }, port: 80, http: { method: 'GET', path: '/' } },
    workload('a/web', { ports }),
    inMesh,
  )
  assert.equal(captured.outcome, 'allow')
})

test('a question in a flow of its own is read as one', () => {
  const rule = ciliumPolicy('a/out', { egress: [dnsFor('one.example')] })
  const to = { service: 'kube-system/kube-dns' }
  const query = (name: string, more: readonly Resource[]): Verdict =>
    ask({ to, port: 53, protocol: 'UDP', dns: { query: name } }, ...more)
  assert.equal(query('one.example', [rule]).outcome, 'allow')
  assert.equal(query('ONE.example.', [rule]).outcome, 'allow')
  assert.deepEqual(short(query('a2V5.attacker.example', [rule])), {
    outcome: 'deny',
    symptom: 'dns-refused',
    code: 'cni.dns-denied',
  })
  assert.equal(query('one.example', [closed]).symptom, 'dns-timeout')
  // Nothing is said of what it asks: the packet passes.
  assert.equal(ask({ to, port: 53, protocol: 'UDP' }, rule).outcome, 'allow')
})

test('a name that leads back in leads to what has the address', () => {
  const snapshot = compile([...scene, workload('a/web', { ports }), authorizationPolicy('a/nothing', {})])
  const ip = [...snapshot.pods.values()].find((pod) => pod.workload === 'a/web')?.ip ?? ''
  const of = judge({ from: { workload: 'a/app' }, to: { host: 'rebound.example', ip }, port: 80 }, snapshot)
  assert.equal(of.hops[0]?.to, 'a/web')
  assert.deepEqual(short(of), { outcome: 'deny', symptom: 'reset', code: 'authz.no-rule-allows' })
  assert.equal(of.steps[0]?.facts?.query, 'rebound.example')
})

test('where it cannot be known where packets go, the network is not asked', () => {
  const entry = resource({
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name: 'e', namespace: 'a' },
    spec: { hosts: ['one.example'] },
  })
  assert.equal(ask({ to: { host: 'one.example' }, port: 443 }, entry, closed).outcome, 'unknown')
  // A Service that nobody is behind: nothing leaves the caller.
  const lonely = service('a/lonely')
  assert.equal(short(ask({ to: { service: 'a/lonely' }, port: 80 }, lonely, closed)).code, 'network.no-endpoint')
})
