import assert from 'node:assert/strict'
import { test } from 'node:test'
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
  outDenied,
  says,
  tcp,
} from '../testing/cilium-scene.js'
import { ciliumPolicy } from '../testing/objects.js'

/*
 * Golden vectors 33 to 45, 52 and 59 (semantics G.2): who is allowed and denied. 63 to 77 are in cilium-peers.test.ts;
 * those that read what a connection carries in cilium-reading.test.ts. 53 and 76 are refused when the manifest is read.
 */

test('33 all-ingress-deny: an empty rule allows nobody', () => {
  assert.equal(says([deniesAllIngress], 'test/client', 'test/echo'), inDefault)
  assert.equal(says([ciliumPolicy('test/none', { ingress: [] })], 'test/client', 'test/echo'), 'allow')
})

test('34 all-egress-deny', () => {
  assert.equal(says([ciliumPolicy('test/deny-out', { egress: [{}] })], 'test/client', 'test/echo'), outDefault)
})

test('35 all-entities-deny is a denial by rule', () => {
  const denyAll = ciliumPolicy('test/deny-out', { egressDeny: [{ toEntities: ['all'] }] })
  assert.equal(says([denyAll], 'test/client', 'test/echo'), outDenied)
  assert.equal(says([denyAll, everything], 'test/client', '1.1.1.1', 443), outDenied)
  assert.equal(says([everything], 'test/client', '1.1.1.1', 443), 'allow')
})

test('36 an empty deny rule denies nobody, and closes by default', () => {
  const emptyDeny = ciliumPolicy('test/deny-in', { ingressDeny: [{}] })
  const allow = ciliumPolicy('test/from-client', {
    ingress: [{ fromEndpoints: [{ matchLabels: { name: 'client' } }] }],
  })
  assert.equal(says([emptyDeny, allow], 'test/client', 'test/echo'), 'allow')
  assert.equal(says([emptyDeny, allow], 'test/client2', 'test/echo'), inDefault)
  assert.equal(says([emptyDeny], 'test/client', 'test/echo'), inDefault)
})

test('37 an empty list of peers is nobody, whatever the ports', () => {
  const nobody = ciliumPolicy('test/nobody', { ...echo, ingress: [{ fromEndpoints: [], ...tcp('8080') }] })
  assert.equal(says([nobody], 'test/client', 'test/echo'), inDefault)
  const anybody = ciliumPolicy('test/nobody', { ...echo, ingress: [tcp('8080')] })
  assert.equal(says([anybody], 'test/client', 'test/echo'), 'allow')
})

test('38 nor does an empty list of destinations mean anybody', () => {
  const nobody = ciliumPolicy('test/nobody', { ...client, egress: [{ toEndpoints: [], ...tcp('8080') }] })
  assert.equal(says([nobody], 'test/client', 'test/echo'), outDefault)
  assert.equal(
    says([ciliumPolicy('test/nobody', { ...client, egress: [tcp('8080')] })], 'test/client', 'test/echo'),
    'allow',
  )
})

test('39 ports alone: anybody, also from outside, on these', () => {
  const port80 = ciliumPolicy('test/80', { ingress: [tcp('80')] })
  assert.equal(at([port80], 'ingress', '203.0.113.7', 'test/echo', 80), 'allow cni.rule-allows')
  assert.equal(at([port80], 'ingress', '203.0.113.7', 'test/echo', 81), 'deny cni.default-deny')
})

test('40 client-egress-to-echo-deny', () => {
  const deny = ciliumPolicy('test/no-echo', {
    ...client,
    egressDeny: [{ toEndpoints: [{ matchLabels: { kind: 'echo' } }], ...tcp('8080') }],
  })
  assert.equal(says([everything, deny], 'test/client', 'test/echo'), outDenied)
  assert.equal(at([everything, deny], 'egress', 'test/client', 'test/client2', 8080), 'allow cni.rule-allows')
})

