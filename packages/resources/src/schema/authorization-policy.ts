import { quote } from '../diagnostics.js'
import { type Fields, isSet } from '../plain.js'
import { checkCondition } from './conditions.js'
import { status, targetRef, workloadSelector } from './istio.js'
import { objectMeta } from './metadata.js'
import type { At, Check, ListSchema, ObjectSchema } from './schema.js'
import { list, object, string } from './schema.js'
import {
  checkAddress,
  checkPathTemplate,
  checkPort,
  checkPrincipal,
  checkServiceAccount,
  checkText,
  checkTrustDomain,
} from './values.js'
import { warnOfRequestFields } from './ztunnel-warnings.js'

/*
 * security.istio.io/v1 AuthorizationPolicy. Source: its CustomResourceDefinition, and istiod's webhook
 * (istio pkg/config/validation). What the webhook takes although it does not do what it looks like is a warning.
 */

/** A list of values; an empty one is the same as none to istiod, which is not what it looks like. */
const values = (check: Check<string>, rest: { maxItems?: number; maxLength?: number } = {}): ListSchema => {
  const { maxLength, ...limits } = rest
  return list(string({ check, ...(maxLength === undefined ? {} : { maxLength }) }), {
    ...limits,
    check: (items, at) => {
      if (items.length === 0)
        at.warn(
          'list.empty',
          'an empty list is read as if it were not there: it limits nothing; name values, or take it away',
        )
    },
  })
}

const pair = (name: string, schema: ListSchema): Record<string, ListSchema> => ({
  [name]: schema,
  [`not${name[0]?.toUpperCase()}${name.slice(1)}`]: schema,
})

const accounts = values(checkServiceAccount, { maxItems: 16, maxLength: 320 })

export const sourceFields = {
  ...pair('principals', values(checkPrincipal)),
  ...pair('requestPrincipals', values(checkText)),
  ...pair('namespaces', values(checkText)),
  ...pair('serviceAccounts', accounts),
  ...pair('trustDomains', values(checkTrustDomain)),
  ...pair('ipBlocks', values(checkAddress)),
  ...pair('remoteIpBlocks', values(checkAddress)),
}

export const operationFields = {
  ...pair('hosts', values(checkText)),
  ...pair('ports', values(checkPort)),
  ...pair('methods', values(checkText)),
  ...pair('paths', values(checkPathTemplate)),
}

const NO_SOURCE = 'a source that names nobody is refused; name who may call, or take the whole entry away'
const NO_OPERATION = 'an operation that names nothing is refused; name ports, or take the whole entry away'

const source = object(sourceFields, {
  check: (fields, at) => {
    if (isEmpty(fields)) at.error('source.empty', NO_SOURCE)
    const byAccount = ['serviceAccounts', 'notServiceAccounts'].find((name) => isSet(fields[name]))
    const other = ['principals', 'notPrincipals', 'namespaces', 'notNamespaces'].find((name) => isSet(fields[name]))
    if (byAccount !== undefined && other !== undefined) {
      at.error(
        'source.combination',
        `${byAccount} does not go together with ${other} in one source; both say who calls, so use one of them`,
      )
    }
  },
})

const operation = object(operationFields, {
  check: (fields, at) => {
    if (isEmpty(fields)) at.error('operation.empty', NO_OPERATION)
  },
})

const condition = object(
  { key: string(), values: list(string()), notValues: list(string()) },
  { required: ['key'], check: checkCondition },
)

/** `from`, `to`: istiod reads an empty list as none at all, so it opens what it seems to close. */
const clause = (item: ObjectSchema, who: string, rest: { maxItems?: number } = {}): ListSchema =>
  list(item, {
    ...rest,
    check: (items, at) => {
      if (items.length === 0)
        at.warn(
          'clause.empty',
          `an empty list is read as if it were not there, so this rule matches ${who}; take it away if that is meant`,
        )
    },
  })

const rule = object({
  from: clause(
    object({ source }, { check: (entry, at) => isSet(entry.source) || at.error('source.empty', NO_SOURCE) }),
    'every caller',
    { maxItems: 512 },
  ),
  to: clause(
    object(
      { operation },
      { check: (entry, at) => isSet(entry.operation) || at.error('operation.empty', NO_OPERATION) },
    ),
    'every port',
  ),
  when: list(condition),
})

const spec = object(
  {
    selector: workloadSelector,
    targetRef,
    targetRefs: list(targetRef, { maxItems: 16 }),
    action: string({ oneOf: ['ALLOW', 'DENY', 'AUDIT', 'CUSTOM'] }),
    provider: object({ name: string() }),
    rules: list(rule, { maxItems: 512 }),
  },
  {
    check: (fields, at) => {
      const attached = ['selector', 'targetRef', 'targetRefs'].filter((name) => isSet(fields[name]))
      if (attached.length > 1) {
        at.at(attached[1] ?? '').error(
          'spec.attachment',
          `only one of ${attached.join(' and ')} can be set: a policy is for pods (selector) or for what a waypoint or gateway serves (targetRefs)`,
        )
      }
      checkAction(fields, at)
      warnOfRequestFields(fields, at)
    },
  },
)

