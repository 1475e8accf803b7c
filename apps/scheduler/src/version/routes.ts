import { z } from 'zod'
import { toJson } from '../http/envelope.js'
import { defineRoute, type Route } from '../http/route.js'
import { API_VERSION, SERVICE_NAME } from './version.js'

export const versionRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/version',
    operationId: 'getVersion',
    summary: 'What this is, and which version of the API',
    caller: 'anybody',
    raw: true,
    answer: z.object({ message: z.string(), version: z.string(), endpoints: z.string() }),
    errors: [],
    handle: () => ({
      raw: toJson({ message: SERVICE_NAME, version: API_VERSION, endpoints: 'GET /openapi.json lists them' }),
    }),
  }),
]
