import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatDiagnostic } from './diagnostics.js'
import { parseManifests } from './parse.js'
import { only, problems } from './testing.js'

const text = (...lines: string[]) => lines.join('\n')

test('an object keeps its data, its identity and the place of every field', () => {
  const { resources } = parseManifests(
    text(
      '# why',
      'apiVersion: v1',
      'kind: Service',
      'metadata:',
      '  name: web-api',
      '  namespace: shop',
      'spec:',
      '  ports:',
      '    - name: http',
      '      port: 8080',
    ),
    'k8s/web-api.yaml',
    { layer: '50-identity' },
  )
  const [service] = resources
  assert.ok(service)
  assert.equal(service.id, 'Service/shop/web-api')
  assert.equal(service.kind, 'Service')
  assert.equal(service.namespace, 'shop')
  assert.equal(service.name, 'web-api')
  assert.equal(service.layer, '50-identity')
  assert.deepEqual(service.object, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web-api', namespace: 'shop' },
    spec: { ports: [{ name: 'http', port: 8080 }] },
  })
  assert.deepEqual(service.position([]), { file: 'k8s/web-api.yaml', line: 2, column: 1 })
  assert.deepEqual(service.position(['spec', 'ports', 0, 'port']), { file: 'k8s/web-api.yaml', line: 10, column: 7 })
  assert.deepEqual(service.position(['spec', 'ports', 0, 'targetPort']), {
    file: 'k8s/web-api.yaml',
    line: 9,
    column: 7,
  })
  assert.deepEqual(service.position(['status']), { file: 'k8s/web-api.yaml', line: 2, column: 1 })
})

test('a kind that its group does not have is an error where it is nearly one that is judged', () => {
  const object = (apiVersion: string, kind: string) =>
    text(`apiVersion: ${apiVersion}`, `kind: ${kind}`, 'metadata: { name: a, namespace: shop }')
  const told = (apiVersion: string, kind: string) =>
    parseManifests(object(apiVersion, kind), 'f.yaml').diagnostics.map(
      ({ severity, message }) => `${severity} ${message}`,
    )
  for (const kind of ['AuthorisationPolicy', 'authorizationpolicy', 'AuthorizationPolicies'])
    assert.match(told('security.istio.io/v1', kind).join(), /^error .*did you mean AuthorizationPolicy\?$/, kind)
  assert.match(
    told('securty.istio.io/v1', 'AuthorizationPolicy').join(),
    /^error .*"securty\.istio\.io".*did you mean security\.istio\.io\?$/,
  )
  // The control: somebody else's kind, and one of the group's that nothing here knows.
  assert.match(told('example.com/v1', 'AuthorizationPolicy').join(), /^warning /)
  assert.match(told('security.istio.io/v1', 'Novelty').join(), /^warning /)
})

test('no name brings control characters to a terminal, or a path into an id', () => {
  const object = (kind: string, name: string) =>
    text('apiVersion: example.com/v1', `kind: ${kind}`, `metadata: { name: ${name}, namespace: shop }`)
  for (const [kind, name] of [
    ['"\\e[31mRed"', 'a'],
    ['Foo', '"\\e[31mred"'],
    ['Foo', '"\\u202egnp"'],
    ['Foo', '../x'],
    ['"a/b"', 'x'],
  ] as const) {
    const { resources, diagnostics } = parseManifests(object(kind, name), 'f.yaml')
    assert.deepEqual(resources, [], name)
    assert.ok(diagnostics.some(({ severity }) => severity === 'error'))
    for (const diagnostic of diagnostics) assert.doesNotMatch(formatDiagnostic(diagnostic), /[\p{Cc}\u202e]/u)
  }
  assert.equal(parseManifests(object('Foo', 'x'), 'f.yaml').resources.length, 1)
})

test('a number is told as it is written', () => {
  const { diagnostics } = parseManifests(
    text(
      'apiVersion: apps/v1',
      'kind: DaemonSet',
      'metadata: { name: a, namespace: shop }',
      'spec:',
      '  minReadySeconds: 99999999999999999999',
      '  selector: { matchLabels: { app: a } }',
      '  template: { metadata: { labels: { app: a } }, spec: { containers: [{ name: c, image: i }] } }',
    ),
    'f.yaml',
  )
  assert.deepEqual(
    diagnostics.map(({ message }) => message),
    ['DaemonSet/shop/a: spec.minReadySeconds is 99999999999999999999, which is no whole number of 32 bits'],
  )
})

test('missing stays missing, empty stays empty, null is missing and says so', () => {
  const policy = (spec: string) =>
    text(
      'apiVersion: networking.k8s.io/v1',
      'kind: NetworkPolicy',
      'metadata: { name: p, namespace: shop, creationTimestamp: null }',
      `spec: { podSelector: {}${spec} }`,
    )
  assert.deepEqual((only(policy('')).object as { spec?: unknown }).spec, { podSelector: {} })
  assert.deepEqual((only(policy(', ingress: []')).object as { spec?: unknown }).spec, { podSelector: {}, ingress: [] })
  assert.deepEqual((only(policy(', ingress: [{}]')).object as { spec?: unknown }).spec, {
    podSelector: {},
    ingress: [{}],
  })
  const { resources, diagnostics } = parseManifests(policy(', ingress:'), 'p.yaml')
  assert.deepEqual((resources[0]?.object as { spec?: unknown } | undefined)?.spec, { podSelector: {} })
  assert.deepEqual(
    diagnostics.map(({ severity, code, at }) => [severity, code, at.line, at.column]),
    [['warning', 'field.null', 4, 26]],
  )
})