function checkAction(fields: Fields, at: At): void {
  const action = fields.action ?? 'ALLOW'
  const rules = Array.isArray(fields.rules) ? fields.rules : []
  if (action === 'DENY' && rules.length === 0) {
    at.at(isSet(fields.rules) ? 'rules' : 'action').error(
      'rules.meaningless',
      'DENY without rules is meaningless, as it never matches, and istiod refuses it; to deny everything write an empty rule (rules: [{}]), or spec: {} (an ALLOW that allows nobody)',
    )
  }
  if (action !== 'CUSTOM') {
    if (isSet(fields.provider))
      at.at('provider').error('spec.provider', `a provider only goes with action CUSTOM, and this is ${quote(action)}`)
    return
  }
  if (rules.length === 0) {
    at.at(isSet(fields.rules) ? 'rules' : 'action').error(
      'rules.meaningless',
      'CUSTOM without rules is meaningless, as it never matches; for every request write an empty rule (rules: [{}])',
    )
  } else if (
    !isSet((fields.provider as { name?: unknown } | undefined)?.name) ||
    (fields.provider as { name?: unknown }).name === ''
  ) {
    at.error('spec.provider', 'CUSTOM needs provider.name: who is to be asked')
  }
  for (const [index, item] of rules.entries()) checkCustomRule(item, at.at('rules', index))
}

const NOT_WITH_CUSTOM = ['namespaces', 'serviceAccounts', 'trustDomains', 'principals', 'requestPrincipals']

function checkCustomRule(rule: unknown, at: At): void {
  const { from, when } = (rule ?? {}) as { from?: unknown; when?: unknown }
  const refuse = (name: string, where: At) =>
    where.error('custom.unsupported', `${name} is not taken together with action CUSTOM`)
  for (const [index, entry] of entriesOf(from)) {
    const fields = (entry as { source?: unknown }).source
    for (const name of NOT_WITH_CUSTOM.flatMap((one) => Object.keys(pair(one, accounts)))) {
      const listed = typeof fields === 'object' && fields !== null ? (fields as Fields)[name] : undefined
      if (Array.isArray(listed) && listed.length > 0) refuse(name, at.at('from', index, 'source', name))
    }
  }
  for (const [index, entry] of entriesOf(when)) {
    const { key } = entry as { key?: unknown }
    if (typeof key !== 'string') continue
    if (/^(source\.(namespace|serviceAccount|trustDomain|principal)$|request\.auth\.)/.test(key))
      refuse(key, at.at('when', index, 'key'))
  }
}

function entriesOf(value: unknown): [number, object][] {
  if (!Array.isArray(value)) return []
  return [...value.entries()].filter(
    (entry): entry is [number, object] => typeof entry[1] === 'object' && entry[1] !== null,
  )
}

const isEmpty = (fields: Fields): boolean =>
  Object.values(fields).every((value) => Array.isArray(value) && value.length === 0)

export const authorizationPolicy = object(
  { apiVersion: string(), kind: string(), metadata: objectMeta, spec, status },
  { check: checkDryRun },
)

/** Go's strconv.ParseBool. */
const BOOLEANS = new Set(['1', 't', 'T', 'true', 'TRUE', 'True', '0', 'f', 'F', 'false', 'FALSE', 'False'])

function checkDryRun(policy: Fields, at: At): void {
  const metadata = policy.metadata as { annotations?: unknown } | null | undefined
  const annotations = metadata?.annotations as Fields | null | undefined
  if (typeof annotations !== 'object' || annotations === null || !Object.hasOwn(annotations, 'istio.io/dry-run')) return
  const value = annotations['istio.io/dry-run']
  const place = at.at('metadata', 'annotations', 'istio.io/dry-run')
  const action = (policy.spec as { action?: unknown } | null | undefined)?.action ?? 'ALLOW'
  if (action !== 'ALLOW' && action !== 'DENY')
    place.error('annotation.dry-run', `works with ALLOW and DENY only, and this is ${quote(action)}`)
  else if (typeof value === 'string' && !BOOLEANS.has(value))
    place.error('annotation.dry-run', `${quote(value)} is neither "true" nor "false"`)
  else if (typeof value === 'string' && /^[1tT]/.test(value)) {
    place.warn(
      'policy.dry-run',
      'the policy is a rehearsal: ztunnel is not given it, so it allows and denies nothing there',
    )
  }
}
