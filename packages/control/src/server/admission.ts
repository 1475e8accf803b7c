import { withoutValues } from '@bulkhead/local-cluster'
import type { Resource } from '@bulkhead/resources'
import type { Admission } from '@bulkhead/verdict/admission'
import type { AdmissionTold, ObjectTold } from '../api.js'

/** As JSON can hold it. A policy may make a Secret of another one, so of Secrets only the keys are told. */
export const admissionTold = ({ object, generated, pod, ...rest }: Admission): AdmissionTold => ({
  ...rest,
  object: objectTold(object),
  generated: generated.map(objectTold),
  ...(pod !== undefined && { pod: admissionTold(pod) }),
})

function objectTold({ id, layer, object, position }: Resource): ObjectTold {
  const { file, line } = position([])
  return { id, ...(layer !== undefined && { layer }), object: withoutValues(object), at: `${file}:${line}` }
}
