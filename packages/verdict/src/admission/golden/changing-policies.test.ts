import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CompileError } from '../../model/compile-error.js'
import { rewriteMutation } from '../kyverno/cel-policies/mutating-autogen.js'
import { asked } from '../testing/read.js'

/*
 * MutatingPolicy and GeneratingPolicy by the cases of Kyverno's own tests (test/conformance/chainsaw/mutating-policies
 * and generating-policies, pkg/cel/policies/mpol/autogen), in our words.
 */

const rules = (resources: string, group = ''): string =>
  `resourceRules: [{ apiGroups: ["${group}"], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [${resources}] }]`

const mutating = (mutations: string, more = '', match = rules('pods')): string => `apiVersion: policies.kyverno.io/v1
kind: MutatingPolicy
metadata: { name: change }
spec:
  matchConstraints: { ${match} }
${more}  mutations:
${mutations.replace(/^/gm, '    ')}
`

const apply = (expression: string): string =>
  `- patchType: ApplyConfiguration\n  applyConfiguration:\n    expression: |\n${expression.replace(/^/gm, '      ')}`
const patch = (expression: string): string =>
  `- patchType: JSONPatch\n  jsonPatch:\n    expression: |\n${expression.replace(/^/gm, '      ')}`

const pod = (more = ''): string => `apiVersion: v1
kind: Pod
metadata: { name: p, namespace: shop }
spec:
  containers: [{ name: a, image: i }, { name: b, image: i }]
${more}`
const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: dev }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: a, image: i }] }
`

const noEscalation = apply(`Object{
  spec: Object.spec{
    containers: object.spec.containers.map(container, Object.spec.containers{
      name: container.name,
      securityContext: Object.spec.containers.securityContext{allowPrivilegeEscalation: false}
    })
  }
}`)

test('an apply configuration changes each container; a label that is already there changes nothing', () => {
  const admission = asked(mutating(noEscalation), pod())
  assert.equal(admission.outcome, 'allow')
  assert.deepEqual(Object.entries(admission.object.object).find(([key]) => key === 'spec')?.[1], {
    containers: ['a', 'b'].map((name) => ({ name, image: 'i', securityContext: { allowPrivilegeEscalation: false } })),
  })
  assert.deepEqual(
    admission.steps.map(({ code, does, policy, at }) => [code, does, policy, at]),
    [['admission.mutated', 'mutate', 'MutatingPolicy/change', 'file.yaml:1']],
  )
  // What was added stands nowhere: its place is that of what it was added to.
  const { line, column } = admission.object.position(['spec', 'containers', 1, 'securityContext'])
  assert.deepEqual([line, column], [5, 39])
  const none = mutating(apply('Object{}'))
  assert.equal(asked(none, pod()).object.object.metadata.labels, undefined)
})

test('autogen: the same of a workload’s template, and of the pod that its controller asks for', () => {
  const admission = asked(mutating(noEscalation), deployment)
  assert.equal(admission.steps[0]?.rule, 'autogen-defaults')
  assert.equal(admission.steps[0]?.code, 'admission.mutated')
  assert.match(JSON.stringify(admission.object.object), /"template":.*"allowPrivilegeEscalation":false/)
  assert.equal(admission.pod?.steps[0]?.outcome, 'allow')
  assert.match(JSON.stringify(admission.pod?.object.object), /"allowPrivilegeEscalation":false/)
})

test('what autogen writes, as Kyverno’s own tests have it', () => {
  const same = (text: string): string => text.replace(/\s+/g, ' ')
  for (const [config, input, expected] of [
    ['defaults', '', ''],
    [
      'defaults',
      "Object{metadata: Object.metadata{labels: Object.metadata.labels{foo: 'bar'}}}",
      "Object{spec: Object.spec{template: Object.spec.template{metadata: Object.metadata{labels: Object.spec.template.metadata.labels{foo: 'bar'}}}}}",
    ],
    [
      'defaults',
      'Object {\n  spec: Object.spec {\n    automountServiceAccountToken: false,\n  }\n}',
      'Object{spec: Object.spec{template: Object.spec.template{ spec: Object.spec.template.spec { automountServiceAccountToken: false, } }}}',
    ],
    [
      'cronjobs',
      'Object{ spec: Object.spec{ containers: object.spec.containers } }',
      'Object{spec: Object.spec{jobTemplate: Object.spec.jobTemplate{spec: Object.spec.jobTemplate.spec{template: Object.spec.jobTemplate.spec.template{ spec: Object.spec.jobTemplate.spec.template.spec{ containers: object.spec.jobTemplate.spec.template.spec.containers } }}}}}',
    ],
    [
      'defaults',
      "has(object.metadata.labels) && object.metadata.labels['app'] == 'myapp'",
      "has(object.spec.template.metadata.labels) && object.spec.template.metadata.labels['app'] == 'myapp'",
    ],
  ] as const) {
    assert.equal(same(rewriteMutation(input, config)), same(expected))
  }
})

const managed = patch(`has(object.metadata.labels) ?
[JSONPatch{op: "add", path: "/metadata/labels/managed", value: "true"}] :
[JSONPatch{op: "add", path: "/metadata/labels", value: {"managed": "true"}}]`)

test('a JSON patch where the conditions hold; a test of its own that fails leaves the object as it is', () => {
  const inDev = '  matchConditions: [{ name: is-dev-namespace, expression: "request.namespace == \'dev\'" }]\n'
  const policy = mutating(managed, inDev, rules('deployments', 'apps'))
  assert.deepEqual(asked(policy, deployment).object.object.metadata.labels, { managed: 'true' })
  const labelled = deployment.replace('namespace: dev }', 'namespace: dev, labels: { a: b } }')
  assert.deepEqual(asked(policy, labelled).object.object.metadata.labels, { a: 'b', managed: 'true' })
  const elsewhere = asked(policy, deployment.replace('namespace: dev', 'namespace: prod'))
  assert.equal(elsewhere.steps[0]?.code, 'admission.not-matched')
  assert.equal(elsewhere.object.object.metadata.labels, undefined)
  const tested = patch('[JSONPatch{op: "test", path: "/spec/x", value: 1}, JSONPatch{op: "remove", path: "/spec"}]')
  assert.equal(asked(mutating(tested), pod()).steps[0]?.code, 'admission.allowed')
})

test('mutations see each other, and variables what was there before; later policies see what earlier ones left', () => {
  const two = `${apply('Object{metadata: Object.metadata{labels: {"count": variables.size}}}')}\n${patch(
    '[JSONPatch{op: "add", path: "/metadata/labels/second", value: object.metadata.labels["count"] + "!"}]',
  )}`
  const variables = '  variables: [{ name: size, expression: "string(object.spec.containers.size())" }]\n'
  const deny = `apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: { name: check }
