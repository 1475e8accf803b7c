import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Asking, ask, objectsOf, podOf } from '../../../../testing/cluster-policy.js'

/*
 * foreach, and the entries of a context.
 */

const policy = (rule: string, more = '') =>
  objectsOf(`
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: p}
spec:
  validationFailureAction: Enforce
  rules:
    - name: r
      match: {any: [{resources: {kinds: [Pod], names: ["*"]}}]}
${rule.replace(/^/gm, '      ')}
${more}`)

const step = (set: ReturnType<typeof policy>, object = podOf(), asking: Asking = {}) => {
  const [found, more] = ask(set, object, 'validate', asking).steps
  assert.equal(more, undefined)
  return found
}
const images = (...names: readonly string[]) =>
  podOf({ containers: names.map((image, index) => ({ name: `c${index}`, image })) })

const each = (more: string) =>
  policy(`
validate:
  message: no good
  foreach:
    - list: request.object.spec.containers
${more.replace(/^/gm, '      ')}`)

test('each element against a pattern; the path is from the element', () => {
  const set = each('pattern: {image: "ours/*"}')
  assert.equal(step(set, images('ours/a', 'ours/b'))?.outcome, 'allow')
  const denied = step(set, images('ours/a', 'b'))
  assert.deepEqual(
    [denied?.outcome, denied?.message],
    ['deny', 'validation failure: validation error: no good. rule r failed at path /image/'],
  )
})

test('each element against conditions, with its index', () => {
  const set = each(
    'deny: {conditions: {any: [{key: "{{ element.image }}-{{ elementIndex }}", operator: Equals, value: b-1}]}}',
  )
  assert.equal(step(set, images('b', 'a'))?.outcome, 'allow')
  assert.deepEqual(
    [step(set, images('a', 'b'))?.outcome, step(set, images('a', 'b'))?.message],
    ['deny', 'validation failure: no good'],
  )
})

test('elements whose preconditions do not hold are left out', () => {
  const set = each(`preconditions: {all: [{key: "{{ element.image }}", operator: Equals, value: "b*"}]}
pattern: {image: "*:1"}`)
  assert.equal(step(set, images('a', 'b:1'))?.outcome, 'allow')
  assert.equal(step(set, images('a', 'b:2'))?.outcome, 'deny')
  assert.equal(step(set, images('a', 'b:2'))?.outcome, 'deny')
  assert.equal(step(set, images('a'))?.outcome, 'not-applicable')
})

test('a list that is not there has no elements', () => {
  const set = each('pattern: {image: "*:1"}')
  const missing = policy(`
validate:
  foreach:
    - list: request.object.spec.initContainers
      pattern: {image: "*:1"}`)
  assert.equal(step(missing)?.outcome, 'not-applicable')
  assert.equal(step(set)?.outcome, 'deny')
})

test('one inside of another, and elementScope', () => {
  const set = policy(`
validate:
  foreach:
    - list: request.object.spec.containers
      foreach:
        - list: element.args
          elementScope: false
          deny: {conditions: {any: [{key: "{{ element1 }}@{{ element0.name }}", operator: Equals, value: "-x@c1"}]}}`)
  const pod = (first: string, second: string) =>
    podOf({
      containers: [
        { name: 'c0', args: [first] },
        { name: 'c1', args: [second] },
      ],
    })
  assert.equal(step(set, pod('-x', '-y'))?.outcome, 'allow')
  assert.equal(step(set, pod('-y', '-x'))?.outcome, 'deny')
})

const denied = (key: string) => `
validate:
  deny: {conditions: {all: [{key: "${key}", operator: Equals, value: "yes"}]}}`

test('a variable with a default, and entries that build on each other', () => {
  const set = policy(`context:
  - name: team
    variable: {jmesPath: "request.object.metadata.labels.team", default: none}
  - name: answer
    variable: {value: "{{ team }}", jmesPath: "replace_all(@, 'none', 'yes')"}
${denied('{{ answer }}')}`)
  assert.equal(step(set)?.outcome, 'deny')
  assert.equal(step(set, podOf({}, { labels: { team: 'x' } }))?.outcome, 'allow')
})

test('an entry that nobody names cannot fail', () => {
  const set = policy(`context:
  - name: broken
    variable: {jmesPath: request.object.none}
${denied('{{ request.object.metadata.name }}')}`)
  assert.equal(step(set)?.outcome, 'allow')
})

const config = `
---
apiVersion: v1
kind: ConfigMap
metadata: {name: allowed, namespace: sandbox}
data: {p: "yes"}
`

