import type { ServiceError } from './define-errors.js'

/** The one shape of every error answer. */
export interface ErrorEnvelope {
  readonly error: { readonly code: string; readonly message: string; readonly requestId: string }
}

export const ENVELOPE_TYPE = 'application/json; charset=utf-8'

export function envelope({ code, message }: Pick<ServiceError, 'code' | 'message'>, requestId: string): string {
  return JSON.stringify({ error: { code, message, requestId } } satisfies ErrorEnvelope)
}

/** How a failure looks in the body: the bytes and their Content-Type. Status and headers stay the error's own. */
export interface ErrorBody {
  readonly type: string
  readonly body: string
}

/** Writes a failure down. It never throws: nothing would be left to answer with. */
export type RenderError = (error: ServiceError, requestId: string) => ErrorBody

/** The envelope of every service that has none of its own. */
export const renderEnvelope: RenderError = (error, requestId) => ({
  type: ENVELOPE_TYPE,
  body: envelope(error, requestId),
})
