import { MongoError } from '../errors.js'

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** What a client is told whose write could not be kept. */
export function refusal(path: string, cause: unknown): MongoError {
  const code = (cause as { readonly code?: unknown } | undefined)?.code
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new MongoError(
      'OutOfDiskSpace',
      `the disk is full: nothing more can be written to "${path}". What was acknowledged is kept, this write is not; make room and try again.`,
    )
  }
  return new MongoError(
    'FileStreamFailed',
    `"${path}" cannot be written (${messageOf(cause)}). What was acknowledged is kept; whether this write is, nobody can say. Look at the disk.`,
  )
}
