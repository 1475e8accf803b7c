import { application, appProject } from './argo-application.js'
import { authorizationPolicy } from './authorization-policy.js'
import { gateway } from './gateway-api/gateway.js'
import { httpRoute } from './gateway-api/http-route.js'
import { gatewayClass, referenceGrant } from './gateway-api/small-kinds.js'
import { generatingPolicy, mutatingPolicy, outline, policyException, validatingPolicy } from './kyverno/cel-policies.js'
import { kyvernoPolicy, legacyException } from './kyverno/cluster-policy/policies.js'
import { ciliumClusterwideNetworkPolicy, ciliumNetworkPolicy } from './network/cilium-policy.js'
import { networkPolicy } from './network/network-policy.js'
import { peerAuthentication } from './peer-authentication.js'
import type { Schema } from './schema.js'

/** A kind's schema in each version that is served, the one to write first. */
type Versions = ReadonlyMap<string, Schema>

const inAll = (schema: Schema, ...versions: readonly string[]): Versions =>
  new Map(versions.map((version) => [version, schema]))

const istio = (schema: Schema): Versions => inAll(schema, 'v1', 'v1beta1')
const gatewayApi = istio
const kyverno = (schema: Schema): Versions => inAll(schema, 'v1', 'v1beta1', 'v1alpha1')
const olderKyverno = (kind: 'ClusterPolicy' | 'Policy'): Versions =>
  new Map([
    ['v1', kyvernoPolicy(kind, 'v1')],
    ['v2beta1', kyvernoPolicy(kind, 'v2beta1')],
  ])

/** The kinds that are judged, and so read by our own models: by group and kind. */
const STRICT: Readonly<Record<string, Versions>> = {
  'security.istio.io/AuthorizationPolicy': istio(authorizationPolicy),
  'security.istio.io/PeerAuthentication': istio(peerAuthentication),
  'gateway.networking.k8s.io/Gateway': gatewayApi(gateway),
  'gateway.networking.k8s.io/HTTPRoute': gatewayApi(httpRoute),
  'gateway.networking.k8s.io/GatewayClass': gatewayApi(gatewayClass),
  'gateway.networking.k8s.io/ReferenceGrant': gatewayApi(referenceGrant),
  'networking.k8s.io/NetworkPolicy': inAll(networkPolicy, 'v1'),
  'cilium.io/CiliumNetworkPolicy': inAll(ciliumNetworkPolicy, 'v2'),
  'cilium.io/CiliumClusterwideNetworkPolicy': inAll(ciliumClusterwideNetworkPolicy, 'v2'),
  ...Object.fromEntries(
    ['', 'Namespaced'].flatMap((prefix) => [
      [`policies.kyverno.io/${prefix}ValidatingPolicy`, kyverno(validatingPolicy)],
      [`policies.kyverno.io/${prefix}MutatingPolicy`, kyverno(mutatingPolicy)],
      [`policies.kyverno.io/${prefix}GeneratingPolicy`, kyverno(generatingPolicy)],
      [`policies.kyverno.io/${prefix}ImageValidatingPolicy`, kyverno(outline)],
      [`policies.kyverno.io/${prefix}DeletingPolicy`, kyverno(outline)],
    ]),
  ),
  'policies.kyverno.io/PolicyException': kyverno(policyException),
  'kyverno.io/ClusterPolicy': olderKyverno('ClusterPolicy'),
  'kyverno.io/Policy': olderKyverno('Policy'),
  'kyverno.io/PolicyException': inAll(legacyException, 'v2', 'v2beta1'),
  'argoproj.io/Application': inAll(application, 'v1alpha1'),
  'argoproj.io/AppProject': inAll(appProject, 'v1alpha1'),
}

export function strictVersions(group: string, kind: string): Versions | undefined {
  const name = `${group}/${kind}`
  return Object.hasOwn(STRICT, name) ? STRICT[name] : undefined
}
