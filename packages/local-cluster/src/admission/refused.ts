import type { Resource } from '@bulkhead/resources'
import type { Admission, AdmissionStep } from '@bulkhead/verdict/admission'
import { kubectlAnswer, othersRefusing } from '@bulkhead/verdict/admission/lazy'
import type { Refusal } from './refusal.js'

/** What stands in the way, of an object that is not admitted or whose pods are not. */
export function refusalOf(
  resource: Resource,
  admission: Admission,
  { operation, refused, stays }: Pick<Refusal, 'operation' | 'refused' | 'stays'>,
): Refusal {
  const { outcome, decidedBy, refusal } = admission
  const step = admission.steps[decidedBy ?? -1]
  const others = othersRefusing(admission)
  const { file, line } = resource.position([])
  const message = refusal?.message ?? unknownWords(step)
  return {
    id: resource.id,
    at: `${file}:${line}`,
    operation,
    refused,
    ...(stays === true && { stays }),
    outcome: outcome === 'unknown' ? 'unknown' : 'deny',
    message,
    told:
      refusal === undefined
        ? message
        : refused === 'pods'
          ? eventOf(resource, admission, message)
          : kubectlAnswer(refusal, file, operation),
    ...(step?.policy !== undefined && { policy: step.policy }),
    ...(others > 0 && { others }),
    ...(step?.at !== undefined && { policyAt: step.at }),
    ...(step?.path !== undefined && { path: step.path }),
    ...(step?.objectAt !== undefined && { objectAt: step.objectAt }),
  }
}

function unknownWords(step: AdmissionStep | undefined): string {
  const what = step?.facts?.what
  const why = typeof what === 'string' ? `${what} is not modelled` : 'something of a policy is not modelled'
  return `what admission would say is not known here: ${step?.message ?? why}`
}

/** `FailedCreate`, in the words of that kind's controller. */
const eventOf = ({ kind, name }: Resource, { object }: Admission, message: string): string =>
  kind === 'StatefulSet'
    ? `create Pod ${object.name} in StatefulSet ${name} failed error: ${message}`
    : `Error creating: ${message}`
