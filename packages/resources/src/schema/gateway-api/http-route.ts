import { quote } from '../../diagnostics.js'
import { durationMs } from '../../gateway-api.js'
import { type Fields, isObject, isSet } from '../../plain.js'
import { objectMeta } from '../metadata.js'
import type { At, Check } from '../schema.js'
import { integerOf, list, object, open, string } from '../schema.js'
import {
  apiGroupName,
  duration,
  headerName,
  hostname,
  kindName,
  namespaceName,
  objectName,
  parameterName,
  portNumber,
  sectionName,
} from './forms.js'
import { backendFields, checkServicePort, filters, method, prefixReplacements } from './http-filters.js'

/* gateway.networking.k8s.io HTTPRoute. Source: its CustomResourceDefinition and the rules in it. */

const parentRef = object(
  {
    group: apiGroupName,
    kind: kindName,
    namespace: namespaceName,
    name: objectName,
    sectionName,
    port: portNumber,
  },
  { required: ['name'] },
)

/** Two references to one parent must each name a section, and not the same one. */
const parents: Check<readonly unknown[]> = (refs, at) => {
  const seen = new Map<string, Set<unknown>>()
  for (const [index, ref] of refs.entries()) {
    // What has no name is refused for that.
    if (!isObject(ref) || typeof ref.name !== 'string') continue
    const { group = 'gateway.networking.k8s.io', kind = 'Gateway', namespace = '', name } = ref
    const key = JSON.stringify([group, kind, namespace, name])
    const sections = seen.get(key) ?? new Set()
    seen.set(key, sections)
    const section = ref.sectionName ?? ''
    if (sections.has(section)) {
      const what = section === '' ? quote(name) : `the section ${quote(section)} of ${quote(name)}`
      at.at(index).error('parent.repeated', `${what} is referred to twice`)
    } else if (sections.size > 0 && (section === '' || sections.has(''))) {
      at.at(index).error('parent.repeated', `of several references to ${quote(name)} each needs a sectionName`)
    }
    sections.add(section)
  }
}

const pathMatch = object(
  {
    type: string({ oneOf: ['Exact', 'PathPrefix', 'RegularExpression'] }),
    value: string({ maxLength: 1024 }),
  },
  {
    check: ({ type = 'PathPrefix', value = '/' }, at) => {
      if (typeof value !== 'string' || type === 'RegularExpression') return
      const mistake = pathMistake(value)
      if (mistake !== undefined) at.at('value').error('path.form', `the path ${quote(value)} ${mistake}`)
    },
  },
)

/** What no request's path looks like after it has been normalised could never match. */
function pathMistake(path: string): string | undefined {
  if (!path.startsWith('/')) return 'must begin with "/"'
  for (const part of ['//', '/./', '/../', '%2f', '%2F', '#']) if (path.includes(part)) return `must not hold "${part}"`
  for (const end of ['/..', '/.']) if (path.endsWith(end)) return `must not end with "${end}"`
  if (!/^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$/.test(path)) {
    const hint = path.includes('?') ? '; a query is matched by queryParams' : ''
    return `holds a character that a path does not have unescaped${hint}`
  }
  return undefined
}

const named = (name: typeof headerName, maxLength: number) =>
  list(
    object(
      {
        type: string({ oneOf: ['Exact', 'RegularExpression'] }),
        name,
        value: string({ minLength: 1, maxLength }),
      },
      { required: ['name', 'value'] },
    ),
    { maxItems: 16, unique: { field: 'name' } },
  )

const match = object({
  path: pathMatch,
  headers: named(headerName, 4096),
  queryParams: named(parameterName, 1024),
  method,
})

const backendRef = object(
  { ...backendFields, weight: integerOf({ min: 0, max: 1_000_000 }), filters },
  { required: ['name'], check: checkServicePort },
)

const timeouts = object(
  { request: duration, backendRequest: duration },
  {
    check: ({ request, backendRequest }, at) => {
      const [whole, one] = [request, backendRequest].map((text) =>
        typeof text === 'string' ? durationMs(text) : undefined,
      )
      // Zero switches the limit off.
      if (whole !== undefined && one !== undefined && whole !== 0 && one > whole)
        at.at('backendRequest').error(
          'timeouts.order',
          `${quote(backendRequest)} for one try is longer than ${quote(request)} for the whole request`,
        )
    },
  },
)

const rule = object(
  {
    name: sectionName,
    matches: list(match, { maxItems: 64 }),
    filters,
    backendRefs: list(backendRef, { maxItems: 16 }),
    timeouts,
  },
  { check: checkRule },
)

function checkRule({ matches, filters: own, backendRefs }: Fields, at: At): void {
  const backends: unknown[] = Array.isArray(backendRefs) ? backendRefs : []
  const redirects = Array.isArray(own) && own.some((one) => isObject(one) && isSet(one.requestRedirect))
  if (redirects && backends.length > 0)
    at.at('backendRefs').error('rule.redirect', 'a rule that redirects sends nothing on; take the backendRefs away')
  const replacing = [
    ...prefixReplacements(own, at.at('filters')),
    ...backends.flatMap((one, index) =>
      isObject(one) ? prefixReplacements(one.filters, at.at('backendRefs', index, 'filters')) : [],
    ),
  ]
  if (replacing.length === 0 || hasOnePrefix(matches)) return
  for (const place of replacing)
    place.error('rule.prefix', 'ReplacePrefixMatch needs a rule with exactly one match, and that by PathPrefix')
}

/** Without a match, and in a match without a path, the API server fills PathPrefix in. */
function hasOnePrefix(matches: unknown): boolean {
  if (!isSet(matches)) return true
  if (!Array.isArray(matches) || matches.length !== 1) return false
  const path: unknown = isObject(matches[0]) ? matches[0].path : undefined
  return !isObject(path) || (path.type ?? 'PathPrefix') === 'PathPrefix'
}

const MATCHES = 128

const checkRules: Check<readonly unknown[]> = (rules, at) => {
  const count = rules.reduce<number>((sum, one) => {
    const matches = isObject(one) ? one.matches : undefined
    return sum + (Array.isArray(matches) ? matches.length : 1)
  }, 0)
  if (count > MATCHES)
    at.error('rules.matches', `all rules together have ${count} matches, and at most ${MATCHES} are taken`)
}

const spec = object({
  parentRefs: list(parentRef, { maxItems: 32, check: parents }),
  hostnames: list(hostname, { maxItems: 16 }),
  rules: list(rule, { minItems: 1, maxItems: 16, check: checkRules }),
})

export const httpRoute = object(
  { apiVersion: string(), kind: string(), metadata: objectMeta, spec, status: open },
  { required: ['spec'] },
)
