import type { RenderError } from '@bulkhead/service-kit'
import { InvalidDescription } from '../description/problems.js'

/** The envelope of every service here, and in it the fields where there are any. */
export const renderError: RenderError = (error, requestId) => ({
  type: 'application/json; charset=utf-8',
  body: JSON.stringify({
    error: {
      code: error.code,
      message: error.message,
      requestId,
      ...(error instanceof InvalidDescription && { fields: error.fields }),
    },
  }),
})
