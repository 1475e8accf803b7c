import type {
  AuthorizationPolicy,
  AuthorizationRule,
  AuthorizationSource,
  Resource,
  Workload,
} from '@bulkhead/resources'
import type { Flow, Pod, Snapshot, Step } from '@bulkhead/verdict'
import { addedPolicy, type Candidate, editPolicy, fieldName, placeOf, replaced, yamlText } from './edits.js'
import { allowAtGateway, gatewayRule } from './gateway.js'
import { ownLabels } from './labels.js'
import { openNetwork } from './network/open.js'
import { listWhatWasRead } from './network/read.js'
import { mendSelector } from './selector.js'
import { allowAtWaypoint, waypointRule } from './waypoint.js'

const dataplaneMode = 'istio.io/dataplane-mode'

/** What could be changed so that this step no longer denies: the narrowest idea first. None where no policy decides. */
export function candidatesFor(step: Step, flow: Flow, snapshot: Snapshot): readonly Candidate[] {
  switch (step.code) {
    case 'authz.no-rule-allows':
      if (step.point === 'gateway') {
        const rule = gatewayRule(step, flow, snapshot)
        return [
          ...widenClosestRule(step, flow, snapshot),
          ...addRule(step, snapshot, rule),
          ...allowAtGateway(step, snapshot, rule),
        ]
      }
      if (step.point === 'waypoint') {
        const rule = waypointRule(step)
        return [
          ...widenClosestRule(step, flow, snapshot),
          ...addRule(step, snapshot, rule),
          ...allowAtWaypoint(step, snapshot, rule),
        ]
      }
      // A caller that has no identity needs one before any rule can list it.
      if (principalOf(step) === undefined)
        return [...widenClosestRule(step, flow, snapshot), ...enrolCaller(flow, snapshot)]
      return [
        ...mendSelector(podOf(step, snapshot), snapshot),
        ...widenClosestRule(step, flow, snapshot),
        ...addRule(step, snapshot, ruleFor(step)),
        ...addPolicy(step, snapshot),
      ]
    case 'authz.rule-denies':
      return exceptFromDeny(step, snapshot)
    case 'mtls.strict-no-identity':
      return enrolCaller(flow, snapshot)
    case 'cni.default-deny':
      return openNetwork(step, snapshot)
    case 'cni.sni-denied':
    case 'cni.http-denied':
    case 'cni.dns-denied':
      return listWhatWasRead(step, snapshot)
    default:
      return []
  }
}

/**
 * Whether a list of a `source` or an `operation` is one to add to. Not a namespace: all who come to live in it would be
 * let in. An address only for a caller outside the cluster: a pod has another one tomorrow.
 */
function canWiden(attribute: string, step: Step, { from }: Flow): boolean {
  switch (attribute) {
    case 'ports':
    case 'hosts':
    case 'methods':
    case 'paths':
      return true
    case 'principals':
    case 'serviceAccounts':
      return principalOf(step) !== undefined
    case 'ipBlocks':
      return 'external' in from
    default:
      return false
  }
}

const operationAttributes: ReadonlySet<string> = new Set(['ports', 'hosts', 'methods', 'paths'])

/** Adds what the call has to the lists of the closest rule that lack it. One list: more would no longer be one small change. */
function widenClosestRule(step: Step, flow: Flow, snapshot: Snapshot): readonly Candidate[] {
  const { closest } = step
  const [lack, ...more] = closest?.lacks ?? []
  if (closest === undefined || lack === undefined || more.length > 0) return []
  if (!canWiden(lack.attribute, step, flow)) return []
  const { has } = lack
  let place: readonly (string | number)[] | undefined
  const sameList = (list: unknown): list is readonly string[] => JSON.stringify(list) === JSON.stringify(lack.wants)
  return editPolicy(snapshot, closest.policy, (policy) => {
    const rules = (policy.spec?.rules ?? []).map((rule, index) => {
      if (index !== closest.rule) return rule
      const [clause, part] = operationAttributes.has(lack.attribute)
        ? (['to', 'operation'] as const)
        : (['from', 'source'] as const)
      return {
        ...rule,
        [clause]: rule[clause]?.map((entry, i) => {
          const inside: Readonly<Record<string, unknown>> = {
            ...(part in entry ? entry[part as keyof typeof entry] : {}),
          }
          const list = inside[lack.attribute]
          if (!sameList(list)) return entry
          place ??= ['spec', 'rules', index, clause, i, part, lack.attribute]
          return { ...entry, [part]: { ...inside, [lack.attribute]: [...list, has] } }
        }),
      }
    })
    if (place === undefined) return undefined
    const says = `add ${JSON.stringify(has)} to ${lack.attribute} of rule ${closest.rule}`
    return { rules, place, says, value: has }
  })
}