spec:
  matchConstraints: { ${rules('pods')} }
  validations: [{ expression: "object.metadata.labels.second == '2!'", message: "not mutated" }]
`
  const both = asked(`${mutating(two, variables)}---\n${deny}`, pod())
  assert.equal(both.outcome, 'allow')
  assert.deepEqual(both.object.object.metadata.labels, { count: '2', second: '2!' })
  assert.equal(asked(deny, pod()).outcome, 'deny')
})

test('an expression that fails refuses, in the words of Kyverno’s webhook; with failurePolicy Ignore it lets be', () => {
  const failing = mutating(apply('Object{metadata: Object.metadata{labels: {"x": object.spec.nothing}}}'))
  const admission = asked(failing, pod())
  assert.equal(admission.outcome, 'deny')
  assert.equal(admission.steps[0]?.code, 'admission.failed')
  assert.equal(
    admission.refusal?.message,
    'admission webhook "mpol.validate.kyverno.svc-fail" denied the request: Resource: shop/p, Kind: Pod, Errors: [Policy change: failed to evaluate policy: no such key: nothing]',
  )
  const ignored = asked(failing.replace('spec:\n', 'spec:\n  failurePolicy: Ignore\n'), pod())
  assert.equal(ignored.outcome, 'allow')
  assert.equal(ignored.steps[0]?.outcome, 'audit')
  const said = (mutation: string): string => asked(mutating(mutation), pod()).steps[0]?.message ?? ''
  assert.match(
    said(apply('Object{spec: Object.spec{tolerations: []}}')),
    /may not mutate atomic arrays, maps or structs: \.spec\.tolerations$/,
  )
  assert.match(
    said(apply('Object{spec: Object.wrong{priority: 1}}')),
    /unexpected type name "Object\.wrong", expected "Object\.spec"/,
  )
  assert.match(said(patch('[JSONPatch{op: "remove", path: "/spec/x"}]')), /JSON Patch: remove operation does not apply/)
  const whole = '  evaluation: { useServerSideApply: true }\n'
  const replaced = asked(
    mutating(apply('Object{spec: Object.spec{tolerations: [Object.spec.tolerations{key: "a"}]}}'), whole),
    pod(),
  )
  assert.match(JSON.stringify(replaced.object.object), /"tolerations":\[\{"key":"a"\}\]/)
})

test('what is not modelled is unknown and not admitted, and told at once; what does not parse is a mistake', () => {
  const targets = mutating(managed, `  targetMatchConstraints: { ${rules('configmaps')} }\n`)
  const admission = asked(targets, pod())
  assert.equal(admission.outcome, 'unknown')
  assert.equal(admission.steps[0]?.facts?.what, 'targetMatchConstraints')
  const random = asked(mutating(apply('Object{metadata: Object.metadata{labels: {"x": random()}}}')), pod())
  assert.equal(random.outcome, 'unknown')
  assert.throws(() => asked(mutating(apply('Object{')), pod()), CompileError)
  // A limit of ours is nothing that the API server would say.
  const doubling = asked(
    mutating(
      patch(
        `[1, 2, 3, 4, 5, 6].map(a, [1, 2, 3, 4, 5, 6].map(b, JSONPatch{op: "copy", from: "/metadata", path: "/metadata/x" + string(a * 10 + b)})).flatten()`,
      ),
    ),
    pod(),
  )
  assert.equal(doubling.outcome, 'unknown')
  assert.match(String(doubling.steps[0]?.facts?.what), /so much \(the patch writes more than 1000000 fields\)/)
  assert.equal(doubling.refusal, undefined)
})

const generating = (expression: string, more = ''): string => `apiVersion: policies.kyverno.io/v1
kind: GeneratingPolicy
metadata: { name: make }
spec:
  matchConstraints: { ${rules('namespaces')} }
