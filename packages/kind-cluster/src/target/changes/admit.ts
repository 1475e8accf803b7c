import type { Resource } from '@bulkhead/resources'
import type { Admitted } from '@bulkhead/scenarios'
import type { Admission } from '@bulkhead/verdict/admission'
import { admit, compileAdmission } from '@bulkhead/verdict/admission/lazy'
import type { Live } from '../live/index.js'
import { keyOf } from '../live/raw.js'

/** What the engine says of each object, in order, with those before it in force that were let in. */
export async function predictAdmissions(resources: readonly Resource[], live: Live): Promise<readonly Admitted[]> {
  let policies = await live.policies()
  let inForce = live.resources
  const said: Admitted[] = []
  for (const resource of resources) {
    const key = keyOf(resource.id, resource.object)
    const old = inForce.find(({ id, object }) => keyOf(id, object) === key)
    const admission = admit(
      old === undefined
        ? { operation: 'CREATE', object: resource }
        : { operation: 'UPDATE', object: resource, oldObject: old.object },
      policies,
    )
    said.push(toldOf(admission))
    if (admission.outcome !== 'allow') continue
    inForce = [...inForce.filter((one) => one !== old), admission.object]
    policies = await compileAdmission(inForce)
  }
  return said
}

function toldOf({ outcome, decidedBy, steps, refusal, warnings, object, pod }: Admission): Admitted {
  return {
    outcome,
    ...(decidedBy !== undefined && { decidedBy }),
    steps,
    ...(refusal !== undefined && { refusal }),
    warnings,
    object: { id: object.id },
    ...(pod !== undefined && { pod: toldOf(pod) }),
  }
}
