import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CiliumPortRule, CiliumRule, Resource } from '@bulkhead/resources'
import { compile } from '../model/compile.js'
import { CompileError } from '../model/compile-error.js'
import { echoes, packet, said } from '../testing/network-scene.js'
import { ciliumPolicy } from '../testing/objects.js'
import type { Payload } from '../types.js'

/*
 * Golden vectors 46 to 51, 54 to 58 and 60 to 62 (semantics G.2): what Cilium reads behind a packet that it lets through.
 */

const kinds = { endpointSelector: { matchLabels: { kind: 'client' } } }
const toEcho = [{ matchLabels: { kind: 'echo' } }]
const port = (number: string, more: Omit<CiliumPortRule, 'ports'> = {}): readonly CiliumPortRule[] => [
  { ports: [{ port: number, protocol: 'TCP' }], ...more },
]
const request = (method: string, path: string): Payload => ({
  kind: 'http',
  method,
  path,
  host: 'echo:8080',
  headers: {},
})
const hello = (sni?: string): Payload => ({ kind: 'tls', ...(sni !== undefined && { sni }) })

function egress(
  rules: NonNullable<CiliumRule['egress']>,
  name = 'egress',
  subject: Pick<CiliumRule, 'endpointSelector'> = kinds,
): Resource {
  return ciliumPolicy(`test/${name}`, { ...subject, egress: rules })
}

function out(policies: readonly Resource[], to: string, at: number, payload?: Payload, from = 'test/client2'): string {
  return said(packet([...echoes, ...policies], 'egress', from, to, at, payload && { payload }))
}

const readsHttp = 'allow cni.rule-allows reads http'
const httpDenied = 'deny cni.http-denied reads http'
const readsTls = 'allow cni.rule-allows reads tls'
const sniDenied = 'deny cni.sni-denied reads tls'
const allowed = 'allow cni.rule-allows'

const posts = egress(
  [
    {
      toEndpoints: toEcho,
      toPorts: port('8080', {
        rules: {
          http: [
            { method: 'POST', path: '/public$' },
            { method: 'POST', path: '/private$' },
          ],
        },
      }),
    },
  ],
  'l7',
  { endpointSelector: { matchLabels: { kind: 'client', other: 'client' } } },
)
const nothingElse = egress([{}], 'closed')

test('46 client-egress-l7-method: the packet passes, and then only such a request', () => {
  assert.equal(out([posts], 'test/echo', 8080), readsHttp)
  assert.equal(out([posts], 'test/echo', 8080, request('POST', '/public')), readsHttp)
  assert.equal(out([posts], 'test/echo', 8080, request('POST', '/private')), readsHttp)
  assert.equal(out([posts], 'test/echo', 8080, request('GET', '/public')), httpDenied)
  assert.equal(out([posts], 'test/echo', 8080, hello('echo')), httpDenied)
})

test('47 a client that the rule does not select gets no packet through', () => {
  assert.equal(out([posts, nothingElse], 'test/echo', 8080, undefined, 'test/client'), 'deny cni.default-deny')
})

test('48 a path is matched whole, and with its query', () => {
  const path = egress([{ toEndpoints: toEcho, toPorts: port('8080', { rules: { http: [{ path: '/public' }] } }) }])
  const { steps } = packet([...echoes, path], 'egress', 'test/client2', 'test/echo', 8080, {
    payload: request('GET', '/public?x=1'),
  })
  assert.deepEqual([steps[0]?.code, steps[0]?.facts?.request], ['cni.http-denied', 'GET /public?x=1'])
  assert.equal(out([path], 'test/echo', 8080, request('GET', '/public')), readsHttp)
  assert.equal(out([path], 'test/echo', 8080, request('GET', '/public/deeper')), httpDenied)
})

const getRoot = { rules: { http: [{ method: 'GET', path: '/' }] } }

test('49 a rule for the same peer and port that reads nothing lets every request through', () => {
  const policies = [
    egress([{ toEndpoints: toEcho, toPorts: port('8080', getRoot) }], 'http'),
    egress([{ toEndpoints: toEcho, toPorts: port('8080') }], 'l4'),
  ]
  assert.equal(out(policies, 'test/echo', 8080, request('POST', '/admin')), allowed)
  assert.equal(out(policies.slice(0, 1), 'test/echo', 8080, request('POST', '/admin')), httpDenied)
})

