import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { z } from 'zod'
import { defineRoute } from '../http/route.js'
import { openApiDocument } from './document.js'
import { apiPage } from './page.js'
import { refusalsOf } from './refusals.js'

const route = defineRoute({
  method: 'PUT',
  path: '/api/v1/things/{id}',
  operationId: 'changeThing',
  tag: 'things',
  summary: 'Change <one> thing',
  permission: 'role.update',
  params: z.object({ id: z.string().regex(/^[0-9a-f]{24}$/) }),
  query: z.object({ limit: z.coerce.number().int().min(1).max(200).default(50) }),
  body: z.object({ name: z.string().min(1), count: z.number().int().optional() }),
  answer: z.object({ id: z.string() }),
  errors: ['ROLE_NOT_FOUND', 'NAME_TAKEN'],
  ifMatch: true,
  idempotent: true,
  handle: async () => ({ data: { id: '' } }),
})

test('the document is valid by the schema of OpenAPI 3.1; one with a mistake is not', async () => {
  const document = openApiDocument([route])
  assert.deepEqual(await new Validator().validate(structuredClone(document)), { valid: true })
  const { info: _, ...wrong } = structuredClone(document)
  assert.equal((await new Validator().validate(wrong)).valid, false)
})

interface Operation {
  readonly parameters: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly schema: object
  }[]
  readonly requestBody: { readonly content: { readonly 'application/json': { readonly schema: object } } }
  readonly responses: Readonly<Record<string, { readonly description: string }>>
  readonly security: readonly object[]
}

function operationOf(): Operation {
  const { paths } = openApiDocument([route]) as unknown as {
    readonly paths: Readonly<Record<string, { readonly put: Operation }>>
  }
  return (paths[route.path] as { put: Operation }).put
}

test("a route's schemas are its parameters and its body, as a caller has to write them", () => {
  const { parameters, requestBody, security } = operationOf()
  assert.deepEqual(
    parameters.map(({ name, in: where, required = false }) => [name, where, required]),
    [
      ['id', 'path', true],
      ['limit', 'query', false],
      ['If-Match', 'header', false],
      ['Idempotency-Key', 'header', false],
    ],
  )
  assert.deepEqual(parameters[1]?.schema, { type: 'integer', minimum: 1, maximum: 200, default: 50 })
  assert.deepEqual(requestBody.content['application/json'].schema, {
    type: 'object',
    required: ['name'],
    properties: {
      name: { type: 'string', minLength: 1 },
      count: { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
    },
  })
  assert.deepEqual(security, [{ token: [] }, { cookie: [], csrf: [] }])
})

test('what it may be refused with is what its kind brings along, and what it says itself', () => {
  assert.deepEqual(
    [...refusalsOf(route)].map(([status, codes]) => [status, codes.length]),
    [
      [400, 3],
      [401, 4],
      [403, 4],
      [404, 1],
      [409, 2],
      [413, 1],
      [415, 1],
      [422, 1],
      [503, 1],
    ],
  )
  const { responses } = operationOf()
  assert.deepEqual(Object.keys(responses), [
    '200',
    '400',
    '401',
    '403',
    '404',
    '409',
    '413',
    '415',
    '422',
    '503',
    'default',
  ])
  assert.match(responses['409']?.description ?? '', /`VERSION_CONFLICT`: It has been changed .*\n`NAME_TAKEN`: /)
  assert.deepEqual(
    [...refusalsOf({ ...route, raw: true, permission: 'none', errors: [], ifMatch: false, idempotent: false }).keys()],
    [400, 413, 415, 422],
  )
})

test('the page is of the same routes, and holds no markup of theirs and no scripts', () => {
  const page = apiPage([route])
  assert.match(page, /<h2>PUT \/api\/v1\/things\/\{id\}<\/h2>\n<p>Change &lt;one&gt; thing; needs role\.update\.<\/p>/)
  assert.doesNotMatch(page, /<script|<one>|https?:/)
})
