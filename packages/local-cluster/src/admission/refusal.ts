import type { Operation } from '@bulkhead/verdict/admission'

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
  /** The same as kubectl prints it, or for pods as their controller's event says it. */
  readonly told: string
  /** What decided, and its `file:line`. */
  readonly policy?: string
  readonly policyAt?: string
  /** How many other policies refuse it as well. */
  readonly others?: number
  /** The field that it is about, and its `file:line:column`. */
  readonly path?: string
  readonly objectAt?: string
}

/**
 * For people: the API server's words, then what said so, where, and what to do. One or more lines, without colour.
 *
 * @param change `whole`: with this refusal none of its change is in force, as of one object that `apply` puts
 */
export function refusalText(refusal: Refusal, change: 'each' | 'whole' = 'each'): string {
  const { id, at, refused, policy, policyAt, others = 0, path, objectAt, told } = refusal
  const field = path === undefined ? '' : `${path} of `
  return [
    told,
    ...(policy === undefined
      ? []
      : [
          `  by    ${policy}${others === 0 ? '' : ` and ${others} more`}${policyAt === undefined ? '' : ` (${policyAt})`}`,
        ]),
    `  for   ${field}${refused === 'pods' ? 'the pods of ' : ''}${id} (${objectAt ?? at})`,
    `  ${stateOf(refusal, change)}. What to do: ${adviceOf(refusal)}.`,
  ].join('\n')
}

function stateOf({ refused, stays, operation }: Refusal, change: 'each' | 'whole'): string {
  if (change === 'whole') return operation === 'CREATE' ? 'It is not there' : 'It stays as it was'
  if (refused === 'pods') return 'It is there, and no new pod of it is started (FailedCreate)'
  return stays === true ? 'It stays as it was' : 'It is not there'
}

function adviceOf({ operation, outcome, path, policy = '', others = 0 }: Refusal): string {
  if (operation === 'DELETE') return 'put it back, or change the policy first'
  if (outcome === 'unknown') return 'write the policy without what is not modelled, or so that it does not match this'
  const mend = path === undefined ? 'mend the object' : 'mend the field'
  // Pod Security knows no exceptions but another level, and an exception from one of several policies lets nothing in.
  return policy.startsWith('Namespace/') || others > 0
    ? `${mend}; npx bulkhead admit -f FILE says whether that is enough`
    : `${mend}, or write a PolicyException that names this policy and no more than this`
}
