import { type Fields, isObject, isSet } from '../../plain.js'
import type { At, Check, ObjectSchema } from '../schema.js'
import { boolean, integerOf, list, object, string } from '../schema.js'
import {
  apiGroupName,
  headerName,
  kindName,
  localObject,
  namespaceName,
  objectName,
  origin,
  portNumber,
  preciseHostname,
} from './forms.js'

/* The filters of an HTTPRoute, of a rule and of a backend alike. Source: HTTPRoute's CustomResourceDefinition and the rules in it. */

/** A reference to what takes requests: a Service, unless it is said otherwise. */
export const backendFields = {
  group: apiGroupName,
  kind: kindName,
  name: objectName,
  namespace: namespaceName,
  port: portNumber,
}

export const checkServicePort: Check<Fields> = ({ group = '', kind = 'Service', port }, at) => {
  if (group === '' && kind === 'Service' && !isSet(port))
    at.error('backend.port', 'a Service needs its port: the number of the Service, not the name')
}

const header = object(
  { name: headerName, value: string({ minLength: 1, maxLength: 4096 }) },
  { required: ['name', 'value'] },
)
const headers = list(header, { maxItems: 16, unique: { field: 'name' } })
const headerModifier = object({ set: headers, add: headers, remove: list(string(), { maxItems: 16, unique: 'whole' }) })

const pathModifier = object(
  {
    type: string({ oneOf: ['ReplaceFullPath', 'ReplacePrefixMatch'] }),
    replaceFullPath: string({ maxLength: 1024 }),
    replacePrefixMatch: string({ maxLength: 1024 }),
  },
  {
    required: ['type'],
    check: (fields, at) => {
      for (const [type, field] of [
        ['ReplaceFullPath', 'replaceFullPath'],
        ['ReplacePrefixMatch', 'replacePrefixMatch'],
      ] as const) {
        if (fields.type === type && !isSet(fields[field])) at.error('filter.path', `type ${type} needs ${field}`)
        if (typeof fields.type === 'string' && fields.type !== type && isSet(fields[field]))
          at.at(field).error('filter.path', `${field} goes with type ${type}, and this is ${fields.type}`)
      }
    },
  },
)

const alone =
  (what: string): Check<readonly unknown[]> =>
  (items, at) => {
    if (items.includes('*') && items.length > 1) at.error('filter.cors', `"*" stands alone, and here are other ${what}`)
  }

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']

export const method = string({ oneOf: METHODS })

const cors = object({
  allowOrigins: list(origin, { maxItems: 64, unique: 'whole', check: alone('origins') }),
  allowMethods: list(string({ oneOf: [...METHODS, '*'] }), { maxItems: 9, unique: 'whole', check: alone('methods') }),
  allowHeaders: list(headerName, { maxItems: 64, unique: 'whole', check: alone('headers') }),
  exposeHeaders: list(headerName, { maxItems: 64, unique: 'whole' }),
  allowCredentials: boolean,
  maxAge: integerOf({ min: 1 }),
})

const mirror = object(
  {
    backendRef: object(backendFields, { required: ['name'], check: checkServicePort }),
    percent: integerOf({ min: 0, max: 100 }),
    fraction: object(
      { numerator: integerOf({ min: 0 }), denominator: integerOf({ min: 1 }) },
      {
        required: ['numerator'],
        check: ({ numerator, denominator = 100 }, at) => {
          if (typeof numerator !== 'number' || typeof denominator !== 'number') return
          if (numerator > denominator) at.error('filter.mirror', `${numerator} of ${denominator} is more than all`)
        },
      },
    ),
  },
  {
    required: ['backendRef'],
    check: ({ percent, fraction }, at) => {
      if (isSet(percent) && isSet(fraction))
        at.error('filter.mirror', 'percent and fraction say the same thing twice; keep one')
    },
  },
)

const redirect = object({
  scheme: string({ oneOf: ['http', 'https'] }),
  hostname: preciseHostname,
  path: pathModifier,
  port: portNumber,
  statusCode: integerOf({ oneOf: [301, 302, 303, 307, 308] }),
})

/** What each type of filter is set in. */
const FIELDS = {
  RequestHeaderModifier: ['requestHeaderModifier', headerModifier],
  ResponseHeaderModifier: ['responseHeaderModifier', headerModifier],
  RequestMirror: ['requestMirror', mirror],
  RequestRedirect: ['requestRedirect', redirect],
  URLRewrite: ['urlRewrite', object({ hostname: preciseHostname, path: pathModifier })],
  ExtensionRef: ['extensionRef', localObject],
  CORS: ['cors', cors],
} as const satisfies Record<string, readonly [string, ObjectSchema]>

const filter = object(
  { type: string({ oneOf: Object.keys(FIELDS) }), ...Object.fromEntries(Object.values(FIELDS)) },
  {
    required: ['type'],
    check: (fields, at) => {
      const own = typeof fields.type === 'string' && Object.hasOwn(FIELDS, fields.type) ? fields.type : undefined
      if (own === undefined) return
      for (const [type, [field]] of Object.entries(FIELDS)) {
        if (type === own && !isSet(fields[field])) at.error('filter.type', `type ${type} needs ${field}`)
        if (type !== own && isSet(fields[field]))
          at.at(field).error('filter.type', `${field} goes with type ${type}, and this is ${own}`)
      }
    },
  },
)

/** Only these may be there more than once. */
const REPEATABLE = new Set(['RequestMirror', 'ExtensionRef'])

const combination: Check<readonly unknown[]> = (filters, at) => {
  const seen = new Set<string>()
  for (const [index, one] of filters.entries()) {
    const type = isObject(one) ? one.type : undefined
    if (typeof type !== 'string') continue
    if (seen.has(type) && !REPEATABLE.has(type) && Object.hasOwn(FIELDS, type))
      at.at(index).error('filter.repeated', `a second ${type}; one of a kind is taken, so put them together`)
    seen.add(type)
  }
  if (seen.has('RequestRedirect') && seen.has('URLRewrite'))
    at.error(
      'filter.combination',
      'RequestRedirect and URLRewrite do not go together: a request is answered or sent on',
    )
}

export const filters = list(filter, { maxItems: 16, check: combination })

/** The filters of these that replace a prefix, each with its place. */
export function prefixReplacements(written: unknown, at: At): At[] {
  if (!Array.isArray(written)) return []
  return written.flatMap((one: unknown, index) =>
    ['requestRedirect', 'urlRewrite'].flatMap((field) => {
      const body = isObject(one) ? one[field] : undefined
      const path = isObject(body) ? body.path : undefined
      const replaces = isObject(path) && path.type === 'ReplacePrefixMatch' && isSet(path.replacePrefixMatch)
      return replaces ? [at.at(index, field, 'path')] : []
    }),
  )
}
