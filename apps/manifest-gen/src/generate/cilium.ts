import type { Description } from '../description/types.js'
import { type KubernetesObject, policyMeta } from './objects.js'

/**
 * What may not leave, whatever else allows it. By the account, which Cilium learns from Kubernetes, and no label that a
 * pod may give itself.
 */
export function cilium({ name, namespace, waypoint }: Description): readonly KubernetesObject[] {
  const accounts = [name, ...(waypoint?.own ? [waypoint.name] : [])]
  return [
    {
      apiVersion: 'cilium.io/v2',
      kind: 'CiliumNetworkPolicy',
      metadata: policyMeta(
        name,
        namespace,
        `May ${name} talk to the outside, the Kubernetes API, a node or the metadata service?`,
      ),
      spec: {
        endpointSelector: {
          matchExpressions: [{ key: 'io.cilium.k8s.policy.serviceaccount', operator: 'In', values: accounts }],
        },
        // A wall of its own: what else is open is not this policy's to say.
        enableDefaultDeny: { ingress: false, egress: false },
        egressDeny: [
          { toEntities: ['world', 'kube-apiserver', 'host', 'remote-node'] },
          { toCIDR: ['169.254.169.254/32'] },
        ],
      },
    },
  ]
}
