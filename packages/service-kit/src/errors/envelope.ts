import type { ServiceError } from './define-errors.js'

/** The one shape of every error answer. */
export interface ErrorEnvelope {
  readonly error: { readonly code: string; readonly message: string; readonly requestId: string }
}

export const ENVELOPE_TYPE = 'application/json; charset=utf-8'

export function envelope({ code, message }: Pick<ServiceError, 'code' | 'message'>, requestId: string): string {
  return JSON.stringify({ error: { code, message, requestId } } satisfies ErrorEnvelope)
}
