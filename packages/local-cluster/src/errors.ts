import type { Admission } from '@bulkhead/verdict/admission'

/** Codes of what can go wrong at the local target; each has one sentence in a ClusterError. */
export type ClusterErrorCode =
  | 'already-up'
  | 'state-dir'
  | 'port-in-use'
  | 'bad-manifests'
  | 'unknown-image'
  | 'bad-pod'
  | 'not-ready'
  | 'refused'
  | 'unknown-layer'
  | 'unknown-workload'
  | 'no-pods'
  | 'unknown-change'
  | 'no-program'
  | 'bad-attempt'
  | 'attempt-failed'
  | 'stopping'

/** Something that the user can put right. The message is a whole sentence: what happened, to what, what to do. */
export class ClusterError extends Error {
  readonly code: ClusterErrorCode
  /** Of `refused`: what admission said of each object of the change, in the order in which it was asked. */
  readonly admissions: readonly Admission[]

  constructor(
    code: ClusterErrorCode,
    message: string,
    { admissions = [], ...options }: ErrorOptions & { readonly admissions?: readonly Admission[] } = {},
  ) {
    super(message, options)
    this.name = 'ClusterError'
    this.code = code
    this.admissions = admissions
  }
}

/** What is wrong with manifests is the user's to mend: the reader's sentence, as one of our errors. */
export async function badManifests<T>(read: () => T | Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw new ClusterError('bad-manifests', messageOf(error), { cause: error })
  }
}

/** The system's code of a failed call (`EACCES`, `ENOENT` ...), or the empty string. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
