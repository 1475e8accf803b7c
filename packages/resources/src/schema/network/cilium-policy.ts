import { quote } from '../../diagnostics.js'
import { objectMeta } from '../metadata.js'
import type { At, ObjectSchema } from '../schema.js'
import { boolean, list, object, open, string } from '../schema.js'
import { egress, egressDeny, ingress, ingressDeny } from './cilium-items.js'
import { checkConflicts } from './conflicts.js'
import { familyOf } from './l7.js'
import { ciliumSelector, keysOf, withoutSource } from './selectors.js'
import { type Fields, isObject, isSet, itemsOf, objectsOf } from './values.js'

/* cilium.io/v2 CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy. Source: their CustomResourceDefinitions, and Cilium's own validation. */

const SECTIONS = ['ingress', 'ingressDeny', 'egress', 'egressDeny'] as const

const SELECTORS = ['endpointSelector', 'nodeSelector'] as const

const ruleOf = (isClusterwide: boolean): ObjectSchema =>
  object(
    {
      description: string(),
      egress,
      egressDeny,
      enableDefaultDeny: object({ egress: boolean, ingress: boolean }),
      endpointSelector: ciliumSelector,
      ingress,
      ingressDeny,
      labels: list(object({ key: string(), source: string(), value: string() }, { required: ['key'] })),
      log: object({
        value: string({ maxLength: 32, form: { pattern: /^\P{C}*$/u, says: 'text that can be printed' } }),
      }),
      nodeSelector: ciliumSelector,
    },
    { check: (fields, at) => checkRule(fields, at, isClusterwide) },
  )

function checkRule(fields: Fields, at: At, isClusterwide: boolean): void {
  const subjects = SELECTORS.filter((name) => isSet(fields[name]))
  const choice = isClusterwide ? 'endpointSelector and nodeSelector' : 'endpointSelector'
  if (subjects.length === 0) {
    at.error(
      'spec.subject',
      `${isClusterwide ? `one of ${choice}` : choice} must be set; endpointSelector: {} selects every pod`,
    )
  } else if (subjects.length > 1) {
    at.at('nodeSelector').error(
      'spec.subject',
      'endpointSelector and nodeSelector do not go together; make two policies of it',
    )
  } else if (subjects[0] === 'nodeSelector' && !isClusterwide) {
    at.at('nodeSelector').error(
      'spec.subject',
      'nodes are selected by a CiliumClusterwideNetworkPolicy only; here select pods, with endpointSelector',
    )
  }
  const filled = SECTIONS.filter((name) => itemsOf(fields[name]).length > 0)
  if (filled.length === 0) {
    at.error(
      'spec.sections',
      `at least one of ${SECTIONS.join(', ')} must have a rule; to allow nothing write an empty one (ingress: [{}])`,
    )
  } else {
    for (const name of SECTIONS) {
      const list = fields[name]
      if (Array.isArray(list) && list.length === 0)
        at.at(name).warn(
          'section.empty',
          `an empty list has no effect; ${name.startsWith('in') ? 'ingress' : 'egress'} is denied by default only with a rule: write ${name.replace('Deny', '')}: [{}] to allow nothing`,
        )
    }
  }
  if (isSet(fields.nodeSelector)) checkHostRules(fields, at)
}

function checkHostRules(fields: Fields, at: At): void {
  for (const section of ['ingress', 'egress'])
    for (const [index, item] of objectsOf(fields[section]))
      for (const [port, entry] of objectsOf(item.toPorts))
        if (isSet(entry.rules))
          at.at(section, index, 'toPorts', port, 'rules').error('l7.host', 'a policy for nodes reads no requests')
}

/** Names become addresses only where Cilium has read the answer to the question for them. */
function warnOfNames(rules: readonly [At, Fields][]): void {
  const subject = (rule: Fields) => JSON.stringify(rule.endpointSelector ?? null)
  const reading = new Set(rules.flatMap(([, rule]) => (readsNames(rule) ? [subject(rule)] : [])))
  for (const [at, rule] of rules) {
    if (reading.has(subject(rule))) continue
    for (const [index, item] of objectsOf(rule.egress)) {
      if (itemsOf(item.toFQDNs).length === 0) continue
      at.at('egress', index, 'toFQDNs').warn(
        'fqdn.no-dns',
        'no rule here has rules.dns, through which Cilium learns the addresses of a name; unless another policy has one for the same pods, nothing is opened; allow port 53 to kube-dns with rules.dns',
      )
    }
  }
}

const readsNames = (rule: Fields): boolean =>
  objectsOf(rule.egress).some(([, item]) =>
    objectsOf(item.toPorts).some(([, entry]) => familyOf(entry.rules) === 'dns'),
  )

const policyOf = (isClusterwide: boolean): ObjectSchema => {
  const rule = ruleOf(isClusterwide)
  return object(
    {
      apiVersion: string(),
      kind: string(),
      metadata: objectMeta,
      spec: rule,
      specs: list(rule),
      status: open,
    },
    { check: (policy, at) => checkPolicy(policy, at, isClusterwide) },
  )
}

export const ciliumNetworkPolicy = policyOf(false)
export const ciliumClusterwideNetworkPolicy = policyOf(true)

function checkPolicy(policy: Fields, at: At, isClusterwide: boolean): void {
  const rules: [At, Fields][] = [
    ...(isObject(policy.spec) ? [[at.at('spec'), policy.spec] as [At, Fields]] : []),
    ...objectsOf(policy.specs).map(([index, one]): [At, Fields] => [at.at('specs', index), one]),
  ]
  if (!isSet(policy.spec) && itemsOf(policy.specs).length === 0)
    at.error('spec.missing', 'neither spec nor specs says anything; a policy needs one of them')
  checkConflicts(rules)
  warnOfNames(rules)
  if (isClusterwide) return
  const metadata = isObject(policy.metadata) ? policy.metadata : {}
  const namespace = typeof metadata.namespace === 'string' ? metadata.namespace : 'default'
  for (const [place, rule] of rules)
    warnOfOtherNamespace(rule.endpointSelector, namespace, place.at('endpointSelector'))
}

function warnOfOtherNamespace(selector: unknown, namespace: string, at: At): void {
  for (const { key, values, path } of keysOf(selector)) {
    if (withoutSource(key) !== 'io.kubernetes.pod.namespace') continue
    if (values.length === 1 && values[0] === namespace) continue
    at.at(...path).warn(
      'selector.namespace',
      `a CiliumNetworkPolicy selects pods of its own namespace only: this key is dropped, and pods of ${quote(namespace)} are selected by the rest; put the policy into the namespace that is meant, or make it a CiliumClusterwideNetworkPolicy`,
    )
  }
}
