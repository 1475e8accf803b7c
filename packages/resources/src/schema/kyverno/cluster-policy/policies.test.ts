import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifests } from '../../../parse.js'

/* kyverno.io ClusterPolicy, Policy and PolicyException: what is taken, and what Kyverno's webhook refuses. */

const pattern = '{ metadata: { labels: { app: "?*" } } }'
const match = '{ any: [{ resources: { kinds: [Pod] } }] }'
const validate = `{ message: why, pattern: ${pattern} }`

interface Said {
  readonly says: string
  readonly where: string
}

/** What is said of a policy with these fields in its spec; each begins in a line of its own, from line 5. */
function said(fields: Readonly<Record<string, string>>, apiVersion = 'kyverno.io/v1', kind = 'ClusterPolicy'): Said[] {
  const space = kind === 'ClusterPolicy' ? '' : ', namespace: shop'
  const spec = Object.entries(fields).map(([name, value]) => `  ${name}: ${value}\n`)
  const text = `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: p${space} }\nspec:\n${spec.join('')}`
  return parseManifests(text, 'm.yaml')
    .diagnostics.filter(({ code }) => code !== 'kind.deprecated')
    .map(({ severity, code, at }) => {
      const line = text.split('\n')[at.line - 1] ?? ''
      return { says: `${severity} ${code}`, where: line.slice(at.column - 1) }
    })
}

const rule = (fields: Readonly<Record<string, string>>) => ({
  rules: `[{ ${Object.entries({ name: 'r', match, ...fields })
    .map(([name, value]) => `${name}: ${value}`)
    .join(', ')} }]`,
})

/** One thing is said, and where the text begins so. */
function refuses(found: readonly Said[], says: string, where: string): void {
  assert.deepEqual(
    found.map((one) => one.says),
    [says],
  )
  const [one] = found
  assert.ok(one?.where.startsWith(where), `at ${one?.where}, not at ${where}`)
}

test('the seed’s policy is taken, as it is written; what is old in it is told, with its successor', () => {
  const text = `apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: { name: disallow-root-user }
spec:
  validationFailureAction: Enforce
  background: true
  rules:
    - name: check-runasnonroot
      match: { any: [{ resources: { kinds: [Pod] } }] }
      exclude: { any: [{ resources: { namespaces: [kube-system, kyverno] } }] }
      validate:
        message: Running as root is forbidden
        pattern:
          spec:
            securityContext: { runAsNonRoot: true }
            containers:
              - =(securityContext):
                  =(runAsNonRoot): true
`
  const { resources, diagnostics } = parseManifests(text, 'm.yaml')
  assert.equal(resources.length, 1)
  assert.deepEqual(
    diagnostics.map(({ severity, message, at }) => `${severity} ${at.line}:${at.column} ${message}`),
    [
      'warning 5:3 ClusterPolicy/disallow-root-user: spec.validationFailureAction: deprecated since Kyverno 1.13: write failureAction into validate of each rule',
      'warning 1:1 ClusterPolicy/disallow-root-user: a ClusterPolicy of kyverno.io is deprecated and its removal is announced; write a ValidatingPolicy, MutatingPolicy or GeneratingPolicy of policies.kyverno.io/v1',
    ],
  )
})

test('a rule does one thing, and says in one way what it asks', () => {
  assert.deepEqual(said(rule({ validate })), [])
  const mutate = '{ patchStrategicMerge: { metadata: { labels: { +(a): b } } } }'
  assert.deepEqual(said(rule({ mutate })), [])
  refuses(said(rule({})), 'error rule.none', '{ name: r')
  refuses(said(rule({ validate, mutate })), 'error rule.several', `mutate: `)
  refuses(said(rule({ validate: '{ message: why }' })), 'error validate.none', 'validate')
  refuses(said(rule({ validate: `{ pattern: ${pattern}, deny: {} }` })), 'error validate.several', 'deny: {}')
  refuses(
    said(rule({ validate, celPreconditions: '[{ name: a, expression: "true" }]' })),
    'error rule.cel-preconditions',
    'celPre',
  )
})

