import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifests } from '../parse.js'
import { checkReferences } from './references.js'

const PODS = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { team: a } }
---
apiVersion: v1
kind: Namespace
metadata: { name: demo }
---
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop, labels: { app: web, tier: front } }
spec: { containers: [{ name: c, image: i }] }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: hello, namespace: demo }
---
apiVersion: v1
kind: Pod
metadata: { name: hello, namespace: demo, labels: { app: hello } }
spec: { serviceAccountName: hello, containers: [{ name: c, image: i }] }
`

function told(kind: string, spec: string): string[] {
  const apiVersion = kind === 'NetworkPolicy' ? 'networking.k8s.io/v1' : 'cilium.io/v2'
  const namespace = kind === 'CiliumClusterwideNetworkPolicy' ? '' : ', namespace: shop'
  const policy = `\n---\napiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: p${namespace} }\nspec: ${spec}\n`
  const { resources, diagnostics } = parseManifests(PODS + policy, 'p.yaml')
  assert.deepEqual(diagnostics, [])
  return checkReferences(resources).map(({ code, message }) => `${code} ${message}`)
}

const np = (peer: string) => told('NetworkPolicy', `{ podSelector: {}, ingress: [{ from: [${peer}] }] }`)
const cnp = (peer: string, subject = '{}') =>
  told('CiliumNetworkPolicy', `{ endpointSelector: ${subject}, ingress: [{ fromEndpoints: [${peer}] }] }`)
const ccnp = (peer: string, subject = '{}') =>
  told('CiliumClusterwideNetworkPolicy', `{ endpointSelector: ${subject}, egressDeny: [{ toEndpoints: [${peer}] }] }`)
const labels = (text: string) => `{ matchLabels: { ${text} } }`

test('a peer of a NetworkPolicy that no manifest makes', () => {
  const [one, ...more] = np('{ podSelector: { matchLabels: { app: wbe, tier: front } } }')
  assert.deepEqual(more, [])
  assert.match(
    one ?? '',
    /^selector\.selects-nothing NetworkPolicy\/shop\/p: this peer is nobody here: no pod in shop has app=wbe and tier=front; Pod\/shop\/web comes close, with app=web$/,
  )
  // A pod of another namespace is none of this one's.
  assert.equal(np('{ podSelector: { matchLabels: { app: hello } } }').length, 1)
  assert.equal(
    np('{ podSelector: { matchLabels: { app: hello } }, namespaceSelector: { matchLabels: { team: a } } }').length,
    1,
  )
  for (const right of [
    '{ podSelector: { matchLabels: { app: web } } }',
    '{ podSelector: {} }',
    '{ namespaceSelector: {} }',
    '{ podSelector: { matchLabels: { app: hello } }, namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: demo } } }',
    '{ podSelector: { matchLabels: { gateway.networking.k8s.io/gateway-name: g } } }',
    '{ podSelector: { matchLabels: { k8s-app: kube-dns } }, namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: kube-system } } }',
    '{ podSelector: { matchLabels: { k8s-app: kube-dns } }, namespaceSelector: {} }',
  ])
    assert.deepEqual(np(right), [], right)
})

test('the subject of a NetworkPolicy may be a gateway that another layer brings', () => {
  for (const expression of ['Exists', 'In, values: [a]'])
    assert.deepEqual(
      told(
        'NetworkPolicy',
        `{ podSelector: { matchExpressions: [{ key: gateway.networking.k8s.io/gateway-name, operator: ${expression} }] } }`,
      ),
      [],
    )
  assert.equal(told('NetworkPolicy', `{ podSelector: ${labels('app: wbe')} }`).length, 1)
})

test('a subject and a peer of a CiliumNetworkPolicy that no manifest makes', () => {
  assert.match(
    cnp('{}', labels('app: wbe')).join('\n'),
    /its selector selects nothing, so the policy guards nobody: no pod in shop has app=wbe/,
  )
  assert.match(cnp(labels('"k8s:app": hello')).join('\n'), /this peer is nobody here: no pod in shop has app=hello/)
  assert.match(cnp(labels('io.kubernetes.pod.namespace: demo, app: web')).join('\n'), /no pod in any namespace has/)
  assert.equal(cnp(labels('io.cilium.k8s.policy.serviceaccount: nobody')).length, 1)
  for (const right of [
    '{}',
    labels('"k8s:app": web'),
    labels('io.kubernetes.pod.namespace: demo, "any:app": hello'),
    labels('"k8s:io.kubernetes.pod.namespace": kube-system, k8s-app: kube-dns'),
    labels('"k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name": demo'),
    labels('"k8s:io.cilium.k8s.namespace.labels.team": a, app: web'),
    labels('io.kubernetes.pod.namespace: demo, io.cilium.k8s.policy.serviceaccount: hello'),
    labels('"reserved:host": ""'),
    labels('gateway.networking.k8s.io/gateway-name: g'),
    '{ matchExpressions: [{ key: io.kubernetes.pod.namespace, operator: Exists }] }',
  ])
    assert.deepEqual(cnp(right), [], right)
})

test('a clusterwide policy looks at every namespace', () => {
  assert.deepEqual(ccnp(labels('app: hello'), labels('app: web')), [])
  assert.match(ccnp(labels('app: helo')).join('\n'), /this peer is nobody here: no pod in any namespace has app=helo/)
  assert.match(ccnp('{}', labels('app: wbe')).join('\n'), /guards nobody: no pod in any namespace has app=wbe/)
})

test('a Service that is not there', () => {
  const egress = (name: string, namespace: string) =>
    told(
      'CiliumNetworkPolicy',
      `{ endpointSelector: {}, egress: [{ toServices: [{ k8sService: { serviceName: ${name}, namespace: ${namespace} } }] }] }`,
    )
  assert.match(egress('web', 'shop').join('\n'), /^reference\.service .*no Service "web" in shop; .*toEndpoints$/)
  assert.deepEqual(egress('kube-dns', 'kube-system'), [])
})

test('of policies without a single pod nothing is said: their pods are elsewhere', () => {
  const { resources } = parseManifests(
    'apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: { name: p, namespace: shop }\nspec: { endpointSelector: { matchLabels: { a: b } }, ingress: [{}] }',
    'p.yaml',
  )
  assert.deepEqual(checkReferences(resources), [])
})