${more}  variables:
    - { name: nsName, expression: object.metadata.name }
    - name: policy
      expression: |
        [{"kind": dyn("NetworkPolicy"), "apiVersion": dyn("networking.k8s.io/v1"),
          "metadata": dyn({"name": "default-deny"}),
          "spec": dyn({"podSelector": dyn({}), "policyTypes": dyn(["Ingress"])})}]
  generate:
    - expression: ${expression}
`
const newNamespace = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: fresh }\n'

test('a new Namespace gets its NetworkPolicy and quota; a namespace that is refused gets none', () => {
  const policy = generating('generator.Apply(variables.nsName, variables.policy)')
  const admission = asked(policy, newNamespace)
  assert.equal(admission.outcome, 'allow')
  assert.deepEqual(
    admission.generated.map(({ id, object }) => [id, object]),
    [
      [
        'NetworkPolicy/fresh/default-deny',
        {
          kind: 'NetworkPolicy',
          apiVersion: 'networking.k8s.io/v1',
          metadata: { name: 'default-deny', namespace: 'fresh' },
          spec: { podSelector: {}, policyTypes: ['Ingress'] },
        },
      ],
    ],
  )
  assert.deepEqual(admission.generated[0]?.position(['spec']), { file: 'file.yaml', line: 1, column: 1 })
  assert.equal(admission.steps[0]?.code, 'admission.generated')
  assert.equal(admission.steps[0]?.facts?.makes, 'NetworkPolicy/fresh/default-deny')
  const wrong = newNamespace.replace('fresh }', 'fresh, labels: { pod-security.kubernetes.io/enforce: strict } }')
  const refused = asked(policy, wrong)
  assert.equal(refused.outcome, 'deny')
  assert.deepEqual(refused.generated, [])
  assert.deepEqual(asked(policy, newNamespace, { operation: 'DELETE' }).generated, [])
})

test('what a policy keeps as it says goes with it, unless it is to be left behind', () => {
  const policy = generating('generator.Apply(variables.nsName, variables.policy)')
  const kept = (evaluation: string) =>
    asked(policy.replace('\nspec:\n', `\nspec:\n  evaluation: ${evaluation}\n`), newNamespace).generated.map(
      ({ goesWith }) => goesWith,
    )
  assert.deepEqual(kept('{ synchronize: { enabled: true } }'), ['GeneratingPolicy/make'])
  assert.deepEqual(kept('{ synchronize: { enabled: false } }'), [undefined])
  assert.deepEqual(kept('{ synchronize: { enabled: true }, orphanDownstreamOnPolicyDelete: { enabled: true } }'), [
    undefined,
  ])
  const old = (more: string) =>
    `apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: { name: old }\nspec:\n  rules:\n    - name: close\n      match: { any: [{ resources: { kinds: [Namespace] } }] }\n      generate: { ${more}apiVersion: v1, kind: ConfigMap, name: made, namespace: '{{ request.object.metadata.name }}', data: { data: { a: b } } }\n`
  const ofOld = (more: string) => asked(old(more), newNamespace).generated.map(({ id, goesWith }) => [id, goesWith])
  assert.deepEqual(ofOld('synchronize: true, '), [['ConfigMap/fresh/made', 'ClusterPolicy/old']])
  assert.deepEqual(ofOld(''), [['ConfigMap/fresh/made', undefined]])
  assert.deepEqual(ofOld('synchronize: true, orphanDownstreamOnPolicyDelete: true, '), [
    ['ConfigMap/fresh/made', undefined],
  ])
})

test('clones of what is there, objects of the cluster, and what may not be made', () => {
  const secret = 'apiVersion: v1\nkind: Secret\nmetadata: { name: regcred, namespace: default }\ndata: { foo: YmFy }\n'
  const clone = generating('generator.apply(variables.nsName, [resource.get("v1", "secrets", "default", "regcred")])')
  const cloned = asked(`${clone}---\n${secret}`, newNamespace)
  assert.deepEqual(
    cloned.generated.map(({ id }) => id),
    ['Secret/fresh/regcred'],
  )
  // In the background: what fails there refuses nobody.
  const missing = asked(clone, newNamespace)
  assert.equal(missing.outcome, 'allow')
  assert.deepEqual([missing.steps[0]?.code, missing.steps[0]?.outcome], ['admission.failed', 'audit'])
  const binding = `'generator.apply(variables.nsName, [{"kind": dyn("ClusterRoleBinding"), "apiVersion": dyn("rbac.authorization.k8s.io/v1"), "metadata": dyn({"name": "b"}), "roleRef": dyn({})}])'`
  const bound = asked(generating(binding), newNamespace)
  assert.deepEqual(
    bound.generated.map(({ id }) => id),
    ['ClusterRoleBinding/b'],
  )
  const condition = '  matchConditions: [{ name: not-fresh, expression: "object.metadata.name != \'fresh\'" }]\n'
  assert.deepEqual(
    asked(generating('generator.Apply(variables.nsName, variables.policy)', condition), newNamespace).generated,
    [],
  )
})