test('41 echo-ingress-from-other-client-deny', () => {
  const deny = ciliumPolicy('test/no-client2', { ...echo, ingressDeny: [{ fromEndpoints: [client2] }] })
  assert.equal(says([everything, deny], 'test/client2', 'test/echo'), inDenied)
  assert.equal(says([everything, deny], 'test/client', 'test/echo'), 'allow')
})

test('42 deny a peer, allow a port: the peer is denied on it', () => {
  const policies = [
    ciliumPolicy('test/deny', { ...echo, ingressDeny: [{ fromEndpoints: [client2] }] }),
    ciliumPolicy('test/allow', { ...echo, ingress: [tcp('80')] }),
  ]
  assert.equal(at(policies, 'ingress', 'test/client2', 'test/echo', 80), 'deny cni.rule-denies')
  assert.equal(at(policies, 'ingress', 'test/client', 'test/echo', 80), 'allow cni.rule-allows')
})

test('43 allow a peer, deny a port: all but that port', () => {
  const policies = [
    ciliumPolicy('test/allow', { ...echo, ingress: [{ fromEndpoints: [client2] }] }),
    ciliumPolicy('test/deny', { ...echo, ingressDeny: [tcp('80')] }),
  ]
  assert.equal(at(policies, 'ingress', 'test/client2', 'test/echo', 81), 'allow cni.rule-allows')
  assert.equal(at(policies, 'ingress', 'test/client2', 'test/echo', 80), 'deny cni.rule-denies')
  assert.equal(at(policies, 'ingress', 'test/client2', 'test/echo', 8, { protocol: 'ICMP' }), 'allow cni.rule-allows')
})

test('44 a denied port alone closes all others by default', () => {
  const deny = ciliumPolicy('test/deny', { ...echo, ingressDeny: [tcp('80')] })
  assert.equal(at([deny], 'ingress', 'test/client', 'test/echo', 81), 'deny cni.default-deny')
  assert.equal(at([deny], 'ingress', 'test/client', 'test/echo', 80), 'deny cni.rule-denies')
})

test('45 client-ingress-to-echo-named-port-deny', () => {
  const deny = ciliumPolicy('test/deny', {
    ...echo,
    ingressDeny: [{ fromEndpoints: [{ matchLabels: { name: 'client' } }], ...tcp('http-8080') }],
  })
  assert.equal(says([everything, deny], 'test/client', 'test/echo'), inDenied)
  assert.equal(says([everything, deny], 'test/client2', 'test/echo'), 'allow')
})

test('52 a denied peer is dropped, whatever http rules say of it', () => {
  const policies = [
    ciliumPolicy('test/http', {
      ...echo,
      ingress: [
        {
          fromEndpoints: [{ matchLabels: { kind: 'client' } }],
          toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }], rules: { http: [{ method: 'GET', path: '/' }] } }],
        },
      ],
    }),
    ciliumPolicy('test/deny', { ...echo, ingressDeny: [{ fromEndpoints: [client2] }] }),
  ]
  assert.equal(says(policies, 'test/client2', 'test/echo'), inDenied)
  assert.equal(at(policies, 'ingress', 'test/client', 'test/echo', 8080), 'allow cni.rule-allows reads http')
})

const kubeDns = [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'kube-system', 'k8s-app': 'kube-dns' } }]
const dnsPorts = [
  { port: '53', protocol: 'UDP' as const },
  { port: '53', protocol: 'TCP' as const },
]

test('59 dns-only: names resolve, and nothing else goes out', () => {
  const only = [
    ciliumPolicy('test/dns', { ...client, egress: [{ toEndpoints: kubeDns, toPorts: [{ ports: dnsPorts }] }] }),
  ]
  assert.equal(at(only, 'egress', 'test/client', 'dns', 53, { protocol: 'UDP' }), 'allow cni.rule-allows')
  assert.equal(says(only, 'test/client', 'test/echo'), outDefault)
  assert.equal(says(only, 'test/client', '1.1.1.1', 443), outDefault)
})
