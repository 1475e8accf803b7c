import { at } from '../../../../model/kinds.js'
import type { AdmissionStep } from '../../../types.js'
import type { Policy, Rule, RuleAnswer } from '../types.js'

type Head = Pick<AdmissionStep, 'engine' | 'does' | 'layer' | 'policy' | 'rule' | 'at'>

/** Whose word it is. */
export function stepOf(rule: Rule, policy: Policy, does: AdmissionStep['does']): Head {
  const { resource } = policy
  return {
    engine: 'kyverno',
    does,
    ...(resource.layer !== undefined && { layer: resource.layer }),
    policy: resource.id,
    rule: rule.name,
    at: at(resource, rule.path),
  }
}

/** @param why in a few words; a rule that does not match needs none */
export function notAsked(head: Head, why = ''): AdmissionStep {
  return {
    ...head,
    outcome: 'not-applicable',
    code: 'admission.not-matched',
    ...(why !== '' && { facts: { why } }),
  }
}

export function unknown(head: Head, what: string): AdmissionStep {
  return { ...head, outcome: 'unknown', code: 'not-modelled', facts: { what } }
}

/** What all kinds of rules say alike; undefined for what is theirs to word: pass, fail and error. */
export function said(head: Head, { status, message, exception }: RuleAnswer): AdmissionStep | undefined {
  switch (status) {
    case 'unknown':
      return unknown(head, message)
    case 'excepted':
      return {
        ...head,
        outcome: 'not-applicable',
        code: 'admission.excepted',
        ...(exception !== undefined && { exception: { policy: exception.policy, at: exception.at } }),
      }
    case 'none':
    case 'skip':
      return notAsked(head, message)
    default:
      return undefined
  }
}