test('rules have names of their own, and there is one', () => {
  refuses(said({ rules: '[]' }), 'warning rules.none', 'rules: []')
  refuses(said({ background: 'true' }), 'warning rules.none', 'spec:')
  const twice = `{ name: r, match: ${match}, validate: ${validate} }`
  refuses(said({ rules: `[${twice}, ${twice}]` }), 'error rule.name', `name: r`)
  refuses(said({ rules: `[{ match: ${match}, validate: ${validate} }]` }), 'error field.missing', '{ match')
  refuses(said(rule({ name: 'n'.repeat(64), validate })), 'error field.value', 'name: nnn')
})

test('match: kinds are needed, any and all do not mix', () => {
  const of = (text: string) => said(rule({ match: text, validate }))
  refuses(of('{ any: [{ resources: { names: [a] } }] }'), 'error match.kinds', '{ resources')
  refuses(of('{}'), 'error match.kinds', 'match: {}')
  refuses(
    of(`{ any: [{ resources: { kinds: [Pod] } }], all: [{ resources: { kinds: [Pod] } }] }`),
    'error match.both',
    'all:',
  )
  refuses(
    of('{ any: [{ resources: { kinds: [Pod] } }], resources: { kinds: [Pod] } }'),
    'error match.direct',
    'resources: { kinds: [Pod] } }, valid',
  )
  assert.deepEqual(of('{ resources: { kinds: [Pod] } }'), [], 'the older form')
  refuses(
    said(rule({ match: '{ resources: { kinds: [Pod] } }', validate }), 'kyverno.io/v2beta1').slice(0, 1),
    'error field.unknown',
    'resources',
  )
  refuses(of('{ any: [{ resources: { kinds: [pods] } }] }'), 'warning match.kind', 'pods')
  refuses(of('{ any: [{ resources: { kinds: [Pod], name: a, names: [b] } }] }'), 'error match.name', 'name: a')
  refuses(of('{ any: [{ resources: { kinds: [Pod], selector: {} } }] }'), 'error match.selector', 'selector')
  refuses(of('{ any: [{ resources: { kinds: [Pod], operations: [PATCH] } }] }'), 'error field.value', 'PATCH')
  refuses(of('{ any: [{ resources: { kinds: [Pod] }, roles: [admin] }] }'), 'error match.role', 'admin')
  refuses(
    of('{ any: [{ resources: { kinds: [Pod] }, subjects: [{ kind: Robot, name: a }] }] }'),
    'error match.subject',
    'kind: Robot',
  )
  refuses(
    of('{ any: [{ resources: { kinds: [Pod] }, subjects: [{ kind: ServiceAccount, name: a }] }] }'),
    'error field.missing',
    '{ kind: Serv',
  )
})

test('conditions: an operator that there is, and all three of key, operator and value', () => {
  const of = (text: string) => said(rule({ preconditions: text, validate }))
  const condition = (operator: string) => `{ key: "{{ request.operation }}", operator: ${operator}, value: CREATE }`
  assert.deepEqual(of(`{ all: [${condition('Equals')}] }`), [])
  assert.deepEqual(of(`{ any: [${condition('equals')}] }`), [], 'in any case, as Kyverno reads it')
  refuses(of(`{ all: [${condition('Equalz')}] }`), 'error condition.operator', 'operator: Equalz')
  refuses(of(`{ all: [${condition('In')}] }`), 'warning condition.deprecated', 'operator: In')
  refuses(of(`[${condition('Equals')}]`), 'warning condition.list', 'preconditions')
  refuses(of('{ all: [{ key: a, operator: Equals }] }'), 'error condition.incomplete', '{ key: a')
  refuses(of(`{ al: [${condition('Equals')}] }`), 'error condition.form', 'al:')
  refuses(of('{ all: {} }'), 'error field.type', 'all: {}')
  refuses(
    said(rule({ validate: `{ deny: { conditions: { all: [${condition('Equalz')}] } } }` })),
    'error condition.operator',
    'operator: Equalz',
  )
  const newer = said(rule({ preconditions: `{ all: [${condition('In')}] }`, validate }), 'kyverno.io/v2beta1')
  refuses(newer, 'error field.value', 'operator: In')
})

