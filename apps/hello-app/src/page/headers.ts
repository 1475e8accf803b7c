import type { ServerResponse } from 'node:http'

/** Nothing is loaded but this app's own style sheet and icon; nothing runs; nobody frames it; no form leads anywhere. */
export const PAGE_POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
/** What is no page may do nothing at all, should somebody open it as one. */
export const DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"

export function securePage(response: ServerResponse): void {
  secureData(response, 'no-store', PAGE_POLICY)
  response.setHeader('referrer-policy', 'no-referrer')
  response.setHeader('cross-origin-opener-policy', 'same-origin')
  response.setHeader('permissions-policy', 'camera=(), geolocation=(), microphone=()')
}

export function secureData(response: ServerResponse, cacheControl: string, policy = DATA_POLICY): void {
  response.setHeader('content-security-policy', policy)
  response.setHeader('x-content-type-options', 'nosniff')
  response.setHeader('cache-control', cacheControl)
}
