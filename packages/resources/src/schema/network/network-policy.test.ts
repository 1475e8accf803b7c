import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NetworkPolicy } from '../../kinds-network.js'
import { parseManifests } from '../../parse.js'
import { only, problems } from '../../testing.js'

const policy = (spec: string) =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: p, namespace: shop }\nspec: ${spec}`
const codes = (text: string) => problems(text).map((one) => one.replace(/ [0-9:]+$/, ''))
const peer = (text: string) => policy(`{ podSelector: {}, ingress: [{ from: [${text}] }] }`)
const port = (text: string) => policy(`{ podSelector: {}, ingress: [{ ports: [${text}] }] }`)

test('what the API server takes is read, and a missing list stays different from an empty one', () => {
  const spec = (text: string) => (only(policy(text)).object as NetworkPolicy).spec
  assert.deepEqual(spec('{ podSelector: {}, policyTypes: [Ingress], ingress: [] }').ingress, [])
  assert.equal(Object.hasOwn(spec('{ podSelector: {}, policyTypes: [Ingress] }'), 'ingress'), false)
  assert.deepEqual(spec('{ ingress: [{}, { from: [], ports: [] }] }').ingress, [{}, { from: [], ports: [] }])
  for (const text of [
    '{ podSelector: {} }',
    '{ podSelector: { matchLabels: { app: a }, matchExpressions: [{ key: b, operator: NotIn, values: [c, ""] }] } }',
    '{ policyTypes: [Ingress, Egress], egress: [{ to: [{ namespaceSelector: {}, podSelector: {} }] }] }',
    '{ ingress: [{ from: [{ ipBlock: { cidr: 10.0.0.0/8, except: [10.1.0.0/16, 10.0.0.1/32] } }] }] }',
    '{ ingress: [{ from: [{ ipBlock: { cidr: "fd00::/8", except: ["fd00:1::/32"] } }] }] }',
    '{ ingress: [{ ports: [{ port: 80, endPort: 81 }, { protocol: UDP }, { port: serve-81-tcp }, { port: 65535, protocol: SCTP }] }] }',
  ])
    assert.deepEqual(problems(policy(text)), [], text)
})

test('what the API server refuses is an error at its place', () => {
  const table: [string, string[]][] = [
    [peer('{}'), ['error peer.empty']],
    [peer('{ podSelector: null }'), ['error peer.empty']],
    [peer('{ ipBlock: { cidr: 10.0.0.0/8 }, podSelector: {} }'), ['error peer.combination']],
    [peer('{ ipBlock: { cidr: 10.0.0.0/8 }, namespaceSelector: {} }'), ['error peer.combination']],
    [peer('{ ipBlock: {} }'), ['error field.missing']],
    [peer('{ ipBlock: { cidr: 10.0.0.1 } }'), ['error value.cidr']],
    [peer('{ ipBlock: { cidr: 10.0.0.0/33 } }'), ['error value.cidr']],
    [peer('{ ipBlock: { cidr: "fe80::1%eth0/64" } }'), ['error value.cidr']],
    [peer('{ ipBlock: { cidr: 10.0.0.0/8, except: [11.0.0.0/16] } }'), ['error cidr.except']],
    [peer('{ ipBlock: { cidr: 10.0.0.0/8, except: [10.0.0.0/8] } }'), ['error cidr.except']],
    [peer('{ ipBlock: { cidr: 10.0.0.0/8, except: ["fd00::/9"] } }'), ['error cidr.except']],
    [peer('{ ipBlock: { cidr: 10.0.0.0/8, except: [10.0.0.7] } }'), ['error value.cidr']],
    [peer('{ podSelectr: {} }'), ['error field.unknown', 'error peer.empty']],
    [peer('{ podSelector: { matchLabels: { "a b": c } } }'), ['error label.form']],
    [peer('{ podSelector: { matchLabels: { a: "b c" } } }'), ['error label.form']],
    [peer('{ podSelector: { matchExpressions: [{ key: a, operator: In }] } }'), ['error selector.values']],
    [peer('{ podSelector: { matchExpressions: [{ key: a, operator: Is, values: [b] }] } }'), ['error field.value']],
    [
      peer('{ podSelector: { matchExpressions: [{ key: a, operator: Exists, values: [b] }] } }'),
      ['error selector.values'],
    ],
    [port('{ port: 0 }'), ['error value.port']],
    [port('{ port: 65536 }'), ['error value.port']],
    [port('{ port: "80" }'), ['error value.port']],
    [port('{ port: a--b }'), ['error value.port']],
    [port('{ port: sixteen-chars-xx }'), ['error value.port']],
    [port('{ port: 8.5 }'), ['error field.type']],
    [port('{ protocol: ICMP }'), ['error field.value']],
    [port('{ protocol: tcp }'), ['error field.value']],
    [port('{ endPort: 90 }'), ['error ports.end']],
    [port('{ port: http, endPort: 90 }'), ['error ports.end']],
    [port('{ port: 80, endPort: 79 }'), ['error ports.end']],
    [port('{ port: 80, endPort: 65536 }'), ['error ports.end']],
    [policy('{ policyTypes: [ingress] }'), ['error field.value']],
    [policy('{ policyTypes: [Ingress, Egress, Ingress] }'), ['error policy-types']],
    [policy('{ egres: [] }'), ['error field.unknown']],
    [policy('{ ingress: [{ to: [] }] }'), ['error field.unknown']],
  ]
  for (const [text, expected] of table)
    assert.deepEqual(
      codes(text).filter((one) => one !== 'warning field.null'),
      expected,
      text,
    )
  assert.deepEqual(problems(peer('{}')), ['error peer.empty 4:45'])
  assert.deepEqual(problems(port('{ port: 80, endPort: 79 }')), ['error ports.end 4:58'])
  assert.deepEqual(problems(policy('{}').replace('/v1', '/v1beta1')), ['error kind.version 1:1'])
})

test('a section that policyTypes does not name is a warning: the API ignores it, Cilium does not (vector 27)', () => {
  assert.deepEqual(codes(policy('{ policyTypes: [Egress], ingress: [{}] }')), ['warning policy-types.section'])
  assert.deepEqual(codes(policy('{ policyTypes: [Ingress], egress: [{}] }')), ['warning policy-types.section'])
  assert.deepEqual(codes(policy('{ policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}] }')), [])
  // Nothing is in it: both read it alike.
  assert.deepEqual(codes(policy('{ policyTypes: [Egress], ingress: [] }')), [])
  // Without types Egress is meant as soon as there is a rule (vectors 25 and 26).
  assert.deepEqual(codes(policy('{ egress: [{}] }')), [])
  assert.deepEqual(codes(policy('{ egress: [] }')), ['warning policy-types.section'])
})

test('without a spec it is the empty one, which selects every pod', () => {
  const text = 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: p, namespace: shop }'
  assert.deepEqual(problems(text), ['warning policy.no-spec 1:1'])
  const [resource] = parseManifests(text, 'p.yaml').resources
  assert.deepEqual((resource?.object as NetworkPolicy | undefined)?.spec, {})
})
