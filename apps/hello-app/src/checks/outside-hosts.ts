import type { Code } from './codes.js'
import type { OutsideOptions } from './outside.js'

/** The two hosts outside of the cluster, and what their answers mean. */
export const outsideHosts: readonly OutsideOptions[] = [
  { id: 'github', name: 'GitHub API', host: 'api.github.com', port: 443, path: '/', judge: github },
  {
    id: 'cloudflare',
    name: 'Cloudflare API',
    host: 'api.cloudflare.com',
    port: 443,
    path: '/client/v4/',
    judge: cloudflare,
  },
]

/** 403 and 429 are what callers without a key meet after 60 requests in an hour: it was reached. */
export function github(status: number): Code | undefined {
  if (status === 200) return 'connected'
  return status === 403 || status === 429 ? 'limited' : undefined
}

/** Without a key this path is no request that it knows, and its refusal is an answer. */
export function cloudflare(status: number): Code | undefined {
  return (status >= 200 && status < 300) || [400, 401, 403].includes(status) ? 'connected' : undefined
}
