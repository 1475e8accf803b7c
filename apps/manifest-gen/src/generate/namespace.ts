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
