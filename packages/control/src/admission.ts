import type { Resource } from '@bulkhead/resources'
import type { Admission } from '@bulkhead/verdict/admission'
import type { AdmissionTold, ObjectTold } from './api.js'

/** An admission as it was told, with resources in it again: every field of them is where the object begins. */
export function admissionOf({ object, generated, pod, ...rest }: AdmissionTold): Admission {
  return {
    ...rest,
    object: resourceTold(object),
    generated: generated.map(resourceTold),
    ...(pod !== undefined && { pod: admissionOf(pod) }),
  }
}

/** An object that was told, as a resource again: what is asked of its places is where it begins. */
export function resourceTold({ id, layer, object, at }: Pick<ObjectTold, 'id' | 'layer' | 'object' | 'at'>): Resource {
  const [, file = at, line = '1'] = /^(.*):(\d+)$/.exec(at) ?? []
  const { name, namespace } = object.metadata
  return {
    id,
    kind: object.kind,
    name,
    ...(namespace !== undefined && { namespace }),
    object,
    ...(layer !== undefined && { layer }),
    position: () => ({ file, line: Number(line), column: 1 }),
  }
}