test('anchors: those of their place, on a field, and once', () => {
  const of = (text: string) => said(rule({ validate: `{ pattern: ${text} }` }))
  for (const key of ['(a)', '=(a)', 'X(a)', '<(a)']) assert.deepEqual(of(`{ "${key}": b }`), [], key)
  assert.deepEqual(of('{ "^(a)": [{ b: c }] }'), [])
  refuses(of('{ "+(a)": b }'), 'error pattern.anchor', '"+(a)"')
  refuses(of('{ spec: { "^(a)": b } }'), 'error pattern.existence', '"^(a)"')
  refuses(of('{ "=((a))": b }'), 'error pattern.anchor', '"=((a))"')
  refuses(of('{ "=()": b }'), 'error pattern.anchor', '"=()"')
  refuses(of('{ "!(a)": b }'), 'warning pattern.anchor', '"!(a)"')
  refuses(of('{ "=(a": b }'), 'warning pattern.anchor', '"=(a"')
  refuses(of('{ a: [] }'), 'error pattern.empty-list', 'a: []')
  refuses(of('{ a: [{ b: c }, { d: e }] }'), 'warning pattern.first-only', 'a: [')
  refuses(said(rule({ validate: `{ anyPattern: ${pattern} }` })), 'error field.type', 'anyPattern')
  refuses(said(rule({ validate: `{ anyPattern: [${pattern}, { "+(a)": b }] }` })), 'error pattern.anchor', '"+(a)"')
})

test('a loop says what it is over, and its loops in it are looked at', () => {
  const of = (text: string) => said(rule({ validate: `{ foreach: [${text}] }` }))
  assert.deepEqual(of(`{ list: request.object.spec.containers, pattern: { image: "*" } }`), [])
  refuses(of('{ pattern: { image: "*" } }'), 'error field.missing', '{ pattern')
  refuses(of('{ list: a }'), 'error validate.none', '{ list: a }')
  const inner = '{ list: a, foreach: [{ list: b, pattern: { "+(c)": d } }] }'
  refuses(of(inner), 'error pattern.anchor', '"+(c)"')
  refuses(of('{ list: a, foreach: [{ list: b, patern: {} , pattern: {} }] }'), 'error field.unknown', 'patern')
  const deep = `${'{ list: a, foreach: ['.repeat(25)}${']}'.repeat(25)}`
  assert.ok(of(deep).some(({ says }) => says === 'error foreach.depth'))
})

test('mutate: one patch, whose operations there are', () => {
  const of = (text: string) => said(rule({ mutate: text }))
  const patch = (text: string) => of(`{ patchesJson6902: '${text}' }`)
  assert.deepEqual(patch('[{ op: add, path: /metadata/labels/a, value: "{{ request.operation }}" }]'), [])
  refuses(patch('[{ op: put, path: /a, value: b }]'), 'error patch.operation', 'patchesJson6902')
  refuses(patch('[{ op: add, path: a, value: b }]'), 'error patch.path', 'patchesJson6902')
  refuses(patch('[{ op: add, path: /a }]'), 'error patch.value', 'patchesJson6902')
  refuses(patch('{ op: add }'), 'error patch.syntax', 'patchesJson6902')
  refuses(patch('[{'), 'error patch.syntax', 'patchesJson6902')
  refuses(of('{}'), 'error mutate.none', 'mutate: {}')
  refuses(
    of(`{ patchStrategicMerge: {}, patchesJson6902: '[{ op: remove, path: /a }]' }`),
    'error mutate.several',
    'patchesJson6902',
  )
  refuses(of('{ patchStrategicMerge: { "X(a)": b } }'), 'error pattern.anchor', '"X(a)"')
})

