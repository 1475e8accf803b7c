import type { RequestListener } from 'node:http'
import { contextOf, kitErrors, send } from '@bulkhead/service-kit'
import { API_TYPE, renderError, timestampOf, toJson } from '../http/envelope.js'
import { SERVICE_NAME } from './version.js'

/** GET /health as the contract has it: without the envelope, and the same whatever else is the matter. For that there are /livez and /readyz. */
export const health: RequestListener = (request, response) => {
  if (request.method === 'GET' || request.method === 'HEAD') {
    const body = { status: 'healthy', timestamp: timestampOf(Date.now()), service: SERVICE_NAME }
    send(response, 200, API_TYPE, toJson(body))
    return
  }
  const { type, body } = renderError(kitErrors.error('METHOD_NOT_ALLOWED'), contextOf(request).id)
  response.setHeader('allow', 'GET, HEAD')
  send(response, 405, type, body)
}
