import type { ServerResponse } from 'node:http'

/** Nothing is loaded but this app's own style sheet and icon; nothing runs; nobody frames it; no form leads anywhere. */
export const CONTENT_SECURITY_POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const HEADERS: readonly (readonly [string, string])[] = [
  ['content-security-policy', CONTENT_SECURITY_POLICY],
  ['x-content-type-options', 'nosniff'],
  ['referrer-policy', 'no-referrer'],
  ['cross-origin-opener-policy', 'same-origin'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['permissions-policy', 'camera=(), geolocation=(), microphone=()'],
]

export function secure(response: ServerResponse, cacheControl: string): void {
  for (const [name, value] of HEADERS) response.setHeader(name, value)
  response.setHeader('cache-control', cacheControl)
}
