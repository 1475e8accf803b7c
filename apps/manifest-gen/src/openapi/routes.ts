import type { ServerResponse } from 'node:http'
import { type ServiceOptions, secureData, send } from '@bulkhead/service-kit'
import { openApiDocument } from './document.js'

/** GET /openapi.json: made once. */
export function openApiRoutes(app: Parameters<ServiceOptions['routes']>[0]): void {
  const document = JSON.stringify(openApiDocument())
  app.get('/openapi.json', (_request: unknown, response: ServerResponse) => {
    secureData(response, 'no-cache')
    send(response, 200, 'application/json; charset=utf-8', document)
  })
}
