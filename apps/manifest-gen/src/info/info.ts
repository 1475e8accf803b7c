import type { ServerResponse } from 'node:http'
import { sendJson } from '@bulkhead/service-kit'

export const NAME = 'manifest-gen'
export const VERSION = '0.1.0'

/** What this service is, for programs. */
export function serviceInfo(images: readonly string[]): (response: ServerResponse) => void {
  const info = {
    name: NAME,
    version: VERSION,
    summary: 'From a few words on a workload its hardened manifests',
    images,
    paths: { manifests: '/v1/manifests', openapi: '/openapi.json', health: '/health' },
  }
  return (response) => sendJson(response, 200, info)
}
