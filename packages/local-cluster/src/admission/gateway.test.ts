import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { start } from '../testing/live.js'
import { eventually } from '../testing.js'

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
