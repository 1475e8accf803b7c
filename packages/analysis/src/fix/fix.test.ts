import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifests, type Resource } from '@bulkhead/resources'
import { compile, type Flow, judge } from '@bulkhead/verdict'
import { smallestFix } from './fix.js'
import { renderFix } from './render.js'

const workload = (name: string, labels = '') => `
apiVersion: v1
kind: ServiceAccount
metadata: { name: ${name}, namespace: a }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: a }
spec:
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name}${labels} } }
    spec:
      serviceAccountName: ${name}
      containers: [{ name: main, image: "localhost/bulkhead/probe:0.1.0", ports: [{ containerPort: 80 }, { containerPort: 81 }] }]
`

const scene = [
  'apiVersion: v1\nkind: Namespace\nmetadata: { name: a, labels: { istio.io/dataplane-mode: ambient } }\n',
  ...['client', 'friend', 'server', 'other'].map((name) => workload(name)),
  workload('outsider', ', istio.io/dataplane-mode: none'),
]

const policy = (name: string, spec: string) =>
  `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: ${name}, namespace: a }\nspec: ${spec}\n`
const strict =
  'apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: { name: default, namespace: a }\nspec: { mtls: { mode: STRICT } }\n'
const friendOnly =
  '{ selector: { matchLabels: { app: server } }, rules: [{ from: [{ source: { principals: ["cluster.local/ns/a/sa/friend"] } }], to: [{ operation: { ports: ["80"] } }] }] }'

function objects(...policies: readonly string[]): readonly Resource[] {
  const { resources, diagnostics } = parseManifests([...scene, ...policies].join('---\n'), 'a.yaml')
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  )
  return resources
}

const call = (from: string, port = 80): Flow => ({
  from: { workload: `a/${from}` },
  to: { workload: 'a/server' },
  port,
})
const fixOf = (flow: Flow, ...policies: readonly string[]) => smallestFix(flow, compile(objects(...policies)))

const none = { edits: [], alsoOpens: [] }

test('a flow that is allowed needs no fix', () => {
  assert.equal(judge(call('friend'), compile(objects(policy('p', friendOnly)))).outcome, 'allow')
  assert.equal(fixOf(call('friend'), policy('p', friendOnly)), undefined)
})

test('the closest rule lacks the caller, and to add it there would open another port too: a rule of its own is smaller', () => {
  const spec = friendOnly.replace('["80"]', '["80", "81"]')
  const fix = fixOf(call('client'), policy('p', spec))
  assert.equal(fix?.edits.length, 1)
  assert.equal(fix?.edits[0]?.object, 'AuthorizationPolicy/a/p')
  assert.match(fix?.edits[0]?.says ?? '', /^add a rule: .*"cluster\.local\/ns\/a\/sa\/client".*ports: \["80"\]/)
  assert.deepEqual(fix?.alsoOpens, [])
})

test('the closest rule lacks the caller and nothing else opens: it is added there', () => {
  const fix = fixOf(call('client'), policy('p', friendOnly))
  assert.deepEqual(
    fix?.edits.map(({ object, says }) => ({ object, says })),
    [{ object: 'AuthorizationPolicy/a/p', says: 'add "cluster.local/ns/a/sa/client" to principals of rule 0' }],
  )
  assert.match(fix?.edits[0]?.at ?? '', /^a\.yaml:\d+$/)
  assert.equal(fix?.edits[0]?.field, 'spec.rules[0].from[0].source.principals')
  assert.match(
    renderFix(fix ?? none),
    /\n {13}spec\.rules\[0\]\.from\[0\]\.source\.principals: \+ "cluster\.local\/ns\/a\/sa\/client"\n/,
  )
  assert.deepEqual(fix?.alsoOpens, [])
})

test('the port is what lacks: it is added', () => {
  const fix = fixOf(call('friend', 81), policy('p', friendOnly))
  assert.deepEqual(
    fix?.edits.map(({ says }) => says),
    ['add "81" to ports of rule 0'],
  )
})

test('caller and port lack: one rule for both', () => {
  const fix = fixOf(call('client', 81), policy('p', friendOnly))
  assert.match(fix?.edits[0]?.says ?? '', /^add a rule: /)
  assert.deepEqual(fix?.alsoOpens, [])
})

test('a policy that selects more than the destination: what else it opens is said', () => {
  const fix = fixOf(call('client'), policy('p', friendOnly.replace('selector: { matchLabels: { app: server } }, ', '')))
  assert.deepEqual(fix?.alsoOpens, ['a/client -> a/friend:80', 'a/client -> a/other:80'])
  assert.match(renderFix(fix ?? none), /which also opens a\/client -> a\/friend:80, a\/client -> a\/other:80/)
})

