import { SERVICE_NAME } from '../version/version.js'

const operation = (operationId: string, summary: string, responses: Readonly<Record<string, unknown>>) => ({
  get: { operationId, summary, security: [], responses },
})

const json = (description: string, schema: unknown) => ({ description, content: { 'application/json': { schema } } })
const string = { type: 'string' }

const readiness = {
  type: 'object',
  required: ['status', 'checks'],
  properties: {
    status: { enum: ['ready', 'not ready'] },
    reason: string,
    checks: { type: 'object', additionalProperties: { enum: ['ok', 'failed', 'timed out'] } },
  },
}

/** What the service answers beside its API: the paths that are not made of routes. */
export const servicePaths: Readonly<Record<string, unknown>> = {
  '/health': operation('getHealth', 'That the process answers, as clients of the original ask for it', {
    '200': json('It does', {
      type: 'object',
      required: ['status', 'timestamp', 'service'],
      properties: { status: { const: 'healthy' }, timestamp: string, service: { const: SERVICE_NAME } },
    }),
  }),
  '/livez': operation('getLive', 'Whether the process should be left running', {
    '200': json('It should', { type: 'object', required: ['status'], properties: { status: { const: 'alive' } } }),
  }),
  '/readyz': operation('getReady', 'Whether it can do its work: the processes of the node can be read', {
    '200': json('It can', readiness),
    '503': json('It cannot, and why', readiness),
  }),
  '/metrics': operation('getMetrics', 'Figures for Prometheus', {
    '200': { description: 'In the text format', content: { 'text/plain': { schema: string } } },
  }),
  '/openapi.json': operation('getOpenApi', 'This document', { '200': json('OpenAPI 3.1', { type: 'object' }) }),
}
