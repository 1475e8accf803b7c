import type { Labels } from '../description/types.js'

/** A Kubernetes object, as plain data in the order that it is written in. */
export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Labels
    readonly annotations?: Labels
  }
  readonly [field: string]: unknown
}

/** The folders of k8s that the objects belong to, in the order that they are applied in. */
export const parts = ['workloads', '20-network', '30-cilium', '40-mtls', '50-identity', '60-requests'] as const
export type Part = (typeof parts)[number]

/** Objects that lie in one file. */
export interface ManifestFile {
  readonly part: Part
  /** Below k8s: `layers/20-network/demo/worker-app.yaml`. */
  readonly path: string
  readonly objects: readonly KubernetesObject[]
}

/** A policy's metadata: its question stands in an annotation, since tools drop comments. */
export const policyMeta = (name: string, namespace: string, question: string): KubernetesObject['metadata'] => ({
  name,
  namespace,
  annotations: { 'bulkhead.dev/question': question },
})

/** How certificates name a ServiceAccount. */
export const principal = (namespace: string, serviceAccount: string): string =>
  `cluster.local/ns/${namespace}/sa/${serviceAccount}`

/** Of every pod, which are not to be known by these alone: whoever may create pods may copy them. */
export const ownLabels = (name: string): Labels => ({ app: name })

/** Pods that istiod makes for this Gateway. */
export const gatewayLabels = (gateway: string): Labels => ({ 'gateway.networking.k8s.io/gateway-name': gateway })