test('nothing but an empty ALLOW policy: one for the destination is added', () => {
  const fix = fixOf(call('client'), policy('allow-nothing', '{}'))
  assert.equal(fix?.edits[0]?.object, 'AuthorizationPolicy/a/allow-server')
  assert.match(fix?.edits[0]?.says ?? '', /^add an ALLOW policy that selects a\/server, with the rule: /)
  // Selected by what stands in the manifest: a controller's labels change with the next template.
  assert.deepEqual(JSON.parse(fix?.edits[0]?.value ?? '{}').spec.selector, { matchLabels: { app: 'server' } })
  assert.deepEqual(fix?.alsoOpens, [])
})

test('a DENY rule: the caller is excepted', () => {
  const deny = '{ selector: { matchLabels: { app: server } }, action: DENY, rules: [{}] }'
  const fix = fixOf(call('client'), policy('d', deny))
  assert.deepEqual(
    fix?.edits.map(({ says }) => says),
    ['add "cluster.local/ns/a/sa/client" to notPrincipals of rule 0'],
  )
})

test('a DENY rule by service account: the exception is of that kind too, since the two do not go together', () => {
  const deny = (accounts: string) =>
    `{ selector: { matchLabels: { app: server } }, action: DENY, rules: [{ from: [{ source: { serviceAccounts: ${accounts} } }] }] }`
  const fix = fixOf(call('client'), policy('d', deny('[client, friend]')))
  assert.deepEqual(
    fix?.edits.map(({ says, field, value }) => ({ says, field, value })),
    [
      {
        says: 'add "a/client" to notServiceAccounts of rule 0, in each source',
        field: 'spec.rules[0].from[0].source.notServiceAccounts',
        value: '"a/client"',
      },
    ],
  )
  const pasted = deny('[client, friend], notServiceAccounts: ["a/client"]')
  assert.equal(judge(call('client'), compile(objects(policy('d', pasted)))).outcome, 'allow')
})

test('a namespace that is listed does not let the whole of another one in: one caller is smaller', () => {
  const solo = `apiVersion: v1\nkind: Namespace\nmetadata: { name: solo, labels: { istio.io/dataplane-mode: ambient } }\n---${workload('client').replaceAll('namespace: a', 'namespace: solo')}`
  const spec = friendOnly.replace('principals: ["cluster.local/ns/a/sa/friend"]', 'namespaces: [b]')
  const fix = fixOf({ ...call('client'), from: { workload: 'solo/client' } }, solo, policy('p', spec))
  assert.match(fix?.edits[0]?.says ?? '', /^add a rule: .*sa\/client/)
})

test('an address is only proposed for a caller that has nothing else: a pod has it for today', () => {
  const spec = friendOnly.replace('principals: ["cluster.local/ns/a/sa/friend"]', 'ipBlocks: [192.0.2.0/24]')
  const byPod = fixOf(call('client'), policy('p', spec))
  assert.match(byPod?.edits[0]?.says ?? '', /^add a rule: .*sa\/client/)
  const outside: Flow = { from: { external: '198.51.100.7' }, to: { workload: 'a/server' }, port: 80 }
  assert.equal(fixOf(outside, policy('p', spec))?.edits[0]?.says, 'add "198.51.100.7" to ipBlocks of rule 0')
})

test('in a set too large to ask of all its pairs, it is said that only the caller’s were asked', () => {
  const many = Array.from({ length: 150 }, (_, index) => workload(`w${index}`))
  const all = [...scene, ...many, policy('p', friendOnly)].join('---\n')
  const { resources } = parseManifests(all, 'a.yaml')
  const fix = smallestFix(call('client'), compile(resources))
  assert.equal(fix?.askedOnly, 'a/client')
  assert.match(renderFix(fix ?? none), /which opens no other flow of a\/client \(the set is too large to ask of all\)/)
  assert.equal(fixOf(call('client'), policy('p', friendOnly))?.askedOnly, undefined)
})

test('two walls, two changes, in the order of the way: into the mesh, then into the rule', () => {
  const fix = fixOf(call('outsider'), strict, policy('p', friendOnly))
  assert.deepEqual(
    fix?.edits.map(({ object }) => object),
    ['Deployment/a/outsider', 'AuthorizationPolicy/a/p'],
  )
  const [first = '', label = '', second = '', , third = ''] = renderFix(fix ?? none).split('\n')
  assert.equal(label.trim(), 'spec.template.metadata.labels: + istio.io/dataplane-mode: ambient')
  assert.match(first, /^to allow it: in Deployment\/a\/outsider \(a\.yaml:\d+\), put the caller into the mesh/)
  assert.match(second, /^ {8}and: in AuthorizationPolicy\/a\/p/)
  assert.match(third, /^ {13}which also opens a\/outsider -> a\/client:80, /)
})

