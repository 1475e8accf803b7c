import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifests, type Resource } from '@bulkhead/resources'
import type { Admission, AdmissionStep } from '@bulkhead/verdict/admission'
import { ClusterError } from '../errors.js'
import { Audit } from './audit.js'

const text = 'apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: a, namespace: shop }\n'
const object: Resource = parseManifests(text, 'a.yaml').resources[0] ?? assert.fail()
const step = (outcome: AdmissionStep['outcome'], policy: string): AdmissionStep => ({
  engine: 'kyverno',
  does: 'validate',
  outcome,
  code: outcome === 'deny' ? 'admission.denied' : 'admission.allowed',
  policy,
})
const said = (...steps: readonly AdmissionStep[]): Admission => ({
  outcome: steps.some(({ outcome }) => outcome === 'deny') ? 'deny' : 'allow',
  steps,
  warnings: [],
  object,
  generated: [],
})
const refusing = (...admissions: readonly Admission[]) =>
  Promise.reject(new ClusterError('refused', 'no', { admissions }))

test('what admission refused is remembered with all that refused it, its pods’ too; the change still rejects', async () => {
  const audit = new Audit()
  const allowed = said(step('allow', 'ValidatingPolicy/a'))
  const denied = said(
    step('deny', 'ValidatingPolicy/a'),
    step('allow', 'ValidatingPolicy/b'),
    step('deny', 'ValidatingPolicy/c'),
  )
  await assert.rejects(audit.follow(refusing(allowed, denied)), { code: 'refused' })
  await assert.rejects(audit.follow(refusing({ ...allowed, pod: said(step('deny', 'Namespace/shop')) })), {
    code: 'refused',
  })
  assert.equal(await audit.follow(Promise.resolve('in force')), 'in force')
  await assert.rejects(audit.follow(Promise.reject(new ClusterError('bad-manifests', 'x'))), { code: 'bad-manifests' })
  assert.deepEqual(
    audit.refused.map(({ id, policies }) => [id, ...policies]),
    [
      ['ServiceAccount/shop/a', 'ValidatingPolicy/a', 'ValidatingPolicy/c'],
      ['ServiceAccount/shop/a', 'Namespace/shop'],
    ],
  )
})

test('of very many the latest are kept', async () => {
  const audit = new Audit()
  const many = Array.from({ length: 1001 }, (_, index) => said(step('deny', `ValidatingPolicy/p${index}`)))
  await assert.rejects(audit.follow(refusing(...many)))
  assert.equal(audit.refused.length, 1000)
  assert.deepEqual(
    [audit.refused[0]?.policies, audit.refused.at(-1)?.policies],
    [['ValidatingPolicy/p1'], ['ValidatingPolicy/p1000']],
  )
})
