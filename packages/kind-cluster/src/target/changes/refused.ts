import type { Resource } from '@bulkhead/resources'
import type { Admitted, RefusedError } from '@bulkhead/scenarios'
import type { AdmissionStep } from '@bulkhead/verdict/admission'
import { refusalSightings } from '../../evidence/index.js'

/** What the API server said of one object that it did not take. */
export interface Refusal {
  readonly resource: Resource
  readonly stderr: string
}

/** Whether kubectl's words are a refusal by a policy, and no other failure. */
export const isRefusal = (stderr: string): boolean => refusalSightings(stderr, { at: '' }).length > 0

/**
 * The admission that the cluster answered with: its words, and the policies that they name. Nothing in it is the engine's.
 * @param find a policy among the objects in force, by id, for its layer and its line
 */
export function admittedFrom({ resource, stderr }: Refusal, find: (id: string) => Resource | undefined): Admitted {
  const sightings = refusalSightings(stderr, { object: resource.id, at: new Date().toISOString() })
  const steps = sightings.map(({ by, policy }): AdmissionStep => {
    const found = policy === undefined ? undefined : find(policy)
    return {
      engine: by === 'kyverno' ? 'kyverno' : policy?.startsWith('Namespace/') === true ? 'psa' : 'vap',
      does: 'validate',
      ...(found?.layer !== undefined && { layer: found.layer }),
      outcome: 'deny',
      code: 'admission.denied',
      ...(policy !== undefined && { policy }),
      ...(found !== undefined && { at: lineOf(found) }),
    }
  })
  const message = messageIn(stderr)
  return {
    outcome: 'deny',
    decidedBy: 0,
    steps,
    refusal: { status: message.startsWith('admission webhook') ? 400 : 403, reason: reasonIn(stderr), message },
    warnings: warningsIn(stderr),
    object: { id: resource.id },
  }
}

function lineOf(resource: Resource): string {
  const { file, line } = resource.position([])
  return `${file}:${line}`
}

/** The API server's words, without what kubectl puts before them. */
function messageIn(stderr: string): string {
  const text = withoutWarnings(stderr).trim()
  return text.replace(/^(?:Error from server(?: \([A-Za-z]+\))?|error): (?:error when [a-z]+ "[^"]*": )?/, '')
}

const reasonIn = (stderr: string): string => /^Error from server \(([A-Za-z]+)\)/m.exec(stderr)?.[1] ?? ''

const warningsIn = (stderr: string): readonly string[] =>
  stderr.split('\n').flatMap((line) => /^Warning: (.*)$/.exec(line)?.[1] ?? [])

const withoutWarnings = (stderr: string): string =>
  stderr
    .split('\n')
    .filter((line) => !line.startsWith('Warning: '))
    .join('\n')

export function refusedError(admissions: readonly Admitted[]): RefusedError {
  const words = admissions.flatMap(({ refusal, pod }) => refusal?.message ?? pod?.refusal?.message ?? [])
  const code = 'refused' as const
  return Object.assign(new Error(words.join('\n') || 'admission refuses it'), { code, admissions })
}