test('50 and so does one for all peers', () => {
  const policies = [
    egress([{ toEndpoints: toEcho, toPorts: port('8080', getRoot) }], 'http'),
    egress([{ toPorts: port('8080') }], 'l4'),
  ]
  assert.equal(out(policies, 'test/echo', 8080, request('POST', '/x')), allowed)
  // For other peers alone: this one keeps its own rules.
  const others = egress([{ toEndpoints: [{ matchLabels: { kind: 'client' } }], toPorts: port('8080') }], 'l4')
  assert.equal(out([...policies.slice(0, 1), others], 'test/echo', 8080, request('POST', '/x')), httpDenied)
})

test('51 two families of rules for the same peers and port cannot be merged: an error that names both', () => {
  const http = egress([{ toEndpoints: toEcho, toPorts: port('8080', getRoot) }], 'http')
  const topic = { rules: { kafka: [{ topic: 't' }] } }
  const kafka = egress([{ toEndpoints: toEcho, toPorts: port('8080', topic) }], 'kafka')
  assert.throws(
    () => compile([...echoes, http, kafka]),
    (error: Error) => {
      assert.ok(error instanceof CompileError)
      assert.match(
        error.message,
        /^kafka\.yaml:\d+: CiliumNetworkPolicy\/test\/kafka: kafka rules for .*test\/http \(http\.yaml:\d+\)/,
      )
      return true
    },
  )
  // On another port, for other peers, or for other pods they can.
  compile([...echoes, http, egress([{ toEndpoints: toEcho, toPorts: port('9092', topic) }], 'kafka')])
  compile([...echoes, http, egress([{ toEntities: ['cluster'], toPorts: port('8080', topic) }], 'kafka')])
  const nobodys = { endpointSelector: { matchLabels: { kind: 'nobody' } } }
  compile([...echoes, http, egress([{ toEndpoints: toEcho, toPorts: port('8080', topic) }], 'kafka', nobodys)])
})

const address = '1.1.1.1'
const names = (...serverNames: readonly string[]): Resource =>
  egress([{ toEntities: ['world'], toPorts: port('443', { serverNames }) }], 'sni')

test('54 client-egress-tls-sni: the name that is listed, on that port', () => {
  assert.equal(out([names('one.one.one.one')], address, 443), readsTls)
  assert.equal(out([names('one.one.one.one')], address, 443, hello('one.one.one.one')), readsTls)
  assert.equal(out([names('one.one.one.one')], address, 80), 'deny cni.default-deny')
})

test('55 client-egress-tls-sni-denied', () => {
  const { steps } = packet([...echoes, names('other')], 'egress', 'test/client2', address, 443, {
    payload: hello('one.one.one.one'),
  })
  const [step] = steps
  assert.deepEqual(
    [step?.outcome, step?.code, step?.policy, step?.rule, step?.facts?.sni, step?.facts?.lists],
    ['deny', 'cni.sni-denied', 'CiliumNetworkPolicy/test/sni', 0, 'one.one.one.one', 'other'],
  )
  assert.equal(out([names('other')], address, 443, hello()), sniDenied)
  assert.equal(out([names('other')], address, 443, { kind: 'other' }), sniDenied)
})

test('56 SNIPatternMatching: a star is one label', () => {
  const policies = [names('*.example.com')]
  assert.equal(out(policies, address, 443, hello('WWW.example.com')), readsTls)
  assert.equal(out(policies, address, 443, hello('example.com')), sniDenied)
  assert.equal(out(policies, address, 443, hello('a.b.example.com')), sniDenied)
})

test('57 SNIPatternMatching: two stars are one or more', () => {
  const policies = [names('**.example.com')]
  assert.equal(out(policies, address, 443, hello('a.b.example.com')), readsTls)
  assert.equal(out(policies, address, 443, hello('example.com')), sniDenied)
})

test('58 TestMergeTLSSNIPolicy: one rule without names beside one with them opens nothing', () => {
  const plain = egress([{ toEntities: ['world'], toPorts: port('443') }], 'plain')
  assert.equal(out([names('one.example'), plain], address, 443, request('GET', '/')), sniDenied)
  assert.equal(out([names('one.example'), plain], address, 443, hello('two.example')), sniDenied)
  // The lists of two such rules are one, also where they are told.
  const two = egress([{ toEntities: ['world'], toPorts: port('443', { serverNames: ['two.example'] }) }], 'two')
  assert.equal(out([names('one.example'), two], address, 443, hello('two.example')), readsTls)
  const { steps } = packet([...echoes, names('one.example'), two], 'egress', 'test/client2', address, 443, {
    payload: hello('three.example'),
  })
  assert.equal(steps[0]?.facts?.lists, 'one.example, two.example')
  // Another selector stays apart, and opens what it opens; so does another way to write the ports.
  const range = egress(
    [{ toEntities: ['world'], toPorts: [{ ports: [{ port: '440', endPort: 450, protocol: 'TCP' }] }] }],
    'range',
  )
  assert.equal(out([names('one.example'), range], address, 443, hello('two.example')), allowed)
  const cidr = egress([{ toCIDR: ['1.0.0.0/8'], toPorts: port('443') }], 'cidr')
  assert.equal(out([names('one.example'), cidr], address, 443, hello('two.example')), allowed)
})

