import { ClusterError, type ClusterErrorCode } from '@bulkhead/local-cluster'
import { ZodError } from 'zod'
import type { ErrorEnvelope } from '../api.js'
import { admissionTold } from './admission.js'

/** A request that cannot be answered as it is. */
export class RequestError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.name = 'RequestError'
    this.status = status
    this.code = code
  }
}

const statuses: Readonly<Record<ClusterErrorCode, number>> = {
  'already-up': 409,
  'state-dir': 500,
  'port-in-use': 500,
  'bad-manifests': 422,
  'unknown-image': 422,
  'bad-pod': 422,
  'not-ready': 504,
  refused: 403,
  'unknown-layer': 404,
  'unknown-workload': 404,
  'no-pods': 409,
  'unknown-change': 404,
  'no-program': 422,
  'bad-attempt': 422,
  'attempt-failed': 502,
  stopping: 503,
}

/** The one shape of a failure, and its status. */
export function envelope(error: unknown): { readonly status: number; readonly body: ErrorEnvelope } {
  const [status, code, message] = describe(error)
  const admissions =
    error instanceof ClusterError && code === 'refused' ? error.admissions.map(admissionTold) : undefined
  return { status, body: { error: { code, message, ...(admissions !== undefined && { admissions }) } } }
}

function describe(error: unknown): readonly [number, string, string] {
  if (error instanceof RequestError) return [error.status, error.code, error.message]
  if (error instanceof ClusterError) return [statuses[error.code], error.code, error.message]
  if (error instanceof ZodError) {
    const said = error.issues.map(
      ({ path, message }) => `${path.length === 0 ? 'the request' : path.join('.')}: ${message}`,
    )
    return [400, 'bad-request', `${said.join('; ')}.`]
  }
  if (!(error instanceof Error)) return [500, 'internal', String(error)]
  // A flow that names nothing real is the caller's to mend.
  if (error.name === 'FlowError') return [422, 'bad-flow', error.message]
  // body-parser's errors carry their status.
  if ('status' in error && typeof error.status === 'number' && error.status >= 400 && error.status < 500) {
    return [
      error.status,
      error.status === 413 ? 'too-large' : 'bad-request',
      `the request's body cannot be read: ${error.message}.`,
    ]
  }
  return [500, 'internal', error.message]
}