test('generate: what is made has a kind and a name, and no anchors', () => {
  const of = (text: string) => said(rule({ generate: text }))
  const made = 'apiVersion: v1, kind: ResourceQuota, name: q, namespace: "{{ request.object.metadata.name }}"'
  assert.deepEqual(of(`{ ${made}, data: { spec: {} } }`), [])
  refuses(of(`{ ${made} }`), 'error generate.none', 'generate')
  refuses(of('{ apiVersion: v1, kind: ResourceQuota, data: {} }'), 'error field.missing', 'generate')
  refuses(of(`{ ${made}, data: {}, clone: { name: a } }`), 'error generate.several', 'clone')
  refuses(of(`{ ${made}, data: { "+(a)": b } }`), 'error pattern.anchor', '"+(a)"')
})

test('variables have one source, and no name of Kyverno’s own', () => {
  const of = (text: string) => said(rule({ context: `[${text}]`, validate }))
  assert.deepEqual(of('{ name: a, variable: { value: 1 } }'), [])
  refuses(of('{ name: a }'), 'error context.source', '{ name: a }')
  refuses(of('{ name: request.a, variable: { value: 1 } }'), 'error context.name', 'name: request.a')
})

test('what holds for the whole policy', () => {
  const rules = rule({ validate })
  refuses(said({ ...rules, admission: 'false', background: 'false' }), 'error spec.off', 'background')
  refuses(said({ ...rules, webhookTimeoutSeconds: '0' }), 'error webhook.timeout', 'webhookTimeoutSeconds')
  refuses(said({ ...rules, generateExistingOnPolicyUpdate: 'true' }), 'error field.deprecated', 'generateExisting')
  refuses(
    said({ ...rules, validationFailureAction: 'Block' }).slice(0, 1),
    'error field.value',
    'validationFailureAction',
  )
  refuses(
    said(rule({ validate: `{ failureAction: enforce, pattern: ${pattern} }` })),
    'error field.value',
    'failureAction: enforce',
  )
  assert.deepEqual(said(rules, 'kyverno.io/v1', 'Policy'), [])
  const overrides = '[{ action: Audit, namespaces: [a] }]'
  refuses(
    said({ ...rules, validationFailureActionOverrides: overrides }, 'kyverno.io/v1', 'Policy'),
    'error spec.overrides',
    'validation',
  )
})

test('an exception of the older form', () => {
  const of = (exceptions: string, more = '') =>
    said({ match, exceptions, ...(more && { background: more }) }, 'kyverno.io/v2', 'PolicyException')
  assert.deepEqual(of('[{ policyName: p, ruleNames: [r] }]'), [])
  refuses(of('[{ policyName: "", ruleNames: [r] }]'), 'error value.empty', 'policyName')
  refuses(of('[{ policyName: p }]'), 'error field.missing', '{ policyName')
  refuses(of('[{ policyName: p, ruleNames: [] }]'), 'warning exception.none', 'ruleNames')
})