test('several documents, empty ones and lists of objects in one file', () => {
  const account = (name: string) =>
    `{ apiVersion: v1, kind: ServiceAccount, metadata: { name: ${name}, namespace: shop } }`
  const { resources, diagnostics } = parseManifests(
    text(
      '---',
      account('a'),
      '---',
      '# nothing',
      '---',
      'apiVersion: v1',
      'kind: List',
      'items:',
      `  - ${account('b')}`,
      `  - ${account('c')}`,
      '---',
      'apiVersion: v1',
      'kind: ServiceAccountList',
      'items:',
      `  - ${account('d')}`,
    ),
    'all.yaml',
  )
  assert.deepEqual(diagnostics, [])
  assert.deepEqual(
    resources.map(({ id }) => id),
    ['a', 'b', 'c', 'd'].map((name) => `ServiceAccount/shop/${name}`),
  )
  assert.deepEqual(resources[2]?.position(['metadata', 'name']), { file: 'all.yaml', line: 10, column: 57 })
  assert.deepEqual(problems('{ apiVersion: v1, kind: List, items: {} }'), ['error field.type 1:31'])
  assert.deepEqual(problems('{ apiVersion: v1, kind: List, items: }'), [])
})

test('what is no Kubernetes object is told apart, with a guess at what it is', () => {
  const message = (yaml: string) =>
    parseManifests(yaml, 'x.yaml')
      .diagnostics.map(({ code, message }) => `${code} ${message}`)
      .join('\n')
  assert.match(
    message('replicaCount: 1\nimage: x'),
    /^object\.not-kubernetes no apiVersion and no kind.*values for Helm/,
  )
  assert.match(message('apiVersion: v2\nname: chart\nversion: 1.0.0'), /^object\.not-kubernetes no kind.*helm template/)
  assert.match(message('services: { a: {} }'), /Docker Compose/)
  assert.match(message('- a\n- b'), /^object\.not-kubernetes this is a list/)
  assert.match(message('just words'), /^object\.not-kubernetes this is "just words"/)
  assert.match(message('apiVersion: 1\nkind: Pod'), /apiVersion must be text, and is 1/)
  assert.match(message('apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization'), /^object\.kustomization/)
})

test('an object without a namespace lies in default, one of the whole cluster in none', () => {
  const { resources, diagnostics } = parseManifests(
    'apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: a }',
    'a.yaml',
  )
  assert.equal(resources[0]?.id, 'ServiceAccount/default/a')
  assert.deepEqual(
    diagnostics.map(({ code }) => code),
    ['object.no-namespace'],
  )
  const role = 'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: { name: "system:x"'
  assert.equal(only(`${role} }`).id, 'ClusterRole/system:x')
  assert.deepEqual(problems(`${role}, namespace: shop }`), ['warning object.namespace-ignored 3:31'])
})

test('names and labels have the forms that Kubernetes takes', () => {
  const account = (metadata: string) =>
    `apiVersion: v1\nkind: ServiceAccount\nmetadata: { namespace: shop, ${metadata} }`
  assert.deepEqual(problems(account('name: a.b-c')), [])
  assert.deepEqual(problems(account('name: Web_Api')), ['error object.name 3:30'])
  assert.deepEqual(problems(account('generateName: a-')), ['error object.no-name 3:1'])
  assert.deepEqual(problems(account('name: ""')), ['error object.no-name 3:1'])
  assert.deepEqual(problems(account(`name: ${'a'.repeat(254)}`)), ['error object.name 3:30'])
  assert.deepEqual(problems(account('name: a, labels: { app.kubernetes.io/name: x, e: "" }')), [])
  assert.deepEqual(problems(account('name: a, labels: { "a b": x }')), ['error label.form 3:49'])
  assert.deepEqual(problems(account('name: a, labels: { a: "x y" }')), ['error label.form 3:49'])
  assert.deepEqual(problems('apiVersion: v1\nkind: Service\nmetadata: { name: a.b, namespace: shop }\nspec: {}'), [
    'error object.name 3:13',
  ])
  assert.deepEqual(problems('apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: a, namespace: Shop }'), [
    'error object.name 3:22',
  ])
  assert.deepEqual(problems('apiVersion: v1\nkind: ServiceAccount'), [
    'error object.no-name 1:1',
    'warning object.no-namespace 1:1',
  ])
})

test('one object with a mistake does not hide the others', () => {
  const { resources, diagnostics } = parseManifests(
    'apiVersion: v1\nkind: Namespace\nmetadata: { name: ok }\n---\napiVersion: v1\nkind: Namespace\nmetadata: { nam: x }\n---\na: [\n',
    'x.yaml',
  )
  assert.deepEqual(
    resources.map(({ id }) => id),
    ['Namespace/ok'],
  )
  assert.deepEqual(diagnostics.map(({ code }) => code).sort(), ['field.unknown', 'object.no-name', 'yaml.syntax'])
})

test('objects cannot be changed', () => {
  const { object } = only('apiVersion: v1\nkind: Namespace\nmetadata: { name: a, labels: { b: c } }')
  assert.throws(() => Object.assign(object.metadata.labels ?? {}, { b: 'd' }), TypeError)
})

test("a kustomization's namespace is put on what lives in one", () => {
  const { resources } = parseManifests(
    'apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: a, namespace: old }\n---\napiVersion: v1\nkind: Namespace\nmetadata: { name: old }\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: { name: r }\n',
    'x.yaml',
    { namespace: 'new' },
  )
  assert.deepEqual(
    resources.map(({ id }) => id),
    ['ServiceAccount/new/a', 'Namespace/new', 'ClusterRole/r'],
  )
  assert.equal(resources[0]?.object.metadata.namespace, 'new')
})
