import { entries, get, type Plain } from './naive-patterns.js'

/*
 * Test code: who the other end of a packet is, and which label selectors hold for it, for naive-network.ts (semantics
 * A.2, B.4, B.5).
 */

export interface NaiveNetworkPod {
  readonly namespace: string
  readonly labels: { readonly [key: string]: string }
  readonly serviceAccount: string
  readonly ip: string
  readonly node: string
  readonly hostNetwork: boolean
  readonly ports: readonly { readonly name?: string; readonly port: number; readonly protocol: string }[]
}

export interface NaiveWorld {
  /** NetworkPolicies, CiliumNetworkPolicies, CiliumClusterwideNetworkPolicies, as they are written. */
  readonly policies: readonly Plain[]
  /** Labels of namespaces, as they are written. */
  readonly namespaces: { readonly [name: string]: { readonly [key: string]: string } }
  readonly pods: readonly NaiveNetworkPod[]
  readonly nodes: readonly { readonly name: string; readonly ip: string; readonly apiServer: boolean }[]
  readonly services: readonly { readonly namespace: string; readonly name: string; readonly selector: Plain }[]
  readonly reader: 'cilium' | 'api'
  readonly mode: 'default' | 'always' | 'never'
}

/** What the other end of a packet is to the pod that is asked. */
export type Party =
  | { readonly is: 'pod'; readonly ip: string; readonly pod: NaiveNetworkPod }
  | { readonly is: 'node'; readonly ip: string; readonly own: boolean; readonly apiServer: boolean }
  | { readonly is: 'outside'; readonly ip: string }

export function partyOf(world: NaiveWorld, subject: NaiveNetworkPod, peer: NaiveNetworkPod | { ip: string }): Party {
  const { ip } = peer
  const node = world.nodes.find((one) => one.ip === ip)
  if (node !== undefined) return { is: 'node', ip, own: node.name === subject.node, apiServer: node.apiServer }
  if ('namespace' in peer) return { is: 'pod', ip, pod: peer }
  const pod = world.pods.find((one) => one.ip === ip && !one.hostNetwork)
  return pod === undefined ? { is: 'outside', ip } : { is: 'pod', ip, pod }
}

export function namespaceLabels(world: NaiveWorld, namespace: string): { readonly [key: string]: string } {
  return { ...world.namespaces[namespace], 'kubernetes.io/metadata.name': namespace }
}

/** An ordinary Kubernetes selector. */
export function kubernetesHolds(selector: unknown, labels: { readonly [key: string]: string }): boolean {
  return selectorHolds(selector, (key) => labels[key])
}

function selectorHolds(selector: unknown, labelOf: (key: string) => string | undefined): boolean {
  for (const [key, value] of Object.entries((get(selector, 'matchLabels') ?? {}) as Plain))
    if (labelOf(key) !== value) return false
  for (const expression of entries(get(selector, 'matchExpressions'))) {
    const has = labelOf(String(get(expression, 'key')))
    const listed = has !== undefined && entries(get(expression, 'values')).includes(has)
    const operator = get(expression, 'operator')
    if (operator === 'In' && !listed) return false
    if (operator === 'NotIn' && listed) return false
    if (operator === 'Exists' && has === undefined) return false
    if (operator === 'DoesNotExist' && has !== undefined) return false
  }
  return true
}

const namespaceKey = 'io.kubernetes.pod.namespace'
const namespaceLabelPrefix = 'io.cilium.k8s.namespace.labels.'

/** Cilium's labels of an identity, each as `source:key`. */
export function ciliumLabels(world: NaiveWorld, party: Party): Map<string, string> {
  const labels = new Map<string, string>()
  if (party.is === 'outside') {
    labels.set('reserved:world', '')
    labels.set(party.ip.includes(':') ? 'reserved:world-ipv6' : 'reserved:world-ipv4', '')
  }
  if (party.is === 'node') {
    labels.set(party.own ? 'reserved:host' : 'reserved:remote-node', '')
    if (party.apiServer) labels.set('reserved:kube-apiserver', '')
  }
  if (party.is === 'pod') {
    const { namespace, serviceAccount, labels: own } = party.pod
    for (const [key, value] of Object.entries(own)) labels.set(`k8s:${key}`, value)
    for (const [key, value] of Object.entries(namespaceLabels(world, namespace)))
      labels.set(`k8s:${namespaceLabelPrefix}${key}`, value)
    labels.set(`k8s:${namespaceKey}`, namespace)
    labels.set('k8s:io.cilium.k8s.policy.serviceaccount', serviceAccount)
    labels.set('k8s:io.cilium.k8s.policy.cluster', 'default')
  }
  return labels
}

