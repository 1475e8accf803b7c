import { kitErrors } from '@bulkhead/service-kit'
import { z } from 'zod'
import { descriptionSchema } from '../description/schema.js'
import { parts } from '../generate/objects.js'
import { VERSION } from '../info/info.js'
import { generatorErrors } from '../manifests/errors.js'
import { formats } from '../manifests/routes.js'

type Json = { readonly [key: string]: unknown }

const json = (schema: Json): Json => ({ 'application/json': { schema } })
const text = { type: 'string' } as const
const messages: Readonly<Record<string, { readonly message: string }>> = {
  ...kitErrors.table,
  ...generatorErrors.table,
}

const refusal = (code: string): Json => ({
  description: `\`${code}\`: ${messages[code]?.message ?? ''}`,
  content: json({ $ref: '#/components/schemas/Error' }),
})

const parameter = (name: string, values: readonly string[], description: string): Json => ({
  name,
  in: 'query',
  description,
  schema: { type: 'string', enum: values },
})

const healthy: Json = {
  get: {
    operationId: 'health',
    summary: 'Whether the process turns',
    responses: { 200: { description: 'Yes', content: json({ type: 'object' }) } },
  },
}

const probe = (operationId: string, summary: string): Json => ({
  get: { operationId, summary, responses: { 200: { description: 'Yes' }, default: { description: 'No' } } },
})

const errorSchema: Json = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message', 'requestId'],
      properties: {
        code: { ...text, description: 'For programs' },
        message: { ...text, description: 'For people' },
        requestId: text,
        fields: {
          type: 'array',
          description: 'What is wrong with which field',
          items: {
            type: 'object',
            required: ['field', 'message'],
            properties: { field: text, message: text },
            additionalProperties: false,
          },
        },
      },
      additionalProperties: false,
    },
  },
  additionalProperties: false,
}

const infoSchema: Json = {
  type: 'object',
  required: ['name', 'version', 'summary', 'images', 'paths'],
  properties: {
    name: { const: 'manifest-gen' },
    version: text,
    summary: text,
    images: { type: 'array', items: text, description: 'Repositories, or whole names, that may be run' },
    paths: { type: 'object', additionalProperties: text },
  },
  additionalProperties: false,
}

const listSchema: Json = {
  type: 'object',
  required: ['apiVersion', 'kind', 'items'],
  properties: {
    apiVersion: { const: 'v1' },
    kind: { const: 'List' },
    items: {
      type: 'array',
      items: {
        type: 'object',
        required: ['apiVersion', 'kind', 'metadata'],
        properties: { apiVersion: text, kind: text, metadata: { type: 'object' } },
      },
    },
  },
  additionalProperties: false,
}

/** The OpenAPI 3.1 document, made of the schema that descriptions are held against. */
export function openApiDocument(): Json {
  const { $schema: _, ...description } = z.toJSONSchema(descriptionSchema, { io: 'input', reused: 'inline' })
  return {
    openapi: '3.1.0',
    info: {
      title: 'Bulkhead manifest-gen',
      version: VERSION,
      summary: 'From a few words on a workload its hardened manifests',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [],
    paths: {
      '/': {
        get: {
          operationId: 'info',
          summary: 'What this service is; for browsers its page',
          responses: { 200: { description: 'Done', content: { ...json(infoSchema), 'text/html': { schema: text } } } },
        },
      },
      '/v1/manifests': {
        post: {
          operationId: 'manifests',
          summary: 'The manifests of a workload',
          parameters: [
            parameter('format', formats, 'Instead of what Accept says'),
            parameter('part', parts, 'Only what belongs to this folder of k8s'),
          ],
          requestBody: { required: true, content: json({ $ref: '#/components/schemas/Description' }) },
          responses: {
            200: {
              description: 'Done',
              content: { ...json(listSchema), 'application/yaml': { schema: text } },
            },
            400: refusal('MALFORMED_JSON'),
            413: refusal('BODY_TOO_LARGE'),
            415: refusal('UNSUPPORTED_MEDIA_TYPE'),
            422: refusal('INVALID_DESCRIPTION'),
            default: {
              description: 'What any request may be answered',
              content: json({ $ref: '#/components/schemas/Error' }),
            },
          },
        },
      },
      '/openapi.json': {
        get: {
          operationId: 'openapi',
          summary: 'This document',
          responses: { 200: { description: 'Done', content: json({ type: 'object' }) } },
        },
      },
      '/health': healthy,
      '/livez': probe('livez', 'Whether the process turns, for the kubelet'),
      '/readyz': probe('readyz', 'Whether it may have traffic'),
      '/metrics': {
        get: {
          operationId: 'metrics',
          summary: 'For Prometheus',
          responses: { 200: { description: 'Done', content: { 'text/plain': { schema: text } } } },
        },
      },
    },
    components: { schemas: { Description: description, Error: errorSchema } },
  }
}
