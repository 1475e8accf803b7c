import { kitErrors } from '@bulkhead/service-kit'
import { z } from 'zod'
import { cookieName } from '../auth/sessions/cookie.js'
import { managerErrors } from '../http/errors.js'
import type { Route } from '../http/route.js'
import { API_VERSION } from '../version/version.js'
import { refusalsOf } from './refusals.js'
import { servicePaths } from './service-paths.js'

type Json = { readonly [key: string]: unknown }

/** What a tag is about, in the order that the document has them in. */
const tags: Readonly<Record<string, string>> = {
  auth: 'Logging in',
  users: 'Who may log in, and as what',
  roles: 'What may be done, by name',
  permissions: 'What there is to be granted',
  strategies: 'Which pods are scheduled how',
  intents: 'What that means for each pod',
  nodes: 'The nodes, and the processes of their pods',
  schedulers: 'The schedulers of the nodes, and what they say of themselves',
  audit: 'Who did what',
  service: 'The service itself',
}

/**
 * The OpenAPI 3.1 document of these routes, made of the schemas that requests are held against. What any HTTP server may
 * answer to bytes that are no proper request (400, 408, 414, 417, 431), and 500, is the `default` of every operation.
 */
export function openApiDocument(routes: readonly Route[]): Json {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    paths[route.path] ??= {}
    ;(paths[route.path] as Record<string, unknown>)[route.method.toLowerCase()] = operationOf(route)
  }
  const used = new Set(['service', ...routes.map(({ tag }) => tag)])
  return {
    openapi: '3.1.0',
    info: {
      title: 'Bulkhead manager API',
      version: API_VERSION,
      summary: 'Users, roles, scheduling strategies and their intents',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: [...used].map((name) => ({ name, ...(tags[name] === undefined ? {} : { description: tags[name] }) })),
    paths: { ...paths, ...servicePaths },
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        cookie: {
          type: 'apiKey',
          in: 'cookie',
          name: cookieName(false),
          description: `Of POST /api/v1/auth/session, for browsers; \`${cookieName(true)}\` where the service is asked by https. With an Authorization header it counts for nothing.`,
        },
        csrf: {
          type: 'apiKey',
          in: 'header',
          name: 'X-CSRF-Token',
          description: 'The csrfToken of the session: with the cookie, for what changes something.',
        },
        scheduler: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description:
            'An assertion of the scheduler of a node, signed with the schedulers’ key: iss gthulhu-scheduler, sub scheduler:<node>, aud manager.',
        },
      },
      schemas: { Error: errorSchema },
      headers: {
        RequestId: {
          description: "The request's id: the caller's X-Request-ID when it is well formed, else the service's",
          schema: { type: 'string' },
        },
      },
      responses: {
        Failure: {
          description: 'What any request may be answered',
          content: jsonOf({ $ref: '#/components/schemas/Error' }),
        },
      },
    },
  }
}

function operationOf(route: Route): Json {
  const { method, operationId, tag, summary, permission, body } = route
  const responses: Record<string, unknown> = { [String(route.status ?? 200)]: answerOf(route) }
  for (const [status, codes] of refusalsOf(route)) responses[String(status)] = refusalOf(status, codes)
  const parameters = parametersOf(route)
  return {
    operationId,
    tags: [tag],
    summary,
    ...(permission === 'none'
      ? { security: [] }
      : {
          security:
            permission === 'scheduler'
              ? [{ scheduler: [] }]
              : [{ token: [] }, method === 'GET' ? { cookie: [] } : { cookie: [], csrf: [] }],
          description: whoMay[permission] ?? `Needs the permission \`${permission}\`.`,
        }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: jsonOf(schemaOf(body, 'input')) } }),
    responses: { ...responses, default: { $ref: '#/components/responses/Failure' } },
  }
}

const whoMay: Readonly<Record<string, string>> = {
  token: 'For whoever is logged in.',
  scheduler: 'For the `scheduler` of this node alone: no user’s token is good for it.',
}

function parametersOf({ params, query, ifMatch, idempotent }: Route): Json[] {
  const found: Json[] = []
  for (const [where, schema] of [
    ['path', params],
    ['query', query],
  ] as const) {
    if (schema === undefined) continue
    const { properties = {}, required = [] } = schemaOf(schema, 'input') as {
      readonly properties?: Readonly<Record<string, Json>>
      readonly required?: readonly string[]
    }
    for (const [name, { description, ...rest }] of Object.entries(properties))
      found.push({
        name,
        in: where,
        ...(where === 'path' || required.includes(name) ? { required: true } : {}),
        ...(description === undefined ? {} : { description }),
        schema: rest,
      })
  }
  if (ifMatch)
    found.push({
      name: 'If-Match',
      in: 'header',
      description:
        'The ETag of what was read: refused with 409 when it has been changed since. Without it, or with `*`, whatever there is is changed.',
      schema: { type: 'string' },
      example: '"3"',
    })
  if (idempotent)
    found.push({
      name: 'Idempotency-Key',
      in: 'header',
      description:
        'Made up by the caller; a request that comes again with the same key within a day is answered as the first one was, and does nothing. What that says of `pushed` and `pending` is as of now: while the first one is under way little is pushed yet, and of what was deleted since nothing is either.',
      schema: { type: 'string', minLength: 1, maxLength: 128 },
    })
  return found
}

function answerOf({ answer, raw, ifMatch }: Route): Json {
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
  return {
    description: 'Done',
    headers: {
      'X-Request-Id': { $ref: '#/components/headers/RequestId' },
      ...(ifMatch ? { ETag: { description: 'The version, for If-Match', schema: { type: 'string' } } } : {}),
    },
    content: jsonOf(schema),
  }
}

const table: Readonly<Record<string, { readonly status: number; readonly message: string }>> = {
  ...kitErrors.table,
  ...managerErrors.table,
}

function refusalOf(status: number, codes: readonly string[]): Json {
  return {
    description: codes.map((code) => `\`${code}\`: ${table[code]?.message ?? ''}`).join('  \n'),
    headers: {
      'X-Request-Id': { $ref: '#/components/headers/RequestId' },
      ...(status === 429 || status === 503
        ? { 'Retry-After': { description: 'Seconds', schema: { type: 'string', pattern: '^\\d+$' } } }
        : {}),
    },
    content: jsonOf({
      allOf: [{ $ref: '#/components/schemas/Error' }, { properties: { code: { enum: codes } } }],
    }),
  }
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

const written = { input: new WeakMap<z.ZodType, Json>(), output: new WeakMap<z.ZodType, Json>() }

/** As zod writes it, without what every schema of an OpenAPI document is anyway; once for each schema, which never changes. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const known = written[io].get(schema)
  if (known !== undefined) return known
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' })
  written[io].set(schema, rest)
  return rest
}
