import type { Callee, Caller, Description, Labels, Peer } from '../description/types.js'
import { fromName, partName, toName } from './names.js'
import { gatewayLabels, type KubernetesObject, ownLabels, policyMeta } from './objects.js'

/** Where the kubelet's probes of captured pods come from. */
const PROBES = '169.254.7.127/32'
/** In the mesh every port arrives here, so no app's port is opened. */
const hbone = [{ port: 15008, protocol: 'TCP' }]

const dns = {
  to: [
    {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
      podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
    },
  ],
  ports: [
    { port: 53, protocol: 'UDP' },
    { port: 53, protocol: 'TCP' },
  ],
}

const istiod = {
  to: [
    {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'istio-system' } },
      podSelector: { matchLabels: { app: 'istiod' } },
    },
  ],
  ports: [{ port: 15012, protocol: 'TCP' }],
}

/** These pods, seen from a policy of this namespace. Both in one item: those pods of that namespace. */
function pods(of: { readonly namespace: string; readonly labels: Labels }, from: string) {
  const podSelector = { matchLabels: of.labels }
  if (of.namespace === from) return { podSelector }
  return { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': of.namespace } }, podSelector }
}

/**
 * Which packets may go: a packet is let out at one end and let in at the other, so each way has a policy at each. Its own
 * pods are closed to everything else; the pods at the other ends have to be closed already, or these policies close them.
 */
export function network(description: Description): readonly KubernetesObject[] {
  const { callers, calls, waypoint } = description
  return [
    own(description),
    ...callers.map((caller) => callerSide(description, caller)),
    ...(waypoint === undefined ? [] : [waypointSide(description, waypoint)]),
    ...calls.flatMap((callee) => calleeSide(description, callee)),
  ]
}

function policy(
  name: string,
  namespace: string,
  question: string,
  labels: Labels,
  { ingress, egress }: { readonly ingress?: readonly unknown[]; readonly egress?: readonly unknown[] },
): KubernetesObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: policyMeta(name, namespace, question),
    spec: {
      podSelector: { matchLabels: labels },
      policyTypes: [...(ingress === undefined ? [] : ['Ingress']), ...(egress === undefined ? [] : ['Egress'])],
      ...(ingress !== undefined && ingress.length > 0 && { ingress }),
      ...(egress !== undefined && egress.length > 0 && { egress }),
    },
  }
}

/**
 * All that its own pods send and are sent. Where hosts outside are listed, 30-cilium says for which names it may ask, and a
 * plain allow of DNS here would void that: what one policy allows no other takes back.
 */
function own({ name, namespace, listens, callers, calls, hosts, waypoint }: Description): KubernetesObject {
  const may: Peerish[] = [...callers, ...(waypoint === undefined ? [] : [gateway(namespace, waypoint.name)])]
  const called: Peerish[] = calls.flatMap((callee) => [callee, ...before(callee)])
  return policy(name, namespace, `What may ${name} send, and be sent?`, ownLabels(name), {
    ingress: [
      ...(listens === undefined
        ? []
        : [{ from: [{ ipBlock: { cidr: PROBES } }], ports: [{ port: listens.port, protocol: 'TCP' }] }]),
      ...(may.length === 0 ? [] : [{ from: may.map((one) => pods(one, namespace)), ports: hbone }]),
    ],
    egress: [
      ...(hosts.length === 0 ? [dns] : []),
      ...(called.length === 0 ? [] : [{ to: called.map((one) => pods(one, namespace)), ports: hbone }]),
    ],
  })
}

type Peerish = Pick<Peer, 'namespace' | 'labels'>

const gateway = (namespace: string, name: string): Peerish => ({ namespace, labels: gatewayLabels(name) })

/** The waypoint before it, where it has one. */
const before = ({ namespace, behind }: Callee): readonly Peerish[] =>
  behind === undefined ? [] : [gateway(namespace, behind.waypoint)]

/** Out of a caller, to its pods; and to its waypoint, which comes between while there is one. */
function callerSide(description: Description, caller: Caller): KubernetesObject {
  const { name, namespace, waypoint } = description
  const to: Peerish[] = [
    { namespace, labels: ownLabels(name) },
    ...(waypoint === undefined ? [] : [gateway(namespace, waypoint.name)]),
  ]
  const question = `May ${caller.namespace}/${caller.name} open a connection to ${namespace}/${name}?`
  return policy(toName(caller, description), caller.namespace, question, caller.labels, {
    egress: [{ to: to.map((one) => pods(one, caller.namespace)), ports: hbone }],
  })
}

/** Into the waypoint, and out of it. One that is made for this workload needs its configuration and names as well. */
function waypointSide(
  { name, namespace, callers }: Description,
  waypoint: NonNullable<Description['waypoint']>,
): KubernetesObject {
  const question = `Who may go by the waypoint ${waypoint.name} to ${name}?`
  return policy(`${name}-by-waypoint`, namespace, question, gatewayLabels(waypoint.name), {
    ingress: callers.length === 0 ? [] : [{ from: callers.map((one) => pods(one, namespace)), ports: hbone }],
    egress: [
      ...(waypoint.own ? [dns, istiod] : []),
      { to: [{ podSelector: { matchLabels: ownLabels(name) } }], ports: hbone },
    ],
  })
}

/** Into what is called; and into the waypoint before it. */
function calleeSide(description: Description, callee: Callee): readonly KubernetesObject[] {
  const { name, namespace } = description
  const ingress = [{ from: [pods({ namespace, labels: ownLabels(name) }, callee.namespace)], ports: hbone }]
  const question = `May ${namespace}/${name} open a connection to ${callee.namespace}/${callee.name}?`
  return [
    policy(fromName(callee.name, description), callee.namespace, question, callee.labels, { ingress }),
    ...before(callee).map(({ labels }) =>
      policy(partName(callee.name, 'waypoint', description), callee.namespace, question, labels, { ingress }),
    ),
  ]
}