test('a caller without an identity that only an ALLOW policy stops: first an identity, then the rule', () => {
  const fix = fixOf(call('outsider'), policy('p', friendOnly))
  assert.deepEqual(
    fix?.edits.map(({ object }) => object),
    ['Deployment/a/outsider', 'AuthorizationPolicy/a/p'],
  )
})

test('what is proposed works: pasted into the manifests, the flow is allowed', () => {
  const before = policy('p', friendOnly)
  const fix = fixOf(call('client'), before)
  const pasted = before.replace('/sa/friend"', `/sa/friend", ${fix?.edits[0]?.value}`)
  assert.notEqual(pasted, before)
  assert.equal(judge(call('client'), compile(objects(before))).outcome, 'deny')
  assert.equal(judge(call('client'), compile(objects(pasted))).outcome, 'allow')
})

test('what no policy decides has no fix: nothing listens, a forged certificate', () => {
  assert.equal(fixOf(call('friend', 9), policy('p', '{ rules: [{}] }')), undefined)
  assert.equal(fixOf({ ...call('friend'), certificate: 'self-signed' }, policy('p', friendOnly)), undefined)
})

test('a selector that misses its pod by one letter is mended, and nothing is added', () => {
  const missing = friendOnly.replace('app: server', 'app: sever')
  const fix = fixOf(call('friend'), policy('allow-nothing', '{}'), policy('p', missing))
  assert.deepEqual(
    fix?.edits.map(({ object, says, field, value, beside }) => ({ object, says, field, value, beside })),
    [
      {
        object: 'AuthorizationPolicy/a/p',
        says: 'let the selector, which selects no pod, select a/server: app is "server" there, not "sever"',
        field: 'spec.selector.matchLabels',
        value: 'app: server',
        beside: undefined,
      },
    ],
  )
  assert.match(renderFix(fix ?? none), /^to allow it: in AuthorizationPolicy\/a\/p \(a\.yaml:\d+\), let the selector/)
  assert.equal(
    judge(call('friend'), compile(objects(policy('allow-nothing', '{}'), policy('p', friendOnly)))).outcome,
    'allow',
  )
  // What was meant comes before what opens less: this one lets two more callers in than a policy for friend alone.
  const wide = missing.replace('["cluster.local/ns/a/sa/friend"]', '["cluster.local/ns/a/sa/*"]')
  const meant = fixOf(call('friend'), policy('allow-nothing', '{}'), policy('p', wide))
  assert.equal(meant?.edits[0]?.object, 'AuthorizationPolicy/a/p')
  assert.deepEqual(meant?.alsoOpens, ['a/client -> a/server:80', 'a/other -> a/server:80'])
  // Two labels that are other ones are no slip.
  const twice = fixOf(
    call('friend'),
    policy('allow-nothing', '{}'),
    policy('p', friendOnly.replace('app: server', 'app: sever, pod-template-hash: none')),
  )
  assert.equal(twice?.edits[0]?.object, 'AuthorizationPolicy/a/allow-server')
  // One that selects another pod is meant for that one.
  const other = fixOf(
    call('friend'),
    policy('allow-nothing', '{}'),
    policy('p', friendOnly.replace('app: server', 'app: other')),
  )
  assert.equal(other?.edits[0]?.object, 'AuthorizationPolicy/a/allow-server')
})

test('a new object is said to be one, with the place of the object that it could stand beside', () => {
  const text = renderFix(fixOf(call('client'), policy('allow-nothing', '{}')) ?? none)
  assert.match(
    text,
    /^to allow it: add an ALLOW policy that selects a\/server, .*; a new object, AuthorizationPolicy\/a\/allow-server, for instance beside AuthorizationPolicy\/a\/allow-nothing \(a\.yaml:\d+\)\n {13}\+ \{"apiVersion"/,
  )
  assert.doesNotMatch(text, /in AuthorizationPolicy\/a\/allow-server/)
})

test('what opens for many callers is one word', () => {
  const flows = ['a', 'b', 'c', 'd'].map((name) => `x/${name} -> x/z:80`)
  const text = renderFix({ edits: [], alsoOpens: [...flows, 'x/a -> x/y:80'] })
  assert.match(text, /which also opens 4 other callers -> x\/z:80, x\/a -> x\/y:80\n/)
})
