import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ask, objectsOf, outcomes, podOf, reviewOf } from '../../../testing/cluster-policy.js'
import { best } from '../../../testing/yardstick.js'
import { clusterPolicyReviewers } from './index.js'

/*
 * The seed's own policy, and what it really checks (golden vectors 142 to 144, semantics E.3).
 */

const file = new URL('../../../../fixtures/admission/disallow-root-user.yaml', import.meta.url)
const policy = objectsOf(readFileSync(file, 'utf8'))

const nonRoot = { runAsNonRoot: true }
const root = { runAsNonRoot: false }
const container = (name: string, securityContext: object) => ({ name, image: 'nginx', securityContext })

const table: readonly (readonly [string, Readonly<Record<string, unknown>>, string])[] = [
  ['pod true, container unset', { securityContext: nonRoot }, 'allow'],
  ['pod true, container false', { securityContext: nonRoot, containers: [container('c', root)] }, 'deny'],
  ['pod unset, every container true', { containers: [container('c', nonRoot)] }, 'deny'],
  ['pod true, initContainer false', { securityContext: nonRoot, initContainers: [container('i', root)] }, 'allow'],
  [
    'pod true, ephemeral container false',
    { securityContext: nonRoot, ephemeralContainers: [container('e', root)] },
    'allow',
  ],
  ['pod true, runAsUser 0', { securityContext: nonRoot, containers: [container('c', { runAsUser: 0 })] }, 'allow'],
  ['nothing at all', {}, 'deny'],
]

for (const [what, spec, outcome] of table)
  test(`E.3: ${what}: ${outcome}`, () => {
    assert.deepEqual(outcomes(ask(policy, podOf(spec)).steps), [`${outcome} check-runasnonroot`])
  })

test('142: the message and the path are those of Kyverno', () => {
  const [step] = ask(policy, podOf()).steps
  assert.equal(
    step?.message,
    'validation error: Running as root is forbidden. Set securityContext.runAsNonRoot to true. rule check-runasnonroot failed at path /spec/securityContext/',
  )
  assert.deepEqual(
    [step?.path, step?.policy, step?.code, step?.at],
    ['/spec/securityContext', 'ClusterPolicy/disallow-root-user', 'admission.denied', 'policy.yaml:11'],
  )
})

test('a container of its own is at its place in the list', () => {
  const spec = { securityContext: nonRoot, containers: [container('a', nonRoot), container('b', root)] }
  const [step] = ask(policy, podOf(spec)).steps
  assert.equal(step?.path, '/spec/containers/1/securityContext/runAsNonRoot')
  assert.match(step?.message ?? '', /failed at path \/spec\/containers\/1\/securityContext\/runAsNonRoot\/$/)
})

const deployment = (spec: object) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd', namespace: 'sandbox' },
  spec: { template: { spec } },
})

test('144: a Deployment is asked by a rule that is made of it', () => {
  const [step, more] = ask(policy, deployment({ containers: [{ name: 'c' }] })).steps
  assert.deepEqual(
    [step?.outcome, step?.rule, step?.path, more],
    ['deny', 'autogen-check-runasnonroot', '/spec/template/spec/securityContext', undefined],
  )
  assert.deepEqual(outcomes(ask(policy, deployment({ securityContext: nonRoot, containers: [] })).steps), [
    'allow autogen-check-runasnonroot',
  ])
})

test('so is a CronJob, two templates deep', () => {
  const object = {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'j', namespace: 'sandbox' },
    spec: { jobTemplate: { spec: { template: { spec: {} } } } },
  }
  const [step] = ask(policy, object).steps
  assert.equal(step?.rule, 'autogen-cronjob-check-runasnonroot')
  assert.match(
    step?.message ?? '',
    /rule autogen-cronjob-check-runasnonroot failed at path \/spec\/jobTemplate\/spec\/template\/spec\//,
  )
})

test('the namespaces that are left out are left out', () => {
  const [step] = ask(policy, podOf({}, { namespace: 'istio-system' })).steps
  assert.deepEqual([step?.outcome, step?.code], ['not-applicable', 'admission.not-matched'])
})

test('one pod against it takes a small part of the 200 microseconds that all of admission has', () => {
  const [reviewer] = clusterPolicyReviewers(policy)
  const review = reviewOf(podOf({ securityContext: nonRoot }), policy)
  const each = best(50, () => {
    for (let count = 0; count < 100; count++) reviewer?.review(review)
  })
  assert.ok(each / 100 < 60, `${(each / 100).toFixed(1)} microseconds`)
})
