import type { NodeModel } from '../types.js'

/*
 * Addresses of what every cluster has. Nothing of the manifests' is given one of them.
 */

/** kind's control plane: the first address of its network, and of the pods' block of its node. */
export const controlPlaneNode: NodeModel = { name: 'bulkhead-control-plane', ip: '172.18.0.2' }
/** kind's own: Service default/kubernetes. */
export const apiServerAddress = '10.96.0.1'
/** kind's own: Service kube-system/kube-dns. */
export const dnsAddress = '10.96.0.10'
/** Service istio-system/istiod; a cluster chooses one. */
export const istiodAddress = '10.96.0.11'
export const dnsPodAddress = '10.244.0.2'
/** The last one of the first worker's block, so that it moves no pod. */
export const istiodPodAddress = '10.244.1.254'

export const platformAddresses: readonly string[] = [
  apiServerAddress,
  dnsAddress,
  istiodAddress,
  dnsPodAddress,
  istiodPodAddress,
]
