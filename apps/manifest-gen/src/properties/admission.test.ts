import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gatewayObjects } from '@bulkhead/verdict'
import { type Admission, admit, compileAdmission } from '@bulkhead/verdict/admission'
import fc from 'fast-check'
import { descriptions } from '../testing/arbitrary.js'
import { runs } from '../testing/asking.js'
import { admitting, k8s, made } from '../testing/k8s.js'

const istiod = {
  username: 'system:serviceaccount:istio-system:istiod',
  groups: ['system:serviceaccounts', 'system:serviceaccounts:istio-system', 'system:authenticated'],
}

/** What is said of a request, and of the pod that its controller would make, that is not "come in". */
function complaints(admission: Admission): readonly unknown[] {
  const { outcome, refusal, warnings, pod, steps } = admission
  const said = steps.filter((step) => !['allow', 'not-applicable'].includes(step.outcome))
  return [
    ...(outcome === 'allow' ? [] : [outcome, refusal]),
    ...warnings,
    ...said,
    ...(pod === undefined ? [] : complaints(pod)),
  ]
}

test('put into k8s, every object of a set is admitted, and its pods are, without a warning', () => {
  fc.assert(
    fc.property(descriptions, (raw) => {
      const { description, resources } = made(raw)
      const policies = compileAdmission([...k8s, ...admitting, ...resources])
      let pods = 0
      for (const object of resources) {
        const admission = admit({ operation: 'CREATE', object }, policies)
        assert.deepEqual(complaints(admission), [], `${object.id} of ${JSON.stringify(raw)}`)
        if (admission.pod !== undefined) pods++
      }
      assert.equal(pods, 1, 'the Deployment’s pod was asked for')
      // What istiod makes of its waypoint is asked for too, by istiod.
      const proxies = gatewayObjects([...k8s, ...resources]).filter(
        ({ name }) => name === `${description.name}-waypoint`,
      )
      assert.equal(proxies.length, description.waypoint?.own ? 3 : 0)
      const after = compileAdmission([...k8s, ...admitting, ...resources, ...proxies])
      for (const object of proxies) {
        const { outcome, refusal } = admit({ operation: 'CREATE', object, user: istiod }, after)
        assert.equal(outcome, 'allow', `${object.id}: ${refusal?.message}`)
      }
    }),
    { numRuns: runs / 2 },
  )
})

test('and what is not so is refused: the test can see it', () => {
  const raw = { name: 'worker-app', namespace: 'demo', image: 'localhost/bulkhead/other:0.1.0' }
  const { resources } = made(raw)
  const policies = compileAdmission([...k8s, ...admitting, ...resources])
  const denied = resources.filter((object) => admit({ operation: 'CREATE', object }, policies).outcome === 'deny')
  assert.deepEqual(
    denied.map(({ id }) => id),
    ['Deployment/demo/worker-app'],
  )
})