/** What every node has. */
export function nodeLabels(node: string): Map<string, string> {
  return new Map([
    ['reserved:host', ''],
    ['k8s:kubernetes.io/hostname', node],
  ])
}

export function ciliumHolds(selector: unknown, labels: ReadonlyMap<string, string>): boolean {
  return selectorHolds(selector, (key) => {
    if (/^(k8s|reserved):/.test(key)) return labels.get(key)
    const bare = key.replace(/^any:/, '')
    return labels.get(`k8s:${bare}`) ?? labels.get(`reserved:${bare}`)
  })
}

/** The same for selectors that ask the same, however they are written. A key without a source is of any. */
export function selectorText(selector: unknown): string {
  const labels = Object.entries((get(selector, 'matchLabels') ?? {}) as Plain)
  const sourced = (key: unknown): string => (/^[a-z0-9]+:/.test(String(key)) ? String(key) : `any:${key}`)
  const asked = labels.map(([key, value]) => [sourced(key), 'In', String(value)].join(' '))
  for (const expression of entries(get(selector, 'matchExpressions'))) {
    const values = entries(get(expression, 'values')).map(String).sort()
    asked.push([sourced(get(expression, 'key')), get(expression, 'operator'), ...values].join(' '))
  }
  return [...new Set(asked)].sort().join(', ')
}

function keysOf(selector: unknown): string[] {
  const expressions = entries(get(selector, 'matchExpressions')).map((one) => String(get(one, 'key')))
  return [...Object.keys((get(selector, 'matchLabels') ?? {}) as Plain), ...expressions]
}

function withLabel(selector: unknown, key: string, value: string): Plain {
  return { ...(selector as Plain), matchLabels: { ...(get(selector, 'matchLabels') as Plain), [key]: value } }
}

/** B.4: whom a policy's own selector means. In a namespace, no other namespace can be named. */
export function subjectSelector(selector: unknown, namespace: string | undefined): unknown {
  if (namespace === undefined) return selector
  const kept = Object.entries((get(selector, 'matchLabels') ?? {}) as Plain).filter(
    ([key]) => key.replace(/^(k8s|any):/, '') !== namespaceKey,
  )
  return withLabel({ ...(selector as Plain), matchLabels: Object.fromEntries(kept) }, `k8s:${namespaceKey}`, namespace)
}

/** B.4, B.2: whom a selector of peers means, in a policy of that namespace or of the cluster. */
export function peerSelector(selector: unknown, namespace: string | undefined): unknown {
  const keys = keysOf(selector)
  if (keys.some((key) => key.startsWith('reserved:'))) return selector
  const bare = keys.map((key) => key.replace(/^(k8s|any):/, ''))
  if (bare.includes(namespaceKey)) return selector
  // In the whole cluster: everybody who has a namespace, so pods.
  if (namespace === undefined) {
    const expressions = entries(get(selector, 'matchExpressions'))
    const anyPod = { key: `k8s:${namespaceKey}`, operator: 'Exists' }
    return { ...(selector as Plain), matchExpressions: [...expressions, anyPod] }
  }
  const ofNamespaces = bare.some((key) => key.startsWith(namespaceLabelPrefix))
  return ofNamespaces ? selector : withLabel(selector, `k8s:${namespaceKey}`, namespace)
}

/** B.5. */
export function entityHolds(entity: unknown, party: Party): boolean {
  switch (entity) {
    case 'all':
      return true
    case 'world':
      return party.is === 'outside'
    case 'cluster':
      return party.is !== 'outside'
    case 'host':
      return party.is === 'node' && party.own
    case 'remote-node':
      return party.is === 'node' && !party.own
    case 'kube-apiserver':
      return party.is === 'node' && party.apiServer
    default:
      // Cilium's own Envoy, its health checks, what is starting, what it does not manage: none of them is here.
      return false
  }
}

/** B.6: the pods behind a Service, as `toServices` means them; undefined for one that is not there. */
export function serviceSelector(world: NaiveWorld, reference: unknown): unknown {
  const [name, namespace] = [get(reference, 'k8sService', 'serviceName'), get(reference, 'k8sService', 'namespace')]
  const service = world.services.find((one) => one.name === name && one.namespace === namespace)
  return service && withLabel({ matchLabels: service.selector }, `k8s:${namespaceKey}`, service.namespace)
}
