/** What is read of a cluster, by the names that kubectl takes: all that the engine judges by, and what the layers are made of. */
const always = [
  ...['namespaces', 'nodes', 'pods', 'services', 'serviceaccounts', 'configmaps', 'persistentvolumeclaims'],
  ...['limitranges', 'resourcequotas', 'poddisruptionbudgets.policy', 'horizontalpodautoscalers.autoscaling'],
  ...['deployments.apps', 'statefulsets.apps', 'daemonsets.apps'],
  ...['networkpolicies.networking.k8s.io'],
  ...['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'].map(
    (name) => `${name}.rbac.authorization.k8s.io`,
  ),
  ...['validatingadmissionpolicies', 'validatingadmissionpolicybindings'].map(
    (name) => `${name}.admissionregistration.k8s.io`,
  ),
]

/** Those of definitions that a cluster has once Cilium, Istio, Gateway API and Kyverno are there. */
const defined = [
  ...['ciliumnetworkpolicies.cilium.io', 'ciliumclusterwidenetworkpolicies.cilium.io'],
  ...['authorizationpolicies', 'peerauthentications', 'requestauthentications'].map(
    (name) => `${name}.security.istio.io`,
  ),
  ...['gateways', 'gatewayclasses', 'httproutes', 'referencegrants'].map((name) => `${name}.gateway.networking.k8s.io`),
  ...[
    'validatingpolicies',
    'mutatingpolicies',
    'generatingpolicies',
    'imagevalidatingpolicies',
    'policyexceptions',
  ].map((name) => `${name}.policies.kyverno.io`),
  ...['namespacedvalidatingpolicies', 'namespacedmutatingpolicies', 'namespacedgeneratingpolicies'].map(
    (name) => `${name}.policies.kyverno.io`,
  ),
  ...['clusterpolicies.kyverno.io', 'policies.kyverno.io', 'policyexceptions.kyverno.io'],
]

/** Of the kinds that a cluster serves, those that are read. */
export function readKinds(served: readonly string[]): readonly string[] {
  const there = new Set(served)
  const short = (name: string): boolean => there.has(name) || (!name.includes('.') && there.has(name))
  return [...always.filter(short), ...defined.filter((name) => there.has(name))]
}

/** Kinds whose objects are policies: they are read wherever they are. */
export const policyGroups: ReadonlySet<string> = new Set([
  ...['networking.k8s.io', 'cilium.io', 'security.istio.io', 'gateway.networking.k8s.io'],
  ...['policies.kyverno.io', 'kyverno.io', 'admissionregistration.k8s.io'],
])

/** Namespaces of the platform: what runs there stands for itself, and no scenario is about it. */
export const platformNamespaces: ReadonlySet<string> = new Set([
  ...['kube-system', 'kube-public', 'kube-node-lease', 'local-path-storage', 'cilium-secrets'],
  ...['istio-system', 'kyverno'],
])

/** What of the platform flows lead to: the engine knows these by their Services. */
export const platformServices: ReadonlySet<string> = new Set([
  'Service/kube-system/kube-dns',
  'Service/istio-system/istiod',
])
/** The pods behind those. */
export const platformPods: readonly { readonly namespace: string; readonly label: string; readonly value: string }[] = [
  { namespace: 'kube-system', label: 'k8s-app', value: 'kube-dns' },
  { namespace: 'istio-system', label: 'app', value: 'istiod' },
]
