import type {
  CiliumClusterwideNetworkPolicy,
  CiliumEgressRule,
  CiliumIngressRule,
  CiliumNetworkPolicy,
  CiliumPortRule,
  CiliumRule,
  LabelSelector,
  Resource,
} from '@bulkhead/resources'
import { CompileError } from '../model/compile-error.js'
import { at, namespaceOf } from '../model/kinds.js'
import { type HttpMatcher, httpMatcher } from './http.js'
import { meets, namespaceKey, type Requirement, requirements } from './labels.js'
import { exactName, namePattern, serverName } from './names.js'
import { ciliumPort, icmpType } from './ports.js'
import { ciliumPeers, type PeerContext } from './read-cilium-peers.js'
import type { ServiceSelectors } from './services.js'
import type { Direction, DirectionPolicy, NetworkPolicyModel, NetworkRule, Reading, Subject } from './types.js'

type CiliumPolicy = CiliumNetworkPolicy | CiliumClusterwideNetworkPolicy
type Item = CiliumIngressRule & CiliumEgressRule
type Path = readonly (string | number)[]

/** A CiliumNetworkPolicy or CiliumClusterwideNetworkPolicy: one model for each spec in it (semantics B.1 to B.8). */
export function readCiliumPolicy(resource: Resource<CiliumPolicy>, services: ServiceSelectors): NetworkPolicyModel[] {
  const { spec, specs } = resource.object
  return [
    ...(spec === undefined ? [] : [readSpec(resource, spec, ['spec'], services)]),
    ...(specs ?? []).map((one, index) => readSpec(resource, one, ['specs', index], services)),
  ]
}

function readSpec(
  resource: Resource<CiliumPolicy>,
  spec: CiliumRule,
  path: Path,
  services: ServiceSelectors,
): NetworkPolicyModel {
  const namespace = resource.kind === 'CiliumNetworkPolicy' ? namespaceOf(resource) : undefined
  const direction = (name: Direction): DirectionPolicy =>
    readDirection({ resource, path, context: { namespace, services } }, spec, name)
  return {
    id: resource.id,
    engine: 'cilium',
    selects: subjectTest(spec, namespace),
    ingress: direction('ingress'),
    egress: direction('egress'),
  }
}

/** Nodes are selected by `nodeSelector` alone, and only for the whole cluster; pods by `endpointSelector` (B.4). */
function subjectTest(
  { endpointSelector, nodeSelector }: CiliumRule,
  namespace: string | undefined,
): NetworkPolicyModel['selects'] {
  if (nodeSelector !== undefined) {
    const wanted = requirements(nodeSelector)
    return ({ pod, labels }: Subject) => namespace === undefined && pod.hostNetwork && meets(wanted, labels)
  }
  const wanted = namespace === undefined ? requirements(endpointSelector ?? {}) : own(endpointSelector ?? {}, namespace)
  return ({ pod, labels }) => !pod.hostNetwork && meets(wanted, labels)
}

/** A namespace that the selector of a policy names itself does not count: it is the policy's. */
function own(selector: LabelSelector, namespace: string): Requirement[] {
  const pairs = Object.entries(selector.matchLabels ?? {}).filter(
    ([key]) => key.replace(/^(k8s|any):/, '') !== namespaceKey,
  )
  return [
    ...requirements({ ...selector, matchLabels: Object.fromEntries(pairs) }),
    { source: 'k8s', key: namespaceKey, operator: 'In', values: [namespace] },
  ]
}

interface Reader {
  readonly resource: Resource<CiliumPolicy>
  readonly path: Path
  readonly context: PeerContext
}

function readDirection(reader: Reader, spec: CiliumRule, direction: Direction): DirectionPolicy {
  const { resource, path } = reader
  const denials: Direction | `${Direction}Deny` = `${direction}Deny`
  const allow: readonly Item[] = spec[direction] ?? []
  const deny: readonly Item[] = spec[denials] ?? []
  const open = spec.enableDefaultDeny?.[direction] === false
  const isolates = !open && allow.length + deny.length > 0
  return {
    allow: allow.flatMap((item, index) => readItem(reader, [...path, direction, index], item, { deny: false, open })),
    deny: deny.flatMap((item, index) => readItem(reader, [...path, denials, index], item, { deny: true, open })),
    ...(isolates && {
      isolates: {
        policy: resource.id,
        ...(resource.layer !== undefined && { layer: resource.layer }),
        at: at(resource, [...path, allow.length > 0 ? direction : denials]),
      },
    }),
  }
}

