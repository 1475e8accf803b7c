import type { ServerResponse } from 'node:http'
import { type ServiceOptions, send } from '@bulkhead/service-kit'
import { toJson } from '../http/envelope.js'
import type { Route } from '../http/route.js'
import { openApiDocument } from './document.js'
import { apiPage } from './page.js'

/** Nothing of the page may be loaded from anywhere, run, framed or sent. */
const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** GET /openapi.json and /swagger/index.html: made once, of the routes that are served beside them. */
export function serveOpenApi(app: Parameters<ServiceOptions['routes']>[0], routes: readonly Route[]): void {
  const document = toJson(openApiDocument(routes))
  const page = apiPage(routes)
  const give =
    (type: string, body: string, headers: Readonly<Record<string, string>> = {}) =>
    (_request: unknown, response: ServerResponse): void => {
      response.setHeader('x-content-type-options', 'nosniff')
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
      send(response, 200, type, body)
    }
  app.get('/openapi.json', give('application/json', document))
  app.get(
    '/swagger/index.html',
    give('text/html; charset=utf-8', page, {
      'content-security-policy': PAGE_POLICY,
      'referrer-policy': 'no-referrer',
    }),
  )
}
