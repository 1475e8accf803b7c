import { compiledOf, policyOf } from './compiled.js'
import { podRequestOf } from './controlled.js'
import { generatingGate, kyvernoGate, mutatingGate, vapGate } from './gates.js'
import { podSecurity } from './psa/gate.js'
import { generatedBy, reviewOf } from './review.js'
import type { Admission, AdmissionPolicies, AdmissionRequest, Admit } from './types.js'

/**
 * What becomes of a request: the chain of semantics 0 and E, every gate asked, also behind one that refuses. Of a workload
 * also what becomes of the pod that its controller asks for then.
 */
export const admit: Admit = (request, policies) => {
  const admission = admitOne(request, policies)
  const ends = admission.outcome === 'deny' || request.operation === 'DELETE' || request.subResource !== undefined
  const pod = ends ? undefined : podRequestOf(admission.object)
  return pod === undefined ? admission : { ...admission, pod: admitOne(pod, policies) }
}

function admitOne(request: AdmissionRequest, policies: AdmissionPolicies): Admission {
  const { objects, podSecurity: defaults, mutating, validating, generating } = compiledOf(policies)
  const { word: changed, review } = mutatingGate(mutating, reviewOf(request, objects), policies.resources)
  const gates = [
    changed,
    podSecurity(review, { defaults, namespace: (name) => objects.namespaces.get(name), podsIn: objects.podsIn }),
    vapGate(validating, review),
    kyvernoGate(validating, review, policies.resources),
  ]
  const asked = gates.flatMap(({ steps }) => steps)
  const refusing = gates.findIndex(({ refusal }) => refusal !== undefined)
  const lets = !asked.some(({ outcome }) => outcome === 'deny' || outcome === 'unknown')
  const { steps: own, made } = lets ? generatingGate(generating, review) : { steps: [], made: [] }
  const steps = [...asked, ...own]
  const deny = steps.findIndex(({ outcome }) => outcome === 'deny')
  const decidedBy = deny === -1 ? steps.findIndex(({ outcome }) => outcome === 'unknown') : deny
  const { refusal } = gates[refusing] ?? {}
  const { object } = review.request
  return {
    outcome: deny !== -1 ? 'deny' : decidedBy !== -1 ? 'unknown' : 'allow',
    ...(decidedBy !== -1 && { decidedBy }),
    steps,
    ...(refusal !== undefined && { refusal }),
    // A gate behind the one that answers is not heard by whoever asked.
    warnings: (refusing === -1 ? gates : gates.slice(0, refusing + 1)).flatMap(({ warnings }) => warnings),
    object,
    generated: made.flatMap(({ policy, objects: ones, going }) =>
      ones.map((one) => ({
        ...generatedBy(policyOf(policies.resources, policy), one, object),
        ...(going.includes(one) && { goesWith: policy }),
      })),
    ),
  }
}