/** `open`: of a policy that keeps its pods open, whose http and dns rules narrow nothing (B.1). */
function readItem(
  { resource, context }: Reader,
  path: Path,
  item: Item,
  { deny, open }: { readonly deny: boolean; readonly open: boolean },
): NetworkRule[] {
  const peers = ciliumPeers(item, context)
  if (peers.length === 0) return []
  const rule = Number(path.at(-1))
  const mode = item.authentication?.mode
  const common = {
    by: { engine: 'cilium' as const, layer: resource.layer, policy: resource.id, rule, at: at(resource, path) },
    peers,
    ...(!deny && mode !== undefined && { authentication: mode }),
  }
  const icmps = (item.icmps ?? []).flatMap(({ fields = [] }) => fields.map(icmpType))
  if (icmps.length > 0) return [{ ...common, ports: icmps, reading: undefined, source: { resource, path } }]
  const toPorts = item.toPorts ?? []
  if (toPorts.length === 0) return [{ ...common, ports: undefined, reading: undefined, source: { resource, path } }]
  return toPorts.map((portRule, index) => {
    const where = [...path, 'toPorts', index]
    const ports = (portRule.ports ?? []).map(ciliumPort)
    const source = { resource, path: where }
    const family = familyOf(portRule)
    return {
      ...common,
      ports,
      reading: readingOf(resource, where, portRule, open),
      ...(family !== undefined && { family }),
      source,
    }
  })
}

function familyOf({ rules = {} }: CiliumPortRule): NetworkRule['family'] {
  if ((rules.http ?? []).length > 0) return 'http'
  if ((rules.dns ?? []).length > 0) return 'dns'
  if ((rules.kafka ?? []).length > 0) return 'kafka'
  return rules.l7proto !== undefined || (rules.l7 ?? []).length > 0 ? 'l7' : undefined
}

const unreadFields = ['listener', 'originatingTLS', 'terminatingTLS'] as const

function readingOf(
  resource: Resource<CiliumPolicy>,
  path: Path,
  portRule: CiliumPortRule,
  open: boolean,
): Reading | undefined {
  const { rules = {}, serverNames = [] } = portRule
  const family = familyOf(portRule)
  const field = unreadFields.find((name) => portRule[name] !== undefined)
  const unread =
    field ??
    (family === 'l7' || (family === 'kafka' && !open)
      ? `rules.${rules.l7proto === undefined ? family : 'l7proto'}`
      : undefined)
  const http = family === 'http' && !open ? httpMatchers(resource, path, rules.http ?? []) : undefined
  // A question is read also where every name is let through: what is answered is learned.
  const dns =
    family !== 'dns'
      ? undefined
      : open
        ? [namePattern('*')]
        : (rules.dns ?? []).flatMap(({ matchName, matchPattern }) => [
            ...(matchName === undefined ? [] : [exactName(matchName)]),
            ...(matchPattern === undefined ? [] : [namePattern(matchPattern)]),
          ])
  const reading: Reading = {
    ...(serverNames.length > 0 && { serverNames: serverNames.map(serverName) }),
    ...(http !== undefined && { http }),
    ...(dns !== undefined && { dns }),
    ...(unread !== undefined && { unread }),
  }
  return Object.keys(reading).length === 0 ? undefined : reading
}

function httpMatchers(
  resource: Resource<CiliumPolicy>,
  path: Path,
  rules: NonNullable<NonNullable<CiliumPortRule['rules']>['http']>,
): HttpMatcher[] {
  return rules.map((rule, index) => {
    try {
      return httpMatcher(rule)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new CompileError(resource, [...path, 'rules', 'http', index], `no RE2 expression: ${why}`)
    }
  })
}
