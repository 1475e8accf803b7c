import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pointer } from '../match/pointer.js'
import { fieldThatFails } from './blame.js'
import { type Activation, Budget, type CelProgram, compileCel } from './index.js'

/*
 * Which field of the object an expression minds.
 */

const object = {
  kind: 'Pod',
  metadata: { name: 'x', labels: { app: 'a', 'istio.io/dataplane-mode': 'none' } },
  spec: {
    hostNetwork: true,
    serviceAccountName: 'thief',
    initContainers: [{ name: 'init', image: 'evil', securityContext: { runAsUser: 0 } }],
    containers: [
      { name: 'a', image: 'good', securityContext: { capabilities: { add: ['CHOWN', 'NET_RAW'] }, privileged: false } },
      {
        name: 'b',
        image: 'good',
        securityContext: { privileged: true },
        ports: [{ containerPort: 80 }, { hostPort: 80 }],
      },
    ],
    volumes: [
      { name: 'v', emptyDir: {} },
      { name: 'w', hostPath: { path: '/proc' } },
    ],
  },
}

function minds(
  source: string,
  variables: Readonly<Record<string, string>> = {},
  oldObject: unknown = null,
): string | undefined {
  const roots = new Map([
    ['object', 'dyn'],
    ['oldObject', 'dyn'],
    ['request', 'dyn'],
  ] as const)
  const programs = new Map<string, CelProgram>()
  for (const [name, text] of Object.entries(variables)) {
    programs.set(
      name,
      compileCel(text, { roots, variables: new Map([...programs.keys()].map((one) => [one, 'open'] as const)) }),
    )
  }
  const activation: Activation = {
    roots: new Map<string, unknown>([
      ['object', object],
      ['oldObject', oldObject],
      ['request', { operation: 'CREATE' }],
    ]),
    budget: new Budget(),
    review: { get: () => undefined, list: () => [] },
    variable: (name) => programs.get(name)?.evaluate(activation),
  }
  const program = compileCel(source, {
    roots,
    variables: new Map([...programs.keys()].map((one) => [one, 'open'] as const)),
  })
  const path = fieldThatFails(program, activation, (name) => programs.get(name))
  return path === undefined ? undefined : pointer(path)
}

const all =
  'object.spec.containers + object.spec.?initContainers.orValue([]) + object.spec.?ephemeralContainers.orValue([])'
