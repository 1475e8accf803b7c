import { type ServiceOptions, sendJson } from '@bulkhead/service-kit'

export const NAME = 'manifest-gen'
export const VERSION = '0.1.0'

/** GET /: what this is, for programs; for browsers the page. */
export function infoRoutes(app: Parameters<ServiceOptions['routes']>[0], images: readonly string[]): void {
  const info = {
    name: NAME,
    version: VERSION,
    summary: 'From a few words on a workload its hardened manifests',
    images,
    paths: { manifests: '/v1/manifests', openapi: '/openapi.json', health: '/health' },
  }
  app.get('/', (_request, response) => {
    response.setHeader('vary', 'accept')
    response.setHeader('cache-control', 'no-store')
    sendJson(response, 200, info)
  })
}
