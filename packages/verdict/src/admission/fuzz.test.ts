import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubernetesObject } from '@bulkhead/resources'
import fc from 'fast-check'
import { renderAdmission } from '../render/admission.js'
import { resource } from '../testing/objects.js'
import { admit } from './admit.js'
import { compileAdmission } from './compile.js'
import { type Level, labelOf } from './psa/labels.js'
import { objects } from './testing/read.js'

/*
 * Objects that no schema has looked at: whatever they hold, they are answered, with every path a place, and never changed.
 */

const policies = `apiVersion: policies.kyverno.io/v1
kind: MutatingPolicy
metadata: { name: label }
spec:
  failurePolicy: Ignore
  matchConstraints: { resourceRules: [{ apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"] }] }
  mutations:
    - patchType: ApplyConfiguration
      applyConfiguration: { expression: 'Object{metadata: Object.metadata{labels: {"a": "b"}}}' }
`

const words = ['securityContext', 'containers', 'template', 'spec', 'metadata', 'labels', 'ports', 'name', '__proto__']
const value = fc.letrec((tie) => ({
  any: fc.oneof({ maxDepth: 5 }, fc.jsonValue({ maxDepth: 1 }), tie('map'), fc.array(tie('any'), { maxLength: 3 })),
  map: fc.dictionary(fc.constantFrom(...words, 'privileged', 'volumes', 'capabilities', 'add'), tie('any'), {
    maxKeys: 5,
  }),
})).any

const kinds = ['v1/Pod', 'v1/Namespace', 'apps/v1/Deployment', 'batch/v1/CronJob', 'batch/v1/Job', 'x.io/v1/Odd']

test('any object is answered, and left as it was', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...kinds),
      value,
      fc.constantFrom<Level>('privileged', 'baseline', 'restricted'),
      fc.constantFrom('CREATE', 'UPDATE', 'DELETE'),
      (kind, spec, level, operation) => {
        const slash = kind.lastIndexOf('/')
        const namespace = resource({
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name: 'shop', labels: { [labelOf('enforce')]: level } },
        })
        const object: KubernetesObject & { readonly spec: unknown } = {
          apiVersion: kind.slice(0, slash),
          kind: kind.slice(slash + 1),
          metadata: { name: 'x', ...(kind === 'v1/Namespace' ? {} : { namespace: 'shop' }) },
          spec,
        }
        const before = JSON.stringify(object)
        const admission = admit(
          { operation, object: resource(object), ...(operation === 'UPDATE' && { oldObject: object }) },
          compileAdmission([namespace, ...objects(policies)]),
        )
        assert.equal(JSON.stringify(object), before)
        assert.match(renderAdmission(admission, { operation, object, file: 'x.yaml' }), /^\w+\//)
        for (const { path, objectAt } of admission.steps) assert.equal(path === undefined, objectAt === undefined)
      },
    ),
  )
})

test('an object of ten megabytes, and one as deep as manifests may be, are answered', () => {
  const containers = Array.from({ length: 20_000 }, (_, index) => ({ name: `c${index}`, image: 'i'.repeat(500) }))
  const namespace = resource({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop', labels: { [labelOf('enforce')]: 'restricted' } },
  })
  const compiled = compileAdmission([namespace, ...objects(policies)])
  const pod = (spec: unknown): KubernetesObject & { readonly spec: unknown } => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'x', namespace: 'shop' },
    spec,
  })
  const place = { file: 'x.yaml', line: 1, column: 1 }
  const ask = (object: KubernetesObject) =>
    admit({ operation: 'CREATE', object: { ...resource(pod({})), object, position: () => place } }, compiled)
  const large = ask(pod({ containers }))
  assert.equal(large.outcome, 'deny')
  assert.equal(large.steps.filter(({ outcome }) => outcome === 'deny').length, 4)
  // Steps name a few of the fields, however many there are.
  assert.ok(String(large.steps.find(({ facts }) => facts?.also !== undefined)?.facts?.also).length < 2000)
  let deep: unknown = {}
  for (let level = 0; level < 100; level++) deep = { a: [deep] }
  assert.equal(ask(pod({ containers: [], x: deep })).object.object.metadata.labels?.a, 'b')
})
