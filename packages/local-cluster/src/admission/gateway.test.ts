import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '@bulkhead/testing'
import { start } from '../testing/live.js'

const front = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: front, namespace: shop }
spec:
  gatewayClassName: istio
  listeners: [{ name: http, port: 80, protocol: HTTP }]
`

const noProxies = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: no-proxies }
spec:
  matchConstraints:
    resourceRules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods] }]
  validations:
    - expression: "!('gateway.networking.k8s.io/gateway-name' in object.metadata.labels)"
      message: no proxies here
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: everywhere }
spec: { policyName: no-proxies, validationActions: [Deny] }
`

test('a Gateway whose pods are refused is there, and nobody plays its proxy until they are let in', async (t) => {
  const { cluster, root, rolled } = await start(t, { 'front.yaml': front, 'no-proxies.yaml': noProxies })
  const gateway = () => cluster.status().workloads.find(({ workload }) => workload === 'shop/front-istio')
  const found = gateway()
  assert.deepEqual([found?.kind, found?.ready, found?.of], ['Gateway', 0, 1])
  assert.match(
    found?.failedCreate?.told ?? '',
    /^Error creating: pods "front-istio-\S+" is forbidden: ValidatingAdmissionPolicy 'no-proxies' with binding 'everywhere' denied request: no proxies here$/,
  )
  const [refusal] = cluster.status().notAdmitted
  assert.deepEqual([refusal?.id, refusal?.refused], ['Deployment/shop/front-istio', 'pods'])
  assert.match(refusal?.at ?? '', /^front\.yaml:\d+$/)
  assert.throws(() => cluster.logs('shop/front-istio'), {
    code: 'no-pods',
    message: /^shop\/front-istio is there without pods\. Error creating: /,
  })
  // Others are let in.
  assert.equal(cluster.status().workloads.find(({ workload }) => workload === 'shop/client')?.ready, 1)
  const rollout = await rolled(() => rmSync(join(root, 'no-proxies.yaml')))
  assert.deepEqual(rollout.workloads, ['shop/front-istio'])
  await eventually('its proxy is played', () => gateway()?.ready === 1)
  assert.deepEqual([gateway()?.failedCreate, cluster.status().notAdmitted], [undefined, []])
})

const stranger = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: no-strangers }
spec:
  matchConstraints:
    resourceRules: [{ apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments] }]
  validations:
    - expression: "!has(object.spec.template.metadata.labels.app) || object.metadata.name == 'client'"
      message: it would be among web's pods
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: no-strangers }
spec: { policyName: no-strangers, validationActions: [Deny] }
`

const overlaid = (
  template: string,
) => `${front.replace('listeners:', 'infrastructure: { parametersRef: { group: "", kind: ConfigMap, name: front } }\n  listeners:')}
---
apiVersion: v1
kind: ConfigMap
metadata: { name: front, namespace: shop }
data:
  deployment: |
    spec: { template: { metadata: { ${template} } } }
`

test('a Deployment that istiod may not change keeps its pods, whatever the Gateway and its overlay say', async (t) => {
  const files = { 'front.yaml': overlaid('annotations: { a: b }'), 'stranger.yaml': stranger }
  const { cluster, save, told, rolled } = await start(t, files)
  // Their names are made of the template.
  const pods = () => cluster.status().workloads.find(({ workload }) => workload === 'shop/front-istio')?.pods
  const before = pods()
  assert.equal(before?.length, 1)
  for (const text of [
    overlaid('labels: { app: web }'),
    front.replace('namespace: shop', 'namespace: shop, labels: { app: web }'),
  ]) {
    await told('changed', () => save('front.yaml', text))
    assert.deepEqual(pods(), before)
    const [refusal] = cluster.status().notAdmitted
    assert.deepEqual([refusal?.id, refusal?.refused, refusal?.stays], ['Deployment/shop/front-istio', 'object', true])
    assert.match(refusal?.told ?? '', /it would be among web's pods/)
  }
  // What the policy lets in is in force.
  const { workloads } = await rolled(() => save('front.yaml', overlaid('labels: { tier: edge }')))
  assert.deepEqual([workloads, cluster.status().notAdmitted], [['shop/front-istio'], []])
  assert.notDeepEqual(pods(), before)
})
