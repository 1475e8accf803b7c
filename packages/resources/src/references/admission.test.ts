import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifests } from '../parse.js'
import { checkReferences } from './references.js'

/* What policies, bindings and exceptions name and nothing has: a wall that is not there. */

function warnings(text: string): string[] {
  const { resources, diagnostics } = parseManifests(text, 'm.yaml')
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  )
  return checkReferences(resources).map(({ code, message, at }) => `${code} ${at.line}:${at.column} ${message}`)
}

const policy = (rule: string, kind = 'ValidatingPolicy', name = 'p') => `apiVersion: policies.kyverno.io/v1
kind: ${kind}
metadata: { name: ${name} }
spec:
  matchConstraints: { resourceRules: [{ apiVersions: [v1], operations: [CREATE], ${rule} }] }
  validations: [{ expression: "true", message: why }]
`

test('a policy about a resource that there is not matches nothing', () => {
  assert.deepEqual(warnings(policy('apiGroups: [""], resources: [pods, pods/ephemeralcontainers, "*", "*/scale"]')), [])
  assert.deepEqual(warnings(policy('apiGroups: [""], resources: [deployments]')), [
    'match.nothing 5:111 ValidatingPolicy/p: it matches nothing: there is no resource "deployments" in the group ""',
  ])
  assert.deepEqual(warnings(policy('apiGroups: [apps, batch], resources: [deployment]')), [
    'match.nothing 5:120 ValidatingPolicy/p: it matches nothing: there is no resource "deployment" in the groups "apps" and "batch"; did you mean "deployments"?',
  ])
  const many = 'statefulsets, daemonsets, replicasets, jobs, cronjobs'
  assert.deepEqual(warnings(policy(`apiGroups: [apps, batch], resources: [${many}]`)), [])
  assert.deepEqual(warnings(policy('apiGroups: ["networking.k8s.io"], resources: [networkpolicies, ingresses]')), [])
  assert.deepEqual(warnings(policy('apiGroups: ["example.org"], resources: [widgets]')), [], 'somebody else’s')
  assert.deepEqual(warnings(policy('apiGroups: ["*"], resources: [widgets]')), [])
})

test('so does a rule of the older form about a kind that is nearly one', () => {
  const older = (kind: string) => `apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: { name: p }
spec:
  rules:
    - name: r
      match: { any: [{ resources: { kinds: [${kind}] } }] }
      validate: { pattern: { metadata: { name: "?*" } } }
`
  for (const kind of ['Pod', 'apps/v1/Deployment', '"*"', 'Pod/ephemeralcontainers', 'Widget'])
    assert.deepEqual(warnings(older(kind)), [], kind)
  assert.deepEqual(warnings(older('Deploymnet')), [
    'match.nothing 7:45 ClusterPolicy/p: no kind "Deploymnet" is known; did you mean "Deployment"?',
  ])
})

const native = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: limits }
spec:
  matchConstraints: { resourceRules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods] }] }
  validations: [{ expression: "true" }]
`
const binding = (name: string) => `---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: b }
spec: { policyName: ${name}, validationActions: [Deny] }
`

test('a binding without its policy, and a policy that nothing binds, are in force nowhere', () => {
  assert.deepEqual(warnings(native + binding('limits')), [])
  assert.deepEqual(warnings(native + binding('limit')), [
    'policy.unbound 3:13 ValidatingAdmissionPolicy/limits: no ValidatingAdmissionPolicyBinding names it, so it is in force nowhere',
    'reference.policy 11:9 ValidatingAdmissionPolicyBinding/b: there is no ValidatingAdmissionPolicy "limit", so the binding puts nothing in force; did you mean "limits"?',
  ])
})

const exception = (namespace: string, name: string) => `---
apiVersion: policies.kyverno.io/v1
kind: PolicyException
metadata: { name: e, namespace: ${namespace} }
spec: { policyRefs: [{ kind: ValidatingPolicy, name: ${name} }] }
`
const own = policy('apiGroups: [""], resources: [pods]')

test('an exception counts in its one namespace, and for policies that there are', () => {
  assert.deepEqual(warnings(own + exception('kyverno', 'p')), [])
  assert.deepEqual(warnings(own + exception('shop', 'p')), [
    'exception.namespace 10:22 PolicyException/shop/e: an exception counts in the namespace "kyverno" alone, so one in "shop" excepts nothing; put it there',
  ])
  assert.deepEqual(warnings(own + exception('kyverno', 'q')), [
    'reference.policy 11:48 PolicyException/kyverno/e: there is no ValidatingPolicy "q", so nothing is excepted from it; did you mean "p"?',
  ])
})

test('an exception of the older form names rules, those of autogen included', () => {
  const older = `apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: { name: p }
spec:
  rules:
    - name: root
      match: { any: [{ resources: { kinds: [Pod] } }] }
      validate: { pattern: { metadata: { name: "?*" } } }
`
  const of = (policyName: string, rules: string) => `${older}---
apiVersion: kyverno.io/v2
kind: PolicyException
metadata: { name: e, namespace: kyverno }
spec: { match: { any: [{ resources: { kinds: [Pod] } }] }, exceptions: [{ policyName: ${policyName}, ruleNames: [${rules}] }] }
`
  assert.deepEqual(warnings(of('p', 'root, autogen-root, autogen-cronjob-root, "r*"')), [])
  assert.match(
    warnings(of('p', 'rot')).join(),
    /^reference\.rule 13:\d+ .* ClusterPolicy\/p has no rule "rot"; did you mean "root"\?$/,
  )
  assert.match(
    warnings(of('q', 'root')).join(),
    /^reference\.policy 13:\d+ .* there is no ClusterPolicy "q", so nothing/,
  )
  assert.match(warnings(of('shop/q', 'root')).join(), /there is no Policy "shop\/q"/)
})

test('the namespaces of what is always there need no manifest', () => {
  const space = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n---\n'
  assert.deepEqual(warnings(space + own + exception('kyverno', 'p')), [])
})
