import { type KubernetesObject, policyMeta } from './objects.js'

/** A namespace whose pods are in the mesh, and hardened. */
export const namespace = (name: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name,
    labels: {
      'app.kubernetes.io/part-of': 'bulkhead',
      'istio.io/dataplane-mode': 'ambient',
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/audit': 'restricted',
      'pod-security.kubernetes.io/warn': 'restricted',
    },
  },
})

/** A node's disk is everybody's: what pods write into logs and emptyDirs has an end, whoever makes them. */
export const disk = (name: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'LimitRange',
  metadata: { name: 'disk', namespace: name },
  spec: {
    limits: [
      {
        type: 'Container',
        defaultRequest: { 'ephemeral-storage': '16Mi' },
        default: { 'ephemeral-storage': '256Mi' },
        max: { 'ephemeral-storage': '1Gi' },
      },
    ],
  },
})

/** Closed, both ways, also for the pod that somebody adds tomorrow. */
export const defaultDeny = (name: string): KubernetesObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: policyMeta('default-deny', name, 'May a pod call, or be called, without a policy that says so?'),
  spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
})

export const strict = (name: string): KubernetesObject => ({
  apiVersion: 'security.istio.io/v1',
  kind: 'PeerAuthentication',
  metadata: policyMeta('default', name, 'Who is really calling?'),
  spec: { mtls: { mode: 'STRICT' } },
})

export const allowNothing = (name: string): KubernetesObject => ({
  apiVersion: 'security.istio.io/v1',
  kind: 'AuthorizationPolicy',
  metadata: policyMeta('allow-nothing', name, 'May anybody call a pod that no other policy names?'),
  spec: {},
})
