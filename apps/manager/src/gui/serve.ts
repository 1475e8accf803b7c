import type { ServerResponse } from 'node:http'
import { type ServiceOptions, send } from '@bulkhead/service-kit'
import { readAssets } from './assets.js'
import { renderPage } from './page.js'

const KEEP = 'public, max-age=31536000, immutable'
/** What is no page may do nothing at all, should somebody open it as one. */
const DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"

/** GET / and what it is made of. Paths that nobody has stay 404: where somebody is on the page is behind the `#`. */
export function serveGui(app: Parameters<ServiceOptions['routes']>[0]): void {
  const assets = readAssets()
  const { html, policy } = renderPage(assets)

  app.get('/', (_request: unknown, response: ServerResponse) => {
    secure(response, policy, 'no-store')
    response.setHeader('referrer-policy', 'same-origin')
    response.setHeader('cross-origin-opener-policy', 'same-origin')
    response.setHeader('permissions-policy', 'camera=(), geolocation=(), microphone=()')
    send(response, 200, 'text/html; charset=utf-8', html)
  })

  for (const { path, type, body } of assets.all)
    app.get(path, (_request: unknown, response: ServerResponse) => {
      secure(response, DATA_POLICY, KEEP)
      send(response, 200, type, body)
    })
}

function secure(response: ServerResponse, policy: string, cacheControl: string): void {
  response.setHeader('content-security-policy', policy)
  response.setHeader('x-content-type-options', 'nosniff')
  response.setHeader('cross-origin-resource-policy', 'same-origin')
  response.setHeader('cache-control', cacheControl)
}
