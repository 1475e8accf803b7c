import assert from 'node:assert/strict'
import { test } from 'node:test'
import { objects, podPolicy } from '../../../testing/cel-policies.js'
import { best } from '../../../testing/yardstick.js'
import { indexObjects } from '../../objects.js'
import { reviewOf } from '../../review.js'
import { celReviewers } from './index.js'

const containers =
  'object.spec.containers + object.spec.?initContainers.orValue([]) + object.spec.?ephemeralContainers.orValue([])'
const rules = [
  'variables.all.all(c, !c.?securityContext.?privileged.orValue(false))',
  "variables.all.all(c, c.?securityContext.?capabilities.?drop.orValue([]).exists(d, d == 'ALL'))",
  "variables.all.all(c, c.image.matches('^localhost/bulkhead/[a-z-]+:[0-9.]+$'))",
  "variables.all.all(c, quantity(c.resources.limits.memory).isLessThan(quantity('1Gi')))",
  "object.metadata.?labels.orValue({}).all(k, !k.startsWith('istio.io/'))",
]
const pod = `apiVersion: v1
kind: Pod
metadata: { name: p, namespace: shop, labels: { app: web, tier: front } }
spec:
  initContainers:
    - { name: i, image: 'localhost/bulkhead/probe:0.1.0', securityContext: { capabilities: { drop: [ALL] } }, resources: { limits: { memory: 64Mi } } }
  containers:
    - { name: a, image: 'localhost/bulkhead/chain-service:0.1.0', securityContext: { capabilities: { drop: [ALL] } }, resources: { limits: { memory: 64Mi } } }
    - { name: b, image: 'localhost/bulkhead/probe:0.1.0', securityContext: { capabilities: { drop: [ALL] } }, resources: { limits: { memory: 64Mi } } }
`

test('a pod against fifteen policies of five kinds: under 200 us on the machine that the bound is told for', (t) => {
  const policies = Array.from({ length: 15 }, (_, index) =>
    podPolicy(
      `policy-${index}`,
      `  variables: [{ name: all, expression: "${containers}" }]\n  validations: [{ expression: "${rules[index % rules.length]}", message: nope }]`,
    ),
  )
  const resources = objects(policies.join('---\n'))
  const reviewers = celReviewers(resources)
  const [object] = objects(pod)
  assert.ok(object)
  const index = indexObjects(resources)
  const ask = (): readonly string[] => {
    const review = reviewOf({ operation: 'CREATE', object }, index)
    return reviewers.flatMap((reviewer) => reviewer.review(review).steps.map(({ outcome }) => outcome))
  }
  assert.deepEqual(
    ask(),
    Array.from({ length: 15 }, () => 'allow'),
  )
  for (let warm = 0; warm < 500; warm++) ask()
  const calls = 50
  const each = best(15, () => {
    for (let call = 0; call < calls; call++) ask()
  })
  t.diagnostic(`${(each / calls).toFixed(0)} us`)
  assert.ok(each / calls < 200, `${(each / calls).toFixed(0)} us`)
})
