import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diffSnapshots } from '@bulkhead/analysis'
import { parseManifests } from '@bulkhead/resources'
import { compile, type Snapshot } from '@bulkhead/verdict'
import { effectText } from './effect.js'

const pods = ['one', 'two'].map(
  (name) => `apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: a, labels: { app: ${name} } }
spec:
  serviceAccountName: ${name}
  containers: [{ name: main, image: image, ports: [{ containerPort: 80 }] }]
`,
)
const namespace =
  'apiVersion: v1\nkind: Namespace\nmetadata: { name: a, labels: { istio.io/dataplane-mode: ambient } }\n'
const nothing = (kind: string, apiVersion: string, spec: string) =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: nothing, namespace: a }\nspec: ${spec}\n`
const network = nothing('NetworkPolicy', 'networking.k8s.io/v1', '{ podSelector: {}, policyTypes: [Egress] }')
const identity = nothing('AuthorizationPolicy', 'security.istio.io/v1', '{}')

function snapshotOf(...objects: readonly string[]): Snapshot {
  const { resources, diagnostics } = parseManifests([namespace, ...pods, ...objects].join('---\n'), 'a.yaml')
  assert.deepEqual(diagnostics, [])
  return compile(resources)
}
const effect = (before: Snapshot, after: Snapshot) => effectText(diffSnapshots(before, after))

test('what opens is told by who may call whom now, and why is left out', async () => {
  assert.equal(
    await effect(snapshotOf(identity), snapshotOf()),
    '4 flows opened, 0 closed\n+  a/one, outside → a/two:80 (pod)\n+  a/two, outside → a/one:80 (pod)',
  )
})

test('where one of two walls goes and the other stands, both places are told', async () => {
  const text = await effect(snapshotOf(network, identity), snapshotOf(identity))
  assert.match(text, /^2 flows opened, 0 closed; 2 flows decided elsewhere\n\+ {2}a\/one, a\/two → world:443\n/)
  assert.match(
    text,
    /\n~ {2}a\/one → a\/two:80 \(pod\)\n {4}now {5}no rule lists it\n {4}seen .*\n {4}before {2}no rule lets it out\n~ /,
  )
})
