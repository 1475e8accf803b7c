import type { Resource } from '@bulkhead/resources'
import { at } from '../../../model/kinds.js'
import type { AdmissionStep } from '../../types.js'

/* What the policies that change objects, and those that make others, say of a request. */

export type Word = Pick<AdmissionStep, 'outcome' | 'code'> & Partial<AdmissionStep>

/** A policy's step; where the word has no place of its own, the policy's. */
export function stepOf(
  policy: Resource,
  does: AdmissionStep['does'],
  { outcome, code, at: place, rule, ...word }: Word,
): AdmissionStep {
  const { layer, id } = policy
  return {
    engine: 'kyverno',
    does,
    ...(layer !== undefined && { layer }),
    outcome,
    code,
    policy: id,
    ...(rule !== undefined && { rule }),
    at: place ?? at(policy),
    ...word,
  }
}

export const notMatched = (why: string): Word => ({
  outcome: 'not-applicable',
  code: 'admission.not-matched',
  facts: { why },
})

export const unknown = (what: string, place?: string): Word => ({
  outcome: 'unknown',
  code: 'not-modelled',
  ...(place !== undefined && { at: place }),
  facts: { what },
})