const rows: readonly (readonly [
  name: string,
  source: string,
  wanted: string | undefined,
  variables?: Readonly<Record<string, string>>,
])[] = [
  ['a field', '!object.spec.hostNetwork', '/spec/hostNetwork'],
  ['compared', 'object.spec.hostNetwork == false', '/spec/hostNetwork'],
  ['with a default', '!object.spec.?hostNetwork.orValue(false)', '/spec/hostNetwork'],
  [
    'one that is not written',
    'object.spec.?automountServiceAccountToken.orValue(true) == false',
    '/spec/automountServiceAccountToken',
  ],
  [
    'one whose parents are not written',
    'object.spec.?securityContext.?runAsNonRoot.orValue(false) == true',
    '/spec/securityContext/runAsNonRoot',
  ],
  ['one that has to be there', 'has(object.spec.dnsPolicy)', '/spec/dnsPolicy'],
  ['one that may not be there', '!has(object.spec.hostNetwork)', '/spec/hostNetwork'],
  ['the guard and the field', '!has(object.spec.hostNetwork) || object.spec.hostNetwork == false', '/spec/hostNetwork'],
  [
    'the conjunct that fails',
    "object.kind == 'Pod' && object.metadata.name == 'x' && !object.spec.hostNetwork",
    '/spec/hostNetwork',
  ],
  [
    'a condition that is not of the object',
    "request.operation == 'DELETE' || !object.spec.hostNetwork",
    '/spec/hostNetwork',
  ],
  ['two fields', 'object.spec.containers[0].image == object.spec.initContainers[0].image', '/spec'],
  [
    'two fields of one element',
    'object.spec.containers[0].name == object.spec.containers[0].image',
    '/spec/containers/0',
  ],
  ['the element', "object.spec.containers.all(c, c.name != 'b')", '/spec/containers/1/name'],
  [
    'its field, guarded',
    'object.spec.containers.all(c, !has(c.securityContext) || !c.securityContext.?privileged.orValue(false))',
    '/spec/containers/1/securityContext/privileged',
  ],
  [
    'elements in elements',
    'object.spec.containers.all(c, c.?ports.orValue([]).all(p, p.?hostPort.orValue(0) == 0))',
    '/spec/containers/1/ports/1/hostPort',
  ],
  [
    'an element that is a string',
    "object.spec.containers.all(c, c.?securityContext.?capabilities.?add.orValue([]).all(a, a in ['CHOWN']))",
    '/spec/containers/0/securityContext/capabilities/add/1',
  ],
  [
    'of several lists together',
    'variables.all.all(c, c.?securityContext.?runAsUser.orValue(1) != 0)',
    '/spec/initContainers/0/securityContext/runAsUser',
    { all },
  ],
  [
    'of what was made of them',
    "variables.images.all(i, i == 'good')",
    '/spec/initContainers/0/image',
    { all, images: 'variables.all.map(c, c.image)' },
  ],
  [
    'of what was chosen of them',
    "variables.all.filter(c, c.name != 'a').map(c, c.image).all(i, i == 'good')",
    '/spec/initContainers/0/image',
    { all },
  ],
  [
    'a list that has to be empty',
    "variables.all.filter(c, c.image == 'evil').size() == 0",
    '/spec/initContainers/0/image',
    { all },
  ],
  [
    'or has to hold nothing such',
    "size(variables.all.filter(c, c.image == 'evil')) < 1",
    '/spec/initContainers/0/image',
    { all },
  ],
  ['exists that may not', "!variables.all.exists(c, c.image == 'evil')", '/spec/initContainers/0/image', { all }],
  ['exists that has to', "object.spec.containers.exists(c, c.image == 'best')", '/spec/containers'],
  [
    'a key of a map',
    "object.metadata.labels.all(k, !k.startsWith('istio.io/'))",
    '/metadata/labels/istio.io/dataplane-mode',
  ],
  ['a key and its value', "object.metadata.labels.all(k, v, v != 'none')", '/metadata/labels/istio.io/dataplane-mode'],
  ['a key that is looked for', "!('app' in object.metadata.labels)", '/metadata/labels'],
  ['by an index', "object.metadata.labels['app'] == 'b'", '/metadata/labels/app'],
  [
    'the kind of a volume',
    "object.spec.volumes.all(v, v.all(k, k in ['name', 'emptyDir']))",
    '/spec/volumes/1/hostPath',
  ],
  ['a branch', "object.kind == 'Pod' ? !object.spec.hostNetwork : true", '/spec/hostNetwork'],
  ['a test, where the branch says nothing', 'object.spec.hostNetwork ? false : true', '/spec/hostNetwork'],
  [
    'a variable that is the answer',
    '!variables.host',
    '/spec/hostNetwork',
    { host: "object.kind == 'Pod' && object.spec.?hostNetwork.orValue(false)" },
  ],
  ['a variable that is a part', 'variables.pod.hostNetwork == false', '/spec/hostNetwork', { pod: 'object.spec' }],
  ['bound', 'cel.bind(s, object.spec, cel.bind(h, s.hostNetwork, !h))', '/spec/hostNetwork'],
  ['size', 'size(object.spec.containers) == 1', '/spec/containers'],
  ['a function', "object.spec.containers.all(c, c.image.matches('^best$'))", '/spec/containers/0/image'],
  ['an error: the key that is missing', 'object.spec.nope.x == 1', '/spec/nope/x'],
  ['an error in an element', 'object.spec.volumes.all(v, has(v.hostPath.path))', '/spec/volumes/0/hostPath/path'],
  [
    'what something else was looked up by, where nothing is asked beside it',
    "dyn(resource.Get('v1', 'serviceaccounts', 'ns', object.spec.serviceAccountName)) != null",
    '/spec/serviceAccountName',
  ],
  [
    'and not, where something is',
    "dyn(resource.Get('v1', 'serviceaccounts', 'ns', object.spec.serviceAccountName)) != null || !object.spec.hostNetwork",
    '/spec/hostNetwork',
  ],
  ['nothing of the object', "request.operation == 'DELETE'", undefined],
  ['nothing at all', 'false', undefined],
  ['fields far apart', "object.metadata.name == 'y' || object.spec.hostNetwork == false", undefined],
]

for (const [name, source, wanted, variables] of rows) {
  test(name, () => assert.equal(minds(source, variables), wanted, source))
}

test('of a change it is the new object', () => {
  const before = { ...object, spec: { ...object.spec, hostNetwork: false } }
  assert.equal(minds('object.spec.hostNetwork == oldObject.spec.hostNetwork', {}, before), '/spec/hostNetwork')
})
