import type { AdmissionStep } from '@bulkhead/verdict/admission'
import type { View } from './result.js'
import type { Admitted, RefusedError } from './types.js'

/** What admission said of the objects of a change that it refused; undefined for every other error. */
export function refusedBy(error: unknown): readonly Admitted[] | undefined {
  return isRefused(error) ? error.admissions : undefined
}

function isRefused(error: unknown): error is RefusedError {
  return (
    error instanceof Error &&
    'code' in error &&
    error.code === 'refused' &&
    'admissions' in error &&
    Array.isArray(error.admissions)
  )
}

/**
 * The first of them that is not let in, as a view: of a workload that is let in, its pod. Undefined when all are. Of several
 * policies that refuse it, all those that the deciding gate asked are named: whoever mends one of them is not done.
 */
export function admissionView(admissions: readonly Admitted[]): View | undefined {
  for (const admission of admissions) {
    const refused = notLetIn(admission)
    if (refused !== undefined) return viewOf(refused)
  }
  return undefined
}

function notLetIn(admission: Admitted): Admitted | undefined {
  if (admission.outcome !== 'allow') return admission
  return admission.pod === undefined ? undefined : notLetIn(admission.pod)
}

function viewOf({ outcome, decidedBy, steps, refusal }: Admitted): View {
  const decides = decidedBy === undefined ? undefined : steps[decidedBy]
  const policies = steps
    .filter((step) => step.outcome === decides?.outcome && step.engine === decides.engine)
    .flatMap(({ policy, at, layer }) =>
      policy === undefined
        ? []
        : [{ policy, ...(at === undefined ? {} : { at }), ...(layer === undefined ? {} : { layer }) }],
    )
  return {
    outcome: outcome === 'unknown' ? 'unknown' : 'stopped',
    symptom: 'admission-refused',
    ...(decides === undefined
      ? {}
      : { reason: { code: decides.code, ...layerOf(decides), policies: distinct(policies) } }),
    ...(refusal === undefined ? {} : { message: refusal.message }),
  }
}

const layerOf = ({ layer }: AdmissionStep): { readonly layer?: string } => (layer === undefined ? {} : { layer })

/** A policy with several expressions, or rules, that refuse is one policy: its first line. */
function distinct<T extends { readonly policy: string }>(policies: readonly T[]): readonly T[] {
  const seen = new Set<string>()
  return policies.filter(({ policy }) => !seen.has(policy) && seen.add(policy))
}
