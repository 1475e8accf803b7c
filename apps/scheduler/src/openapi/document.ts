import { kitErrors } from '@bulkhead/service-kit'
import { z } from 'zod'
import { schedulerErrors } from '../http/errors.js'
import type { Route } from '../http/route.js'
import { API_VERSION } from '../version/version.js'
import { intentSetBody } from './intent-set.js'
import { servicePaths } from './service-paths.js'

type Json = { readonly [key: string]: unknown }

/** The OpenAPI 3.1 document of these routes, made of the schemas that requests are held against. */
export function openApiDocument(routes: readonly Route[]): Json {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes)
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(route) }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Bulkhead scheduler API',
      version: API_VERSION,
      summary: 'The intents of one node, and the processes that they mean',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths: { ...paths, ...servicePaths },
    components: {
      securitySchemes: {
        manager: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'An assertion that the manager has signed for this node',
        },
        'sched-ext': {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'A token of POST /api/v1/auth/token',
        },
      },
      schemas: { Error: errorSchema },
      responses: {
        Failure: {
          description: 'What any request may be answered',
          content: jsonOf({ $ref: '#/components/schemas/Error' }),
        },
      },
    },
  }
}

/** What a route may be refused with: what its kind brings along, and what it says of itself. */
export function refusalsOf({ caller, body, errors }: Route): ReadonlyMap<number, readonly string[]> {
  const codes = new Set<string>(errors)
  if (caller !== 'anybody')
    for (const code of ['AUTHORIZATION_MISSING', 'AUTHORIZATION_MALFORMED', 'TOKEN_INVALID', 'CALLER_REFUSED'])
      codes.add(code)
  if (body !== undefined)
    for (const code of ['INVALID_BODY', 'BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE']) codes.add(code)
  const byStatus = new Map<number, string[]>()
  for (const code of codes) {
    const status = table[code]?.status ?? 500
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return new Map([...byStatus].sort(([a], [b]) => a - b))
}

const table: Readonly<Record<string, { readonly status: number; readonly message: string }>> = {
  ...kitErrors.table,
  ...schedulerErrors.table,
}

function operationOf(route: Route): Json {
  const { operationId, summary, caller, body } = route
  const responses: Record<string, unknown> = { '200': answerOf(route) }
  for (const [status, codes] of refusalsOf(route))
    responses[String(status)] = {
      description: codes.map((code) => `\`${code}\`: ${table[code]?.message ?? ''}`).join('  \n'),
      content: jsonOf({ allOf: [{ $ref: '#/components/schemas/Error' }, { properties: { code: { enum: codes } } }] }),
    }
  return {
    operationId,
    summary,
    security: caller === 'anybody' ? [] : [{ [caller]: [] }],
    ...(body === undefined ? {} : { requestBody: { required: true, content: jsonOf(bodyOf(operationId, body)) } }),
    responses: { ...responses, default: { $ref: '#/components/responses/Failure' } },
  }
}

/** A set is read by hand, one intent after the other: its schema is said, and not asked. */
const bodyOf = (operationId: string, body: z.ZodType): Json =>
  schemaOf(operationId === 'putIntents' ? intentSetBody : body, 'input')

function answerOf({ answer, raw }: Route): Json {
  const data = answer === undefined ? undefined : schemaOf(answer, 'output')
  const schema = raw
    ? (data ?? {})
    : {
        type: 'object',
        required: ['success', ...(data === undefined ? [] : ['data']), 'timestamp'],
        properties: {
          success: { const: true },
          ...(data === undefined ? {} : { data }),
          timestamp: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$' },
        },
        additionalProperties: false,
      }
  return { description: 'Done', content: jsonOf(schema) }
}

const errorSchema: Json = {
  type: 'object',
  required: ['success', 'error', 'code', 'requestId'],
  properties: {
    success: { const: false },
    error: { type: 'string', description: 'For people' },
    code: { type: 'string', description: 'For programs' },
    requestId: { type: 'string' },
    fields: {
      type: 'array',
      description: 'What is wrong with which field',
      items: {
        type: 'object',
        required: ['field', 'message'],
        properties: { field: { type: 'string' }, message: { type: 'string' } },
        additionalProperties: false,
      },
    },
  },
  additionalProperties: false,
}

const jsonOf = (schema: unknown): Json => ({ 'application/json': { schema } })

/** As zod writes it, without what every schema of an OpenAPI document is anyway. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' })
  return rest
}
