import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CompileError } from '../../../../model/compile-error.js'
import { ask, objectsOf, podOf } from '../../../../testing/cluster-policy.js'

import { clusterPoliciesNotModelled } from '../index.js'

/* validate.cel and validate.podSecurity: what the rest of admission judges, inside of a rule. */

const policy = (validate: string, more = '') =>
  objectsOf(`
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: p}
spec:
  validationFailureAction: Enforce
  rules:
    - name: r
      match: {any: [{resources: {kinds: [Pod]}}]}
      ${more}
      validate:
${validate.replace(/^/gm, '        ')}`)

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd', namespace: 'sandbox' },
  spec: { template: { spec: { hostNetwork: true, containers: [{ name: 'c', image: 'i' }] } } },
}
const said = (set: ReturnType<typeof policy>, object: Parameters<typeof ask>[1] = podOf()) => {
  const [step] = ask(set, object).steps
  return `${step?.outcome} ${step?.rule}: ${step?.message ?? step?.facts?.why ?? step?.facts?.what ?? ''}`
}

const cel = policy(`message: no host network
cel:
  variables: [{name: host, expression: "has(object.spec.hostNetwork) && object.spec.hostNetwork"}]
  expressions: [{expression: "!variables.host"}]`)

test('expressions, also about the template of a workload', () => {
  assert.equal(said(cel), 'allow r: ')
  assert.equal(said(cel, podOf({ hostNetwork: true })), 'deny r: no host network')
  assert.equal(said(cel, deployment), 'deny autogen-r: no host network')
})

test('their own messages, and what they end with', () => {
  const own = policy(
    `cel: {expressions: [{expression: "object.spec.containers.size() > 1", messageExpression: "'only ' + string(object.spec.containers.size())"}]}`,
  )
  assert.equal(said(own), 'deny r: only 1')
  const plain = policy('cel: {expressions: [{expression: "object.spec.none == 1"}]}')
  assert.match(said(plain), /^deny r: expression 'object\.spec\.none == 1' resulted in error: .*no such key/)
})

test('preconditions of expressions, parameters, and expressions that are none', () => {
  const when = policy(
    'cel: {expressions: [{expression: "false"}]}',
    'celPreconditions: [{name: c, expression: "object.metadata.name == \'q\'"}]',
  )
  assert.equal(said(when), 'not-applicable r: cel preconditions not met')
  const params = policy(
    'cel: {paramKind: {apiVersion: v1, kind: ConfigMap}, paramRef: {name: x, parameterNotFoundAction: Deny}, expressions: [{expression: "false"}]}',
  )
  assert.equal(said(params), 'unknown r: parameters of validate.cel')
  assert.throws(() => said(policy('cel: {expressions: [{expression: "object."}]}')), CompileError)
})

const restricted = policy('podSecurity: {level: restricted, version: latest}')
const good = podOf({
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [{ name: 'c', securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } }],
})

test('a level of the Pod Security Standards, also of a template', () => {
  assert.equal(said(restricted, good), 'allow r: ')
  assert.match(
    said(restricted),
    /^deny r: Validation rule 'r' failed\. It violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false/,
  )
  assert.match(
    said(policy('podSecurity: {level: baseline, version: v1.30}'), deployment),
    /^deny autogen-r: .*"baseline:v1\.30": host namespaces/,
  )
})

test('what it excludes is not modelled where it would matter', () => {
  const excluding = policy('podSecurity: {level: restricted, exclude: [{controlName: Seccomp}]}')
  assert.match(said(excluding), /^unknown r: validate\.podSecurity\.exclude/)
  assert.equal(said(excluding, good), 'allow r: ')
})

test('what the API server asks before it asks Kyverno', () => {
  const when = (expression: string) =>
    objectsOf(`
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: p}
spec:
  validationFailureAction: Enforce
  webhookConfiguration: {matchConditions: [{name: c, expression: "${expression}"}]}
  rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {message: never, deny: {}}}]
`)
  assert.equal(said(when("object.metadata.name == 'p'")), 'deny r: never')
  assert.equal(said(when("object.metadata.name == 'q'")), 'not-applicable r: its matchConditions do not hold')
  assert.match(said(when("object.none == 'q'")), /^unknown r: a matchCondition that ends with an error/)
})

test('what is not modelled is told of the policies themselves, too', () => {
  const set = objectsOf(`
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: p}
spec:
  rules:
    - name: r
      match: {any: [{resources: {kinds: [Pod]}}]}
      verifyImages: [{imageReferences: ["*"]}]
    - name: s
      match: {any: [{resources: {kinds: [Pod]}}]}
      context: [{name: i, imageRegistry: {reference: x}}]
      validate: {deny: {}}
`)
  assert.deepEqual(clusterPoliciesNotModelled(set), [
    { id: 'ClusterPolicy/p', what: 'verifyImages', at: 'policy.yaml:9' },
    { id: 'ClusterPolicy/p', what: 'context.imageRegistry', at: 'policy.yaml:12' },
  ])
  assert.match(said(set), /^unknown r: verifyImages/)
})
