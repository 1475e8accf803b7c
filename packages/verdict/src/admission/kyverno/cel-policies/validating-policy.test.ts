import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, objects, podPolicy } from '../../../testing/cel-policies.js'
import { requesterOf } from '../../targets.js'
import { celReviewers } from './index.js'

const pod = (spec: string, metadata = 'name: p, namespace: sandbox'): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: { ${metadata} }\nspec:\n${spec}\n`
const root = pod('  containers:\n    - name: c\n      image: x\n      securityContext: { runAsUser: 0 }')
const user = pod('  containers:\n    - name: c\n      image: x\n      securityContext: { runAsUser: 1 }')

const noRoot = podPolicy(
  'no-root',
  `  validations:
    - expression: object.spec.containers.all(c, c.?securityContext.?runAsUser.orValue(1) != 0)
      message: not as root`,
)

/** `outcome code message`, of the one step. */
function word(policies: string, object: string, asked: Parameters<typeof ask>[2] = {}): string {
  const steps = ask(policies, object, asked)
  return steps.map(({ outcome, code, message = '' }) => `${outcome} ${code} ${message}`.trim()).join('\n')
}

test('a step says who, where and what', () => {
  assert.deepEqual(ask(noRoot, root), [
    {
      engine: 'kyverno',
      does: 'validate',
      outcome: 'deny',
      code: 'admission.denied',
      policy: 'ValidatingPolicy/no-root',
      at: 'policy.yaml:9',
      message: 'not as root',
      path: '/spec/containers/0/securityContext/runAsUser',
      objectAt: 'object.yaml:8:26',
    },
  ])
  assert.equal(word(noRoot, user), 'allow admission.allowed')
})

test('actions: the first of deny, warn and audit that is listed acts; warnings come beside a denial', () => {
  const acting = (actions: string): string =>
    podPolicy('p', `  validationActions: ${actions}\n  validations: [{ expression: 'false', message: nope }]`)
  assert.equal(word(acting('[Deny]'), user), 'deny admission.denied nope')
  assert.equal(word(acting('[Warn]'), user), 'warn admission.warned nope')
  assert.equal(word(acting('[Audit]'), user), 'audit admission.audited nope')
  assert.equal(word(acting('[Audit, Warn]'), user), 'warn admission.warned nope')
  assert.deepEqual(ask(acting('[Warn, Deny]'), user)[0]?.facts, { warns: 1 })
  assert.equal(ask(acting('[Warn, Deny]'), user)[0]?.outcome, 'deny')
})

test('messages: the expression’s, else the text, else the index; the first validation that fails ends it', () => {
  const saying = (more: string): string =>
    podPolicy(
      'p',
      `  validations:\n    - expression: 'true'\n    - { expression: 'false', ${more} }\n    - { expression: 'false', message: later }`,
    )
  assert.equal(word(saying('message: plain'), user), 'deny admission.denied plain')
  assert.equal(
    word(saying('message: plain, messageExpression: "\'pod \' + string(object.metadata.name)"'), user),
    'deny admission.denied pod p',
  )
  assert.equal(
    word(saying("messageExpression: 'string(object.nope)'"), user),
    'deny admission.denied failed to evaluate message expression: no such key: nope',
  )
  assert.equal(word(saying("message: ''"), user), 'deny admission.denied CEL expression validation failed at index 1')
})

test('what cannot be evaluated refuses, whatever failurePolicy says', () => {
  const failing = podPolicy(
    'p',
    '  failurePolicy: Ignore\n  validations: [{ expression: object.spec.nope.x == 1, message: nope }]',
  )
  assert.equal(word(failing, user), 'deny admission.failed error: no such key: nope')
})

test('conditions: one that does not hold takes it out; one that fails refuses, or not by failurePolicy', () => {
  const under = (conditions: string, more = ''): string =>
    podPolicy('p', `${more}  matchConditions:\n${conditions}\n  validations: [{ expression: 'false', message: nope }]`)
  const condition = (expression: string, name = 'c'): string => `    - { name: ${name}, expression: "${expression}" }`
  assert.equal(word(under(condition("object.metadata.name == 'p'")), user), 'deny admission.denied nope')
  assert.equal(word(under(condition("object.metadata.name == 'q'")), user), 'not-applicable admission.not-matched')
  assert.equal(
    word(under(condition('object.nope == 1')), user),
    'deny admission.failed failed to load context: no such key: nope',
  )
  assert.equal(
    word(under(condition('object.nope == 1'), '  failurePolicy: Ignore\n'), user),
    'not-applicable admission.not-matched',
  )
  const both = `${condition('object.nope == 1')}\n${condition("object.metadata.name == 'q'", 'd')}`
  assert.equal(word(under(both), user), 'not-applicable admission.not-matched')
})

test('variables are evaluated when they are asked for, and once', () => {
  const spec = (used: string): string =>
    podPolicy(
      'p',
      `  variables:\n    - { name: bad, expression: object.nope }\n    - { name: count, expression: object.spec.containers.size() }\n    - { name: more, expression: variables.count + 1 }\n  validations: [{ expression: ${used}, message: nope }]`,
    )
  assert.equal(word(spec('variables.more == 2'), user), 'allow admission.allowed')
  assert.equal(word(spec('variables.bad == 2'), user), 'deny admission.failed error: no such key: nope')
  assert.throws(
    () =>
      celReviewers(
        objects(
          podPolicy(
            'p',
            "  variables: [{ name: a, expression: variables.b }, { name: b, expression: '1' }]\n  validations: [{ expression: 'true' }]",
          ),
        ),
      ),
    {
      message:
        "policy.yaml:8: ValidatingPolicy/p: spec.variables[0].expression: undefined field 'b' (line 1, column 11 of the expression)",
    },
  )
})

test('a variable that costs a quarter of the steps may be asked for ten times', () => {
  const many = pod(`  containers: [${Array.from({ length: 300 }, (_, n) => `{ name: c${n}, image: x }`).join(', ')}]`)
  const dear = 'object.spec.containers.all(a, object.spec.containers.all(b, a.name != b.name || a == b))'
  const asked = Array.from({ length: 10 }, () => 'variables.dear').join(' && ')
  const policy = podPolicy(
    'p',
    `  variables: [{ name: dear, expression: "${dear}" }]\n  validations: [{ expression: "${asked}", message: nope }]`,
  )
  assert.equal(word(policy, many), 'allow admission.allowed')
})

test('a policy that Kyverno would not take is a mistake with its place', () => {
  const mistaken = (expression: string): string =>
    podPolicy('p', `  validations:\n    - expression: >-\n        ${expression}\n      message: nope`)
  const what = (expression: string): string => {
    try {
      celReviewers(objects(mistaken(expression)))
      return 'taken'
    } catch (error) {
      return error instanceof Error ? `${error.name}: ${error.message}` : ''
    }
  }
  assert.equal(what('object.spec.hostNetwork == false'), 'taken')
  const where = 'CompileError: policy.yaml:9: ValidatingPolicy/p: spec.validations[0].expression: '
  assert.equal(
    what('object.spec.hostNetwork'),
    `${where}the expression comes to 'dyn', and has to come to bool: compare it, or convert it`,
  )
  assert.equal(
    what('object.spec.?x.orValue(false)'),
    `${where}the expression comes to 'dyn', and has to come to bool: compare it, or convert it`,
  )
  assert.equal(what("'a' + 'b'"), `${where}the expression comes to 'string', and has to come to bool`)
  assert.equal(what('true &&'), `${where}syntax error: Unexpected token: EOF (line 1, column 8 of the expression)`)
  assert.equal(
    what('objekt.spec == 1'),
    `${where}undeclared reference to 'objekt' (line 1, column 1 of the expression)`,
  )
  assert.equal(
    what("object.spec.containers.all(c, c.image.endWith('x'))"),
    `${where}undeclared reference to 'endWith'; did you mean "endsWith"? (line 1, column 31 of the expression)`,
  )
})

test('what is not modelled is unknown, with its name and line, where the policy is about the object', () => {
  const foreign = podPolicy('p', '  validations: [{ expression: "http.Get(\'http://x\').ok == true", message: nope }]')
  const [step] = ask(foreign, user)
  assert.deepEqual(
    [step?.outcome, step?.code, step?.at, step?.facts],
    ['unknown', 'not-modelled', 'policy.yaml:8', { what: 'http.Get()' }],
  )
  const service = 'apiVersion: v1\nkind: Service\nmetadata: { name: s, namespace: sandbox }\nspec: {}\n'
  assert.equal(word(foreign, service), 'not-applicable admission.not-matched')
})

test('an object too large to be judged within the bounds is unknown', () => {
  const many = pod(`  containers: [${Array.from({ length: 3_000 }, (_, n) => `{ name: c${n} }`).join(', ')}]`)
  const slow = podPolicy(
    'p',
    '  validations: [{ expression: "object.spec.containers.all(a, object.spec.containers.all(b, a.name != b.name || a == b))", message: nope }]',
  )
  assert.equal(word(slow, many), 'unknown not-modelled')
  assert.equal(word(slow, user), 'allow admission.allowed')
})

test('admission switched off, and policies of payloads that are no objects of Kubernetes', () => {
  assert.deepEqual(ask(noRoot.replace('spec:\n', 'spec:\n  evaluation: { admission: { enabled: false } }\n'), root), [])
  assert.deepEqual(ask(noRoot.replace('spec:\n', 'spec:\n  evaluation: { mode: JSON }\n'), root), [])
  assert.equal(
    word(noRoot.replace('spec:\n', 'spec:\n  evaluation: { background: { enabled: false } }\n'), root),
    'deny admission.denied not as root',
  )
})

test('a NamespacedValidatingPolicy is about its own namespace', () => {
  const own = noRoot
    .replace('kind: ValidatingPolicy', 'kind: NamespacedValidatingPolicy')
    .replace('name: no-root', 'name: no-root, namespace: sandbox')
  assert.equal(word(own, root), 'deny admission.denied not as root')
  assert.equal(ask(own, root)[0]?.policy, 'NamespacedValidatingPolicy/sandbox/no-root')
  assert.equal(word(own, root.replace('namespace: sandbox', 'namespace: shop')), 'not-applicable admission.not-matched')
})

test('request, oldObject, namespaceObject and other objects', () => {
  const asks = (expression: string): string =>
    podPolicy('p', `  validations:\n    - expression: >-\n        ${expression}\n      message: nope`)
  const set =
    'apiVersion: v1\nkind: Namespace\nmetadata: { name: sandbox, labels: { tier: x } }\n---\napiVersion: v1\nkind: ServiceAccount\nmetadata: { name: a, namespace: sandbox, annotations: { why: z } }\n'
  const holds = (expression: string, asked: Parameters<typeof ask>[2] = {}): void => {
    assert.equal(word(asks(expression), user, { set, ...asked }), 'allow admission.allowed', expression)
    assert.match(word(asks(`!(${expression})`), user, { set, ...asked }), /^deny admission.denied/, expression)
  }
  holds("request.operation == 'CREATE' && request.namespace == 'sandbox' && request.name == 'p' && oldObject == null")
  holds("request.kind.kind == 'Pod' && request.resource.resource == 'pods' && request.kind.group == ''")
  holds("request.userInfo.username == 'kubernetes-admin' && 'system:authenticated' in request.userInfo.groups")
  const istiod = requesterOf('system:serviceaccount:istio-system:istiod')
  holds("parseServiceAccount(request.userInfo.username).Namespace == 'istio-system'", { user: istiod })
  holds("namespaceObject.metadata.labels.tier == 'x'")
  holds("resource.Get('v1', 'serviceaccounts', 'sandbox', 'a').metadata.annotations.why == 'z'")
  holds("dyn(resource.Get('v1', 'serviceaccounts', 'sandbox', 'nobody')) == null")
  holds("resource.List('v1', 'serviceaccounts', 'sandbox').items.exists(s, s.metadata.name == 'a')")
  holds("request.operation == 'UPDATE' && oldObject.spec.containers[0].securityContext.runAsUser == 0", {
    before: root,
  })
  const removing = ask(asks('oldObject.spec.containers.size() == 2 || object != null'), user, { operation: 'DELETE' })
  assert.equal(removing[0]?.outcome, 'not-applicable', 'rules that say CREATE and UPDATE')
})

test('what controllers make is not asked of the written objects alone; one that is written is there', () => {
  const asks = (expression: string) =>
    ask(podPolicy('p', `  validations:\n    - expression: >-\n        ${expression}`), user, { set: written })[0]
  const written = `${root.replace('name: p', 'name: written')}\n`
  for (const expression of [
    "resource.List('v1', 'pods', 'sandbox').items.all(p, p.metadata.name == 'written')",
    "resource.List('v1', 'pods', 'sandbox', {'a': 'b'}).items.size() == 0 || true",
    "dyn(resource.Get('v1', 'pods', 'sandbox', 'other')) == null",
    "resource.List('apps/v1', 'replicasets', 'sandbox').items.size() == 0",
  ]) {
    const step = asks(expression)
    assert.deepEqual([step?.outcome, step?.code], ['unknown', 'not-modelled'], expression)
    assert.match(String(step?.facts?.what), /^a look-up of (pods|replicasets), which controllers make,$/)
  }
  assert.equal(asks("resource.Get('v1', 'pods', 'sandbox', 'written').metadata.name == 'written'")?.outcome, 'allow')
  assert.equal(asks("resource.List('apps/v1', 'deployments', 'sandbox').items.size() == 0")?.outcome, 'allow')
})

test('pods/ephemeralcontainers is asked for by its own name', () => {
  const debug = noRoot.replace('resources: [pods]', 'resources: [pods, pods/ephemeralcontainers]')
  assert.equal(word(noRoot, root, { subResource: 'ephemeralcontainers' }), 'not-applicable admission.not-matched')
  assert.equal(word(debug, root, { subResource: 'ephemeralcontainers' }), 'deny admission.denied not as root')
  assert.equal(word(debug, root), 'deny admission.denied not as root')
})
