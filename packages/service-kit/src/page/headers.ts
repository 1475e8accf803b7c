import type { ServerResponse } from 'node:http'

/** What is no page may do nothing at all, should somebody open it as one. */
export const DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
/** For what has its content's hash in its name. */
export const KEEP_FOREVER = 'public, max-age=31536000, immutable'

/** The headers of a page. @param policy its Content-Security-Policy: what it may load and do */
export function securePage(response: ServerResponse, policy: string): void {
  secureData(response, 'no-store', policy)
  response.setHeader('referrer-policy', 'no-referrer')
  response.setHeader('cross-origin-opener-policy', 'same-origin')
  response.setHeader('permissions-policy', 'camera=(), geolocation=(), microphone=()')
}

/** The headers of what a page refers to, or a program asks for. */
export function secureData(response: ServerResponse, cacheControl: string, policy = DATA_POLICY): void {
  response.setHeader('content-security-policy', policy)
  response.setHeader('x-content-type-options', 'nosniff')
  response.setHeader('cache-control', cacheControl)
}
