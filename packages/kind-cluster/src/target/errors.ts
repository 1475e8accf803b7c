/** Something that could not be done on the cluster. Its message says what, why and what to do. */
export class TargetError extends Error {
  override readonly name = 'TargetError'
  readonly code: TargetErrorCode

  constructor(code: TargetErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

export type TargetErrorCode =
  /** No cluster of ours is up. */
  | 'no-cluster'
  /** A command did not end with 0. */
  | 'kubectl'
  /** The scenario, or the command line, names something that is not there. */
  | 'bad-attempt'
  /** The program that makes an attempt ended without saying what it saw. */
  | 'attempt-failed'
  /** An attempt that cannot be made on a cluster at all, by anybody here: it is told and counted, and is no failure. */
  | 'not-makeable'
  /** Objects cannot be read, put in force or taken back. */
  | 'bad-change'
  | 'unknown-layer'
  /** It did not come about in time. */
  | 'not-in-force'

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
