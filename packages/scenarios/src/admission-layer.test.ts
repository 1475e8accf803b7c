import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Resource } from '@bulkhead/resources'
import { changedResource } from '@bulkhead/resources/made'
import {
  ask,
  badOf,
  goodOf,
  type Plain,
  policiesWith,
  policyNames,
  refusedBy,
  stepsOf,
  told,
} from './testing/admission-layer.js'
import { resources } from './testing/repository.js'

/*
 * 10-admission, policy by policy: what it is to let in and what it is to refuse lies beside each.
 */

/** What the API server takes only together: who asks for the one is refused by the other's policy too. */
const together: Readonly<Record<string, readonly string[]>> = {
  'Pod/sandbox/privileged': ['disallow-privilege-escalation'],
  'Pod/sandbox/privileged-init-container': ['disallow-privilege-escalation'],
  'Pod/sandbox/host-process': ['disallow-host-access'],
  'Pod/sandbox/host-process-for-all': ['disallow-host-access'],
}

const layerObjects = resources.filter(({ layer }) => layer === '10-admission')
const idOf = (policy: string): string => `ValidatingPolicy/${policy}`
const policyOf = (policy: string): Resource =>
  layerObjects.find(({ id }) => id === idOf(policy)) ?? assert.fail(`no ${idOf(policy)}`)

interface Spec {
  readonly spec: Plain & { readonly validations: readonly Plain[]; readonly matchConditions?: readonly Plain[] }
}
const specOf = (policy: Resource): Spec['spec'] => (policy.object as typeof policy.object & Spec).spec
const withSpec = (policy: Resource, spec: Spec['spec']): Resource =>
  changedResource(policy, { ...policy.object, spec } as typeof policy.object & Spec)

describe('the layer 10-admission', () => {
  it('holds a policy for each folder, exceptions, and the one role that Kyverno needs for it', () => {
    const ofKind = (kind: string) => layerObjects.filter((one) => one.kind === kind)
    assert.deepEqual(
      ofKind('ValidatingPolicy')
        .map(({ name }) => name)
        .sort(),
      policyNames,
    )
    assert.equal(ofKind('ClusterRole').length, 1)
    const exceptions = ofKind('PolicyException')
    for (const { id, namespace } of exceptions) assert.equal(namespace, 'kyverno', id)
    assert.equal(layerObjects.length, policyNames.length + 1 + exceptions.length)
  })

  it('refuses, and does not only warn; whatever cannot be decided is refused', () => {
    for (const { id, object } of layerObjects.filter(({ kind }) => kind === 'ValidatingPolicy')) {
      const { spec } = object as typeof object & Spec
      assert.deepEqual([spec.validationActions, spec.failurePolicy ?? 'Fail'], [['Deny'], 'Fail'], id)
    }
  })

  it('has nothing in it that is not modelled here', () => assert.deepEqual(policiesWith().notModelled, []))
})

for (const policy of policyNames) {
  const [good, bad] = [await goodOf(policy), await badOf(policy)]
  const policies = policiesWith(good)

  describe(policy, () => {
    it('lets in what is good, and so do all others', () => {
      assert.ok(good.length > 0)
      for (const object of good) {
        const admission = ask(object, policies)
        assert.deepEqual(refusedBy(admission), [], `${object.id}: ${told(admission)}`)
      }
    })

    for (const object of bad) {
      it(`refuses ${object.id}, and no other does`, () => {
        const admission = ask(object, policies)
        assert.deepEqual(refusedBy(admission), [policy, ...(together[object.id] ?? [])].sort(), told(admission))
        const step = stepsOf(admission).find(({ policy: by, outcome }) => by === idOf(policy) && outcome === 'deny')
        // Kyverno's own words where an expression fails say nothing of what to do.
        assert.equal(step?.code, 'admission.denied', told(admission))
        assert.match(step?.message ?? '', /: .*\b(set|take|use|give|leave|mount|create|pin|say|pods may)\b/)
        assert.ok(admission.refusal?.message.includes(step?.message ?? '?'), admission.refusal?.message)
      })
    }

    for (const [index, { expression }] of specOf(policyOf(policy)).validations.entries()) {
      it(`needs its validation ${index}: without it something bad is let in`, () => {
        const rest = specOf(policyOf(policy)).validations.filter((_, at) => at !== index)
        const validations = rest.length > 0 ? rest : [{ expression: 'true', message: 'whatever comes' }]
        const weaker = policiesWith(good, (resource) =>
          resource.id === idOf(policy) ? withSpec(resource, { ...specOf(resource), validations }) : resource,
        )
        const through = bad.filter((object) => !refusedBy(ask(object, weaker)).includes(policy))
        assert.ok(through.length > 0, String(expression))
      })
    }
  })
}
