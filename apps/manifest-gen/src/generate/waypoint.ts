import { type KubernetesObject, policyMeta } from './objects.js'

const podsOf = (waypoint: string): string => `${waypoint}-pods`

/** A waypoint for this workload alone: istiod makes its pods, its Service and its account of the Gateway. */
export const ownWaypoint = (name: string, namespace: string, waypoint: string): readonly KubernetesObject[] => [
  pods(namespace, waypoint),
  gateway(name, namespace, waypoint),
  nothing(namespace, waypoint),
]

/** Laid over the Deployment that istiod generates, as a strategic merge patch; without it admission refuses the pods. */
const pods = (namespace: string, waypoint: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: policyMeta(podsOf(waypoint), namespace, `What of the pods of ${waypoint} is not for istiod to choose?`),
  // No token of the API server, for which they have no use. The one that they show to istiod is another.
  data: { deployment: 'spec:\n  template:\n    spec:\n      automountServiceAccountToken: false\n' },
})

/** Serves who calls a Service, of its own namespace alone. */
function gateway(name: string, namespace: string, waypoint: string): KubernetesObject {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: {
      name: waypoint,
      namespace,
      labels: { 'istio.io/waypoint-for': 'service' },
      annotations: { 'bulkhead.dev/question': `By what do requests to ${name} go, so that each can be judged?` },
    },
    spec: {
      gatewayClassName: 'istio-waypoint',
      infrastructure: { parametersRef: { group: '', kind: 'ConfigMap', name: podsOf(waypoint) } },
      listeners: [{ name: 'mesh', port: 15008, protocol: 'HBONE', allowedRoutes: { namespaces: { from: 'Same' } } }],
    },
  }
}

/** An ALLOW without a rule: a Service that is put behind the waypoint tomorrow is closed until something allows it. */
function nothing(namespace: string, waypoint: string): KubernetesObject {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: policyMeta(
      `${waypoint}-allow-nothing`,
      namespace,
      `May a request pass ${waypoint} that no policy of its Service allows?`,
    ),
    spec: {
      targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: waypoint }],
      action: 'ALLOW',
    },
  }
}
