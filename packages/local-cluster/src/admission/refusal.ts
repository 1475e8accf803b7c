import type { Resource } from '@bulkhead/resources'
import type { Admission, AdmissionStep, Operation } from '@bulkhead/verdict/admission'

/** What the API server does not let in, until it is mended. */
export interface Refusal {
  /** `Kind/namespace/name` */
  readonly id: string
  /** `file:line` of the object. */
  readonly at: string
  readonly operation: Operation
  /** `object`: it is not in force as it is written. `pods`: it is in force, and its controller may create no pod (FailedCreate). */
  readonly refused: 'object' | 'pods'
  /** What is in force instead: the object as it was. */
  readonly stays?: true
  /** `unknown`: a policy that may refuse it is not modelled. */
  readonly outcome: 'deny' | 'unknown'
  /** The API server's words. */
  readonly message: string
  /** What decided, and its `file:line`. */
  readonly policy?: string
  readonly policyAt?: string
  /** The field that it is about, and its `file:line:column`. */
  readonly path?: string
  readonly objectAt?: string
}

/** What stands in the way, of an object that is not admitted or whose pods are not. */
export function refusalOf(
  resource: Resource,
  admission: Admission,
  { operation, refused, stays }: Pick<Refusal, 'operation' | 'refused' | 'stays'>,
): Refusal {
  const { outcome, decidedBy } = admission
  const step = admission.steps[decidedBy ?? -1]
  const { file, line } = resource.position([])
  return {
    id: resource.id,
    at: `${file}:${line}`,
    operation,
    refused,
    ...(stays === true && { stays }),
    outcome: outcome === 'unknown' ? 'unknown' : 'deny',
    message: admission.refusal?.message ?? unknownWords(step),
    ...(step?.policy !== undefined && { policy: step.policy }),
    ...(step?.at !== undefined && { policyAt: step.at }),
    ...(step?.path !== undefined && { path: step.path }),
    ...(step?.objectAt !== undefined && { objectAt: step.objectAt }),
  }
}

const unknownWords = (step: AdmissionStep | undefined): string =>
  `what admission would say is not known here: ${step?.message ?? 'something of a policy is not modelled'}`

/** What kubectl puts before the API server's words, told from the object's file. */
const spoken = ({ operation, at, message }: Refusal): string => {
  const file = at.slice(0, at.lastIndexOf(':'))
  const verb = operation === 'CREATE' ? 'creating' : operation === 'DELETE' ? 'deleting' : 'applying'
  return `Error from server (Forbidden): error when ${verb} ${JSON.stringify(file)}: ${message}`
}

/** For people: the API server's words, then what said so, where, and what to do. One or more lines, without colour. */
export function refusalText(refusal: Refusal, change: 'each' | 'whole' = 'each'): string {
  const { id, at, refused, outcome, policy, policyAt, path, objectAt, message } = refusal
  const said = refused === 'pods' ? `Error creating: ${message}` : outcome === 'deny' ? spoken(refusal) : message
  const field = path === undefined ? '' : `${path} of `
  return [
    said,
    ...(policy === undefined ? [] : [`  by    ${policy}${policyAt === undefined ? '' : ` (${policyAt})`}`]),
    `  for   ${field}${refused === 'pods' ? 'the pods of ' : ''}${id} (${objectAt ?? at})`,
    `  ${change === 'whole' ? 'Nothing was changed' : stateOf(refusal)}. What to do: ${todoOf(refusal)}.`,
  ].join('\n')
}

function stateOf({ refused, stays }: Refusal): string {
  if (refused === 'pods') return 'It is there, and no new pod of it is started (FailedCreate)'
  return stays === true ? 'It stays as it was' : 'It is not there'
}

function todoOf({ operation, outcome, path, policy = '' }: Refusal): string {
  if (operation === 'DELETE') return 'put it back, or change the policy first'
  if (outcome === 'unknown') return 'write the policy without what is not modelled, or so that it does not match this'
  const mend = path === undefined ? 'mend the object' : 'mend the field'
  // Pod Security knows no exceptions but another level.
  return policy.startsWith('Namespace/')
    ? `${mend}; bulkhead admit -f FILE says whether that is enough`
    : `${mend}, or write a PolicyException that names this policy and no more than this`
}
