export interface FieldProblem {
  readonly field: string
  readonly message: string
}

/** Why a request came to nothing. */
export type Failure =
  /** Nobody answered. */
  | { readonly kind: 'network' }
  | { readonly kind: 'timeout'; readonly seconds: number }
  /** Something answered that is not the manager: a gateway, a proxy. */
  | { readonly kind: 'stranger'; readonly status: number }
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly code: string
      readonly message: string
      readonly fields: readonly FieldProblem[]
      readonly retryAfterS: number | undefined
      readonly requestId: string
    }

export class ApiError extends Error {
  readonly failure: Failure
  /** Whether it was to change something. */
  readonly unsafe: boolean

  constructor(failure: Failure, unsafe: boolean) {
    super(failure.kind === 'answer' ? failure.message : failure.kind)
    this.failure = failure
    this.unsafe = unsafe
  }

  is(code: string): boolean {
    return this.failure.kind === 'answer' && this.failure.code === code
  }

  get fields(): readonly FieldProblem[] {
    return this.failure.kind === 'answer' ? this.failure.fields : []
  }
}

/** What an answer that is no success says: the manager's envelope, or what somebody else has written. */
export function failureOf(status: number, body: unknown, retryAfter: string | null): Failure {
  if (typeof body !== 'object' || body === null || !('code' in body) || typeof body.code !== 'string')
    return { kind: 'stranger', status }
  const { error, fields, requestId } = body as { error?: unknown; fields?: unknown; requestId?: unknown }
  return {
    kind: 'answer',
    status,
    code: body.code,
    message: typeof error === 'string' ? error : '',
    fields: Array.isArray(fields) ? fields.filter(isProblem) : [],
    retryAfterS: retryAfter !== null && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : undefined,
    requestId: typeof requestId === 'string' ? requestId : '',
  }
}

const isProblem = (value: unknown): value is FieldProblem =>
  typeof value === 'object' &&
  value !== null &&
  'field' in value &&
  typeof value.field === 'string' &&
  'message' in value &&
  typeof value.message === 'string'

/** The error, whatever was thrown. */
export const errorOf = (thrown: unknown): ApiError =>
  thrown instanceof ApiError ? thrown : new ApiError({ kind: 'network' }, false)