/** Gives the policy of the closest rule a rule for this very call. */
function addRule(step: Step, snapshot: Snapshot, rule: AuthorizationRule | undefined): readonly Candidate[] {
  if (rule === undefined || step.closest === undefined) return []
  return editPolicy(snapshot, step.closest.policy, (policy) => ({
    rules: [...(policy.spec?.rules ?? []), rule],
    place: ['spec', 'rules'],
    says: `add a rule: ${yamlText(rule)}`,
    value: rule,
  }))
}

/** Where no policy has a rule to go by: a policy of its own for the pod that is called. */
function addPolicy(step: Step, snapshot: Snapshot): readonly Candidate[] {
  const rule = ruleFor(step)
  const pod = podOf(step, snapshot)
  const [isolating] = step.isolatedBy ?? []
  if (rule === undefined || pod === undefined || step.closest !== undefined || isolating === undefined) return []
  const name = `allow-${pod.workload.split('/')[1] ?? pod.name}`
  const object: AuthorizationPolicy = {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name, namespace: pod.namespace },
    spec: { selector: { matchLabels: ownLabels(pod) }, action: 'ALLOW', rules: [rule] },
  }
  const says = `add an ALLOW policy that selects ${pod.workload}, with the rule: ${yamlText(rule)}`
  return addedPolicy(snapshot, object, isolating, says)
}

/** Leaves this caller out of every source that the denying rule lists. */
function exceptFromDeny(step: Step, snapshot: Snapshot): readonly Candidate[] {
  const principal = principalOf(step)
  const { policy: id, rule: denying } = step
  if (principal === undefined || id === undefined || denying === undefined) return []
  return editPolicy(snapshot, id, (policy) => {
    const listed = policy.spec?.rules?.[denying]?.from ?? []
    const [first = { field: 'notPrincipals', value: principal }, ...more] = listed.map(({ source }) =>
      exceptionIn(source, principal),
    )
    // Another entry beside those there would deny more, not less: every source is narrowed.
    const from = [first, ...more].map(({ field, value }, index) => {
      const source = listed[index]?.source
      return { source: { ...source, [field]: [...(source?.[field] ?? []), value] } }
    })
    const rules = (policy.spec?.rules ?? []).map((rule, index) => (index === denying ? { ...rule, from } : rule))
    const says = `add ${JSON.stringify(first.value)} to ${first.field} of rule ${denying}`
    const place = ['spec', 'rules', denying, 'from']
    if (listed.length === 0) return { rules, place, says, value: from }
    return { rules, place: [...place, 0, 'source', first.field], says: `${says}, in each source`, value: first.value }
  })
}

/** istiod refuses service accounts and principals in one source. */
function exceptionIn(
  source: AuthorizationSource | undefined,
  principal: string,
): { readonly field: 'notPrincipals' | 'notServiceAccounts'; readonly value: string } {
  const byAccount = source?.serviceAccounts !== undefined || source?.notServiceAccounts !== undefined
  if (!byAccount) return { field: 'notPrincipals', value: principal }
  const [, , namespace = '', , account = ''] = principal.split('/')
  return { field: 'notServiceAccounts', value: `${namespace}/${account}` }
}

/** Puts the caller's pods into the mesh, so that they have an identity to show. */
function enrolCaller({ from }: Flow, snapshot: Snapshot): readonly Candidate[] {
  if (!('workload' in from)) return []
  const [namespace, name] = from.workload.split('/')
  const kinds = new Set(['Deployment', 'StatefulSet', 'DaemonSet'])
  const workload = snapshot.resources.find(
    (resource): resource is Resource<Workload> =>
      kinds.has(resource.kind) && resource.namespace === namespace && resource.name === name,
  )
  if (workload === undefined) return []
  const { object } = workload
  const { template } = object.spec
  const labels = { ...template.metadata?.labels, [dataplaneMode]: 'ambient' }
  const enrolled = {
    ...object,
    spec: { ...object.spec, template: { ...template, metadata: { ...template.metadata, labels } } },
  }
  const path = ['spec', 'template', 'metadata', 'labels']
  const at = placeOf(workload, [...path, dataplaneMode])
  const says = `put the caller into the mesh: label its pods ${dataplaneMode}: ambient`
  const edit = { object: workload.id, at, says, field: fieldName(path), value: `${dataplaneMode}: ambient` }
  return [{ edit, resources: replaced(snapshot, workload, enrolled) }]
}

/** A rule that lists the caller by its identity and the port, and nothing else. Undefined for a caller without an identity. */
function ruleFor(step: Step): AuthorizationRule | undefined {
  const principal = principalOf(step)
  const port = step.facts?.port
  if (principal === undefined || port === undefined) return undefined
  return { from: [{ source: { principals: [principal] } }], to: [{ operation: { ports: [String(port)] } }] }
}

function principalOf({ facts }: Step): string | undefined {
  const identity = facts?.identity
  return typeof identity === 'string' ? identity.replace('spiffe://', '') : undefined
}

function podOf({ facts }: Step, snapshot: Snapshot): Pod | undefined {
  return [...snapshot.pods.values()].find(({ key, workload }) => key === facts?.pod || workload === facts?.pod)
}
