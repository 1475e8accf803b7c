import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '@bulkhead/testing'
import { start, statusOf, web } from '../testing/live.js'

const rules = (resource: string) =>
  `resourceRules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [${resource}] }]`

/** Marks each pod, by whomever it is made. */
const mark = `apiVersion: policies.kyverno.io/v1
kind: MutatingPolicy
metadata: { name: mark, annotations: { pod-policies.kyverno.io/autogen-controllers: none } }
spec:
  matchConstraints: { ${rules('pods')} }
  autogen: { podControllers: { controllers: [] } }
  mutations:
    - patchType: ApplyConfiguration
      applyConfiguration:
        expression: |
          Object{metadata: Object.metadata{labels: Object.metadata.labels{marked: "yes"}}}
`

/** A new namespace lets nobody in. */
const close = `apiVersion: policies.kyverno.io/v1
kind: GeneratingPolicy
metadata: { name: close }
spec:
  matchConstraints: { ${rules('namespaces')} }
  variables:
    - { name: nsName, expression: object.metadata.name }
    - name: policy
      expression: |
        [{"kind": dyn("NetworkPolicy"), "apiVersion": dyn("networking.k8s.io/v1"),
          "metadata": dyn({"name": "closed"}),
          "spec": dyn({"podSelector": dyn({}), "policyTypes": dyn(["Ingress"])})}]
  generate:
    - expression: generator.Apply(variables.nsName, variables.policy)
`

const keep = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: keep }
spec:
  matchConstraints:
    resourceRules:
      - { apiGroups: [networking.k8s.io], apiVersions: [v1], operations: [DELETE], resources: [networkpolicies] }
  validations: [{ expression: "oldObject.metadata.name != 'closed'", message: nobody opens it }]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: keep }
spec: { policyName: keep, validationActions: [Deny] }
`

test('what a policy makes of a namespace is in force with it, and what it changes of pods is what runs', async (t) => {
  const { cluster, root, save, told } = await start(t, { 'web.yaml': web('one'), 'mark.yaml': mark })
  assert.deepEqual([cluster.status().notAdmitted, cluster.status().notModelled], [[], []])
  assert.equal(await statusOf(cluster), 200)
  // A policy selects what the pods have, and not what the workload says.
  await told('changed', () =>
    save(
      'marked.yaml',
      `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: marked, namespace: shop }
spec: { podSelector: { matchLabels: { marked: "yes", app: web } }, policyTypes: [Ingress] }
`,
    ),
  )
  assert.notEqual(await statusOf(cluster), 200)
  const workload = cluster.objects().find(({ id }) => id === 'Deployment/shop/web')
  assert.equal(JSON.stringify(workload).includes('marked'), false)
  rmSync(join(root, 'marked.yaml'))
  await eventually('it is open again', async () => (await statusOf(cluster)) === 200)

  const closed = () => cluster.objects().find(({ id }) => id === 'NetworkPolicy/fresh/closed')
  await told('changed', () => save('close.yaml', close))
  assert.equal(closed(), undefined)
  const fresh =
    'apiVersion: v1\nkind: Namespace\nmetadata: { name: fresh, labels: { istio.io/dataplane-mode: ambient } }\n'
  const account = 'apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: web, namespace: fresh }\n'
  const { diff } = await told('changed', () =>
    save(
      'fresh.yaml',
      [fresh, account, web('two').replaceAll('shop', 'fresh').split('---').slice(1).join('---')].join('---\n'),
    ),
  )
  assert.match(closed()?.at ?? '', /^close\.yaml:\d+$/)
  assert.equal(diff?.objects.added.includes('NetworkPolicy/fresh/closed'), true)
  const flow = { from: { workload: 'shop/client' }, to: { service: 'fresh/web' }, port: 8080 }
  const verdict = await cluster.predict(flow)
  assert.deepEqual(
    [verdict.outcome, verdict.steps.find(({ outcome }) => outcome === 'deny')?.isolatedBy?.[0]?.policy],
    ['deny', 'NetworkPolicy/fresh/closed'],
  )
  // Saved again it is as it was; gone, and what was made of it is gone.
  await told('changed', () => save('fresh.yaml', fresh.replace('labels: {', 'labels: { team: a,')))
  assert.ok(closed())
  // Deleted it is away; where that is refused it stays.
  await cluster.apply('deleted', { without: ['NetworkPolicy.networking.k8s.io/fresh/closed'] })
  assert.equal(closed(), undefined)
  await told('changed', () => save('fresh.yaml', fresh.replace('labels: {', 'labels: { team: b,')))
  assert.equal(closed(), undefined, 'what is made of a namespace is made when it is created')
  await cluster.withdraw('deleted')
  assert.ok(closed())
  await told('changed', () => save('keep.yaml', keep))
  const again = { without: ['NetworkPolicy/fresh/closed'] }
  await assert.rejects(cluster.apply('deleted', again), { code: 'refused', message: /nobody opens it/ })
  assert.ok(closed())
  await told('changed', () => rmSync(join(root, 'fresh.yaml')))
  assert.equal(closed(), undefined)
})
