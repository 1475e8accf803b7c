import type { AdmissionStep } from '../admission/types.js'
import type { ReasonCode } from '../reasons.js'
import { cut, fact } from './fact.js'

/** What the sentences of admission read of a step. A flow's steps have none of these reasons. */
type Said = Partial<Pick<AdmissionStep, 'policy' | 'message' | 'exception' | 'facts'>> & {
  readonly rule?: string | number
}

type AdmissionCode = Extract<ReasonCode, `admission.${string}`>

/** `ValidatingPolicy/disallow-root-user`, `rule check-runasnonroot of ClusterPolicy/disallow-root-user`. */
function whose({ policy = 'a policy', rule }: Said): string {
  return rule === undefined ? policy : `rule ${rule} of ${policy}`
}

/** Messages are the policy's to choose, and may fill pages. */
const says = ({ message }: Said): string => (message === undefined ? '' : `: ${cut(message)}`)
/** Why, in a few words, where there is more to say. */
const why = (said: Said): string => (said.facts?.why === undefined ? '' : `: ${fact(said, 'why')}`)

/** What policies say of an object that is to be created or changed. */
export const admission: Readonly<Record<AdmissionCode, (said: Said) => string>> = {
  'admission.allowed': (said) => `${whose(said)} has nothing against it`,
  'admission.denied': (said) => `${whose(said)} refuses it${says(said)}`,
  'admission.warned': (said) => `${whose(said)} warns, and lets it in${says(said)}`,
  'admission.audited': (said) => `${whose(said)} reports it, and lets it in${says(said)}`,
  'admission.not-matched': (said) => `${whose(said)} is not about it${why(said)}`,
  'admission.excepted': (said) =>
    `${said.exception?.policy ?? 'an exception'} takes it out of ${whose(said)}${why(said)}`,
  'admission.failed': (said) => `${whose(said)} could not be evaluated${says(said)}`,
  'admission.mutated': (said) => `${whose(said)} changes it${why(said)}`,
  'admission.generated': (said) => `${whose(said)} makes ${fact(said, 'makes')}`,
}

/** One policy's word as a sentence, without the file and line: those stand beside it. */
export function admissionSentence(step: AdmissionStep): string {
  if (step.code === 'not-modelled') return `${fact(step, 'what')} is not modelled, so this cannot be said`
  const sentence: ((said: Said) => string) | undefined = admission[step.code as AdmissionCode]
  return sentence === undefined ? step.code : sentence(step)
}