const kubeDns = [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'kube-system', 'k8s-app': 'kube-dns' } }]
function questions(
  ...dns: NonNullable<NonNullable<CiliumPortRule['rules']>['dns']>
): NonNullable<CiliumRule['egress']>[number] {
  return { toEndpoints: kubeDns, toPorts: [{ ports: [{ port: '53', protocol: 'ANY' }], rules: { dns } }] }
}
function question(policies: readonly Resource[], query: string): string {
  const payload: Payload = { kind: 'dns', query }
  return said(packet([...echoes, ...policies], 'egress', 'test/client', 'dns', 53, { protocol: 'UDP', payload }))
}
function learnedOut(policies: readonly Resource[], ...learned: readonly string[]): string {
  return said(packet([...echoes, ...policies], 'egress', 'test/client', '192.0.2.9', 443, { learned }))
}
const fqdn = { toFQDNs: [{ matchName: 'X.example.' }] }

test('60 to-fqdns: an address that was learned for the name, and no other', () => {
  const policies = [egress([questions({ matchPattern: '*' }), fqdn])]
  assert.equal(question(policies, 'x.example'), 'allow cni.rule-allows reads dns')
  assert.equal(learnedOut(policies, 'x.example'), allowed)
  assert.equal(learnedOut(policies, 'y.example'), 'deny cni.default-deny')
  assert.equal(learnedOut(policies, 'y.example', 'x.example'), allowed)
})

test('61 without a DNS rule nothing is learned, and the address is nobody’s', () => {
  const closed = packet([...echoes, egress([fqdn])], 'egress', 'test/client', '192.0.2.9', 443)
  assert.equal(said(closed), 'deny cni.default-deny')
  assert.deepEqual(closed.steps[0]?.closest?.lacks, [
    { attribute: 'peer', wants: ['X.example.'], has: '192.0.2.9, for which no such name was learned' },
  ])
  // A rule that opens the port and reads no questions teaches nothing either.
  const deaf = egress([{ toEndpoints: kubeDns, toPorts: [{ ports: [{ port: '53' }] }] }, fqdn])
  assert.equal(question([deaf], 'x.example'), allowed)
})

test('62 a DNS rule refuses other names', () => {
  const policies = [egress([questions({ matchName: 'x.example' }, { matchPattern: '*.cluster.local' })])]
  assert.equal(question(policies, 'x.example'), 'allow cni.rule-allows reads dns')
  assert.equal(question(policies, 'y.example'), 'deny cni.dns-denied reads dns')
  assert.equal(question(policies, 'a.cluster.local'), 'allow cni.rule-allows reads dns')
  assert.equal(question(policies, 'b.a.cluster.local'), 'deny cni.dns-denied reads dns')
  const deep = [egress([questions({ matchPattern: '**.cluster.local' })])]
  assert.equal(question(deep, 'b.a.cluster.local'), 'allow cni.rule-allows reads dns')
  assert.equal(question(deep, 'cluster.local'), 'deny cni.dns-denied reads dns')
})

test('TestDNSWildcardInDefaultAllow: in a policy that keeps its pods open every name passes, and is learned', () => {
  const open = ciliumPolicy('test/open', {
    ...kinds,
    enableDefaultDeny: { egress: false, ingress: false },
    egress: [questions({ matchName: 'x.example' }), { toEndpoints: toEcho, toPorts: port('8080', getRoot) }],
  })
  assert.equal(question([open], 'y.example'), 'allow network.no-policy reads dns')
  assert.equal(out([open], 'test/echo', 8080, request('POST', '/x')), 'allow network.no-policy')
  assert.equal(question([open, nothingElse], 'y.example'), 'allow cni.rule-allows reads dns')
  assert.equal(out([open, nothingElse], 'test/echo', 8080, request('POST', '/x')), allowed)
})
