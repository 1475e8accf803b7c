import type { Callee, Description } from '../description/types.js'
import { gatewayLabels, type KubernetesObject, policyMeta } from './objects.js'

const METADATA = '169.254.169.254/32'
const inside = ['kube-apiserver', 'host', 'remote-node']

/**
 * What may not leave, whatever else allows it. By the account, which Cilium learns from Kubernetes, and no label that a
 * pod may give itself.
 */
export function cilium(description: Description): readonly KubernetesObject[] {
  const { name, namespace, hosts, waypoint } = description
  const proxies = waypoint?.own ? [waypoint.name] : []
  if (hosts.length === 0) return [denies(name, namespace, ofAccounts([name, ...proxies]), ['world', ...inside])]
  return [
    denies(name, namespace, ofAccounts([name]), inside),
    // Its waypoint may not go where it may itself: known by the label of the pods that istiod makes.
    ...proxies.map((proxy) => denies(proxy, namespace, { matchLabels: gatewayLabels(proxy) }, ['world', ...inside])),
    wayOut(description),
  ]
}

const ofAccounts = (accounts: readonly string[]) => ({
  matchExpressions: [{ key: 'io.cilium.k8s.policy.serviceaccount', operator: 'In', values: accounts }],
})

function denies(
  name: string,
  namespace: string,
  endpointSelector: Readonly<Record<string, unknown>>,
  entities: readonly string[],
): KubernetesObject {
  const outside = entities.includes('world') ? 'the outside, ' : ''
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: policyMeta(
      name,
      namespace,
      `May ${name} talk to ${outside}the Kubernetes API, a node or the metadata service?`,
    ),
    spec: {
      endpointSelector,
      // A wall of its own: what else is open is not this policy's to say.
      enableDefaultDeny: { ingress: false, egress: false },
      egressDeny: [{ toEntities: entities }, { toCIDR: [METADATA] }],
    },
  }
}

const hbone = [{ ports: [{ port: '15008', protocol: 'TCP' }] }]

/** Its pods or its waypoint's, in a namespace that is not this one. */
const endpoints = ({ namespace, labels, behind }: Callee) =>
  [labels, ...(behind === undefined ? [] : [gatewayLabels(behind.waypoint)])].map((of) => ({
    matchLabels: { 'k8s:io.kubernetes.pod.namespace': namespace, ...of },
  }))

/**
 * All that it may reach, where hosts outside are among it: an allow closes to all else whom it selects, so what it calls
 * inside stands here once more.
 */
function wayOut({ name, namespace, calls, hosts }: Description): KubernetesObject {
  const names = hosts.map((host) => ({ matchName: host }))
  const dns = { 'k8s:io.kubernetes.pod.namespace': 'kube-system', 'k8s-app': 'kube-dns' }
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: policyMeta(`${name}-egress`, namespace, `What may ${name} reach, all in all?`),
    spec: {
      endpointSelector: ofAccounts([name]),
      egress: [
        {
          toEndpoints: [{ matchLabels: dns }],
          // Other names are answered with REFUSED, and only what was looked up here is known below.
          toPorts: [{ ports: [{ port: '53', protocol: 'ANY' }], rules: { dns: names } }],
        },
        ...(calls.length === 0 ? [] : [{ toEndpoints: calls.flatMap(endpoints), toPorts: hbone }]),
        // TCP alone: QUIC hides the name.
        { toFQDNs: names, toPorts: [{ ports: [{ port: '443', protocol: 'TCP' }], serverNames: hosts }] },
      ],
    },
  }
}
