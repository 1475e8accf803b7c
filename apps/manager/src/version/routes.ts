import { z } from 'zod'
import { defineRoute, type Route } from '../http/route.js'
import { API_VERSION, SERVICE_NAME } from './version.js'

const answer = z.object({ message: z.string(), version: z.string(), endpoints: z.string() })

/** GET /version, as the contract has it: without the envelope, and for anybody. */
export const versionRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/version',
    operationId: 'getVersion',
    tag: 'service',
    summary: 'What this is, and which version of the API',
    permission: 'none',
    raw: true,
    answer,
    errors: [],
    handle: async () => ({
      data: { message: SERVICE_NAME, version: API_VERSION, endpoints: 'GET /openapi.json lists them' },
    }),
  }),
]
