import { quote } from '../diagnostics.js'
import { didYouMean } from '../suggest.js'
import type { At, Check } from './schema.js'
import { checkAddress, checkNotEmpty, checkPort, checkServiceAccount, checkWildcard } from './values.js'

/*
 * The keys of `when`. Source: istio pkg/config/security, ValidateAttribute.
 */

const PLAIN: Readonly<Record<string, Check<string>>> = {
  'source.ip': checkAddress,
  'remote.ip': checkAddress,
  'source.namespace': checkNotEmpty,
  'source.serviceAccount': checkServiceAccount,
  'source.principal': checkNotEmpty,
  'source.trustDomain': checkWildcard,
  'request.auth.principal': checkNotEmpty,
  'request.auth.audiences': checkNotEmpty,
  'request.auth.presenter': checkNotEmpty,
  'destination.ip': checkAddress,
  'destination.port': checkPort,
  'connection.sni': checkNotEmpty,
}

/** These take a name in brackets: `request.headers[x-user]`. */
const BRACKETED = ['request.headers', 'request.auth.claims', 'experimental.envoy.filters.']

/** The keys that ztunnel judges; all others it cannot know (semantics: what ztunnel does with L7 attributes). */
export const L4_CONDITIONS: ReadonlySet<string> = new Set([
  'source.ip',
  'source.namespace',
  'source.principal',
  'destination.ip',
  'destination.port',
])

const GONE: Readonly<Record<string, string>> = {
  'destination.namespace': "the policy's own metadata.namespace says that",
  'destination.name': 'use a selector or targetRefs',
  'destination.user': 'use a selector or targetRefs',
}

export function checkCondition(condition: Readonly<Record<string, unknown>>, at: At): void {
  const { key } = condition
  if (typeof key !== 'string') return
  if (key === '') {
    at.at('key').error('value.empty', 'empty; name an attribute such as "source.namespace"')
    return
  }
  const values = [...textsOf(condition.values, 'values'), ...textsOf(condition.notValues, 'notValues')]
  if (values.length === 0) {
    at.error(
      'condition.no-values',
      `a condition on ${quote(key)} needs at least one of values and notValues; without one it says nothing`,
    )
  }
  const check = checkOf(key, at.at('key'))
  if (check !== undefined) for (const [path, value] of values) check(value, at.at(...path))
}

function checkOf(key: string, at: At): Check<string> | undefined {
  if (Object.hasOwn(PLAIN, key)) return PLAIN[key]
  const prefix = BRACKETED.find((candidate) => key.startsWith(candidate))
  if (prefix !== undefined) {
    const open = key.indexOf('[')
    if (key.endsWith(']') && open > 0 && open < key.length - 2) return checkNotEmpty
    at.error(
      'condition.key',
      `the key ${quote(key)} needs a name in brackets, such as ${prefix === 'request.headers' ? 'request.headers[x-user]' : `${prefix}[name]`}`,
    )
    return undefined
  }
  const gone = key.startsWith('destination.labels')
    ? 'use the selector'
    : Object.hasOwn(GONE, key)
      ? GONE[key]
      : undefined
  if (gone !== undefined) at.error('condition.key', `the key ${quote(key)} is no longer taken; ${gone}`)
  else
    at.error(
      'condition.key',
      `unknown key ${quote(key)} in when${didYouMean(key, [...Object.keys(PLAIN), ...BRACKETED])}`,
    )
  return undefined
}

function textsOf(value: unknown, field: string): [[string, number], string][] {
  if (!Array.isArray(value)) return []
  return value.flatMap((item: unknown, index) =>
    typeof item === 'string' ? [[[field, index], item] as [[string, number], string]] : [],
  )
}