test('what else is refused, or told, at its place', () => {
  const inRule = (fields: Readonly<Record<string, string>>) => said(rule(fields))
  const made = 'apiVersion: v1, kind: ConfigMap, name: a, data: {}'
  const cel = (text: string) =>
    inRule({ validate: `{ cel: { expressions: [{ expression: "true", message: why }], ${text} } }` })
  const rules = rule({ validate })
  const rows: [Said[], string, string][] = [
    [inRule({ preconditions: 'yes', validate }), 'error field.type', 'preconditions'],
    [inRule({ preconditions: '{ all: [a] }', validate }), 'error field.type', 'a]'],
    [inRule({ context: '[{ name: "", variable: { value: 1 } }]', validate }), 'error value.empty', 'name: ""'],
    [inRule({ imageExtractors: '{}', validate }), 'error rule.image-extractors', 'imageExtractors'],
    [inRule({ validate: '{ anyPattern: [] }' }), 'error pattern.empty-list', 'anyPattern'],
    [inRule({ validate: '{ foreach: [{ list: a, foreach: {} }] }' }), 'error field.type', 'foreach: {}'],
    [inRule({ validate: '{ foreach: [{ list: a, foreach: [b] }] }' }), 'error field.type', 'b]'],
    [
      inRule({ validate: `{ failureActionOverrides: [{ action: audit, namespaces: [a] }], pattern: ${pattern} }` }),
      'warning action.spelling',
      'action: audit',
    ],
    [cel('paramKind: { apiVersion: v1, kind: ConfigMap }'), 'error parameters.half', 'cel:'],
    [
      cel('paramKind: { apiVersion: v1, kind: ConfigMap }, paramRef: { parameterNotFoundAction: Deny }'),
      'error parameters.which',
      'paramRef',
    ],
    [cel('paramKind: { apiVersion: v1, kind: ConfigMap }, paramRef: { name: a }'), 'error field.missing', 'paramRef'],
    [
      inRule({ mutate: '{ foreach: [{ list: a, context: [], foreach: [{ list: b, patchStrategicMerge: {} }] }] }' }),
      'error foreach.nested',
      'context',
    ],
    [
      inRule({ mutate: '{ patchStrategicMerge: {}, mutateExistingOnPolicyUpdate: true }' }),
      'error mutate.targets',
      'mutateExisting',
    ],
    [inRule({ generate: `{ foreach: [{ ${made} }] }` }), 'error field.missing', '{ apiVersion'],
    [inRule({ generate: `{ data: {}, foreach: [{ list: a, ${made} }] }` }), 'error generate.several', 'foreach'],
    [
      said({ ...rules, validationFailureActionOverrides: '[{ action: Audit, namespaces: [a] }]' }),
      'warning field.deprecated',
      'validationFailureActionOverrides',
    ],
    [
      said({ ...rules, failurePolicy: 'Fail', webhookConfiguration: '{ failurePolicy: Ignore }' }),
      'error spec.twice',
      'failurePolicy: Fail',
    ],
    [
      inRule({ match: '{ any: [{ resources: { kinds: [Pod] }, subjects: [{ kind: User, name: "" }] }] }', validate }),
      'error value.empty',
      'name: ""',
    ],
  ]
  for (const [found, says, where] of rows) refuses(found, says, where)
})

test('the policy’s own name and annotations', () => {
  const named = (metadata: string) => {
    const text = `apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: ${metadata}\nspec: { rules: [{ name: r, match: ${match}, validate: ${validate} }] }\n`
    return parseManifests(text, 'm.yaml').diagnostics.map(({ code, at }) => `${code} ${at.line}:${at.column}`)
  }
  assert.deepEqual(named(`{ name: ${'n'.repeat(63)} }`), ['kind.deprecated 1:1'])
  assert.deepEqual(named(`{ name: ${'n'.repeat(64)} }`), ['kind.deprecated 1:1', 'object.name 3:13'])
  const autogen = (value: string) =>
    named(`{ name: p, annotations: { pod-policies.kyverno.io/autogen-controllers: ${value} } }`)
  assert.deepEqual(autogen('none'), ['kind.deprecated 1:1'])
  assert.deepEqual(autogen('all'), ['kind.deprecated 1:1', 'autogen.all 3:37'])
})

test('null stays where it means something: in a pattern and in a patch; elsewhere it is as if it were not there', () => {
  const text = `apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: { name: p }
spec:
  background: null
  rules:
    - { name: a, match: ${match}, validate: { pattern: { spec: { hostPID: null } } } }
    - { name: b, match: ${match}, mutate: { patchStrategicMerge: { spec: { nodeName: null, list: [{ a: null }] } } } }
`
  const { resources, diagnostics } = parseManifests(text, 'm.yaml')
  assert.deepEqual(
    diagnostics.map(({ code, at }) => `${code} ${at.line}`),
    ['kind.deprecated 1', 'field.null 5'],
  )
  const [policy] = resources
  assert.ok(policy)
  const { spec } = policy.object as { spec?: { rules?: Record<string, unknown>[] } }
  assert.deepEqual(spec?.rules?.[0]?.validate, { pattern: { spec: { hostPID: null } } })
  assert.deepEqual(spec?.rules?.[1]?.mutate, { patchStrategicMerge: { spec: { nodeName: null, list: [{ a: null }] } } })
  assert.ok(spec !== undefined && !('background' in spec) && Object.isFrozen(spec.rules?.[0]?.validate))
})