test('a ConfigMap of the set', () => {
  const rule = (name: string) => `context:
  - name: allowed
    configMap: {name: ${name}, namespace: "{{ request.namespace }}"}
${denied('{{ allowed.data.p }}')}`
  assert.equal(step(policy(rule('allowed'), config))?.outcome, 'deny')
  const meta = rule('allowed').replace('allowed.data.p', "allowed.metadata.name == 'allowed' && 'yes'")
  assert.equal(step(policy(meta, config))?.outcome, 'deny')
  const gone = step(policy(rule('gone'), config))
  assert.equal(gone?.code, 'admission.failed')
  assert.match(gone?.message ?? '', /failed to get configmap sandbox\/gone/)
})

test('a call to the API server that the set answers, and one that it does not', () => {
  const rule = (path: string) => `context:
  - name: names
    apiCall: {urlPath: "${path}", jmesPath: "items[].metadata.name | join(',', @)"}
validate:
  deny: {conditions: {all: [{key: "{{ names }}", operator: Equals, value: allowed}]}}`
  assert.equal(step(policy(rule('/api/v1/namespaces/{{ request.namespace }}/configmaps'), config))?.outcome, 'deny')
  const unknown = step(policy(rule('/readyz'), config))
  assert.deepEqual([unknown?.outcome, unknown?.code], ['unknown', 'not-modelled'])
  assert.match(String(unknown?.facts?.what), /\/readyz/)
})

test('what controllers make is not asked of the written objects alone; one that is written is there', () => {
  const rule = (path: string, jmesPath: string) => `context:
  - name: found
    apiCall: {urlPath: "${path}", jmesPath: "${jmesPath}"}
validate:
  deny: {conditions: {all: [{key: "{{ found }}", operator: Equals, value: written}]}}`
  const pod =
    '---\napiVersion: v1\nkind: Pod\nmetadata: {name: written, namespace: sandbox}\nspec: {containers: [{name: c, image: x}]}\n'
  const inside = (resource: string) => `/api/v1/namespaces/sandbox/${resource}`
  for (const [path, resource] of [
    [inside('pods'), 'pods'],
    [inside('pods/other'), 'pods'],
    [inside('endpoints/x'), 'endpoints'],
    ['/api/v1/nodes', 'nodes'],
    ['/apis/apps/v1/namespaces/sandbox/replicasets', 'replicasets'],
    ['/apis/discovery.k8s.io/v1/namespaces/sandbox/endpointslices', 'endpointslices'],
    ['/apis/events.k8s.io/v1/events', 'events'],
    ['/apis/batch/v1/namespaces/sandbox/jobs', 'jobs'],
  ] as const) {
    const unknown = step(policy(rule(path, 'items[0].metadata.name'), pod))
    assert.deepEqual([unknown?.outcome, unknown?.code], ['unknown', 'not-modelled'], path)
    assert.equal(unknown?.facts?.what, `a look-up of ${resource}, which controllers make,`)
  }
  assert.equal(step(policy(rule(inside('pods/written'), 'metadata.name'), pod))?.outcome, 'deny')
  assert.equal(
    step(policy(rule('/apis/apps/v1/namespaces/sandbox/deployments', "length(items) == `0` && 'written'")))?.outcome,
    'deny',
  )
})

test('what asks a registry or a service is unknown, and says so', () => {
  for (const entry of [
    'imageRegistry: {reference: x}',
    'apiCall: {method: POST, service: {url: "https://x", caBundle: pem}}',
  ]) {
    const found = step(policy(`context: [{name: e, ${entry}}]\n${denied('{{ e }}')}`))
    assert.deepEqual([found?.outcome, found?.code], ['unknown', 'not-modelled'])
  }
})

test('images in parts', () => {
  const set = policy(`
validate:
  deny:
    conditions:
      all:
        - {key: "{{ images.containers.*.registry }}", operator: AnyNotIn, value: [docker.io, "localhost:*"]}`)
  assert.equal(step(set, images('nginx', 'localhost:5000/x'))?.outcome, 'allow')
  assert.equal(step(set, images('nginx', 'evil.example/x'))?.outcome, 'deny')
})

test('who asks', () => {
  const set = policy(denied('{{ serviceAccountNamespace }}/{{ serviceAccountName }}').replace('"yes"', 'a/ci'))
  const user = { username: 'system:serviceaccount:a:ci', groups: [] }
  assert.equal(step(set, podOf(), { user })?.outcome, 'deny')
  assert.equal(step(set)?.outcome, 'allow')
})
