import type { CiliumRule, NetworkPolicy, Resource } from '@bulkhead/resources'
import fc from 'fast-check'
import type { NetworkOptions } from '../api.js'
import { ciliumRule, type Style } from './arbitrary-cilium.js'
import {
  block,
  kubernetesPort,
  namespaceSelector,
  oneOf,
  orMissing,
  podSelector,
  written,
} from './arbitrary-selectors.js'
import { ccnp, cnp, netpol } from './network-objects.js'

/*
 * Test code: random sets of network policies that are valid, for the small world of network-world.ts. Their words are few,
 * so that policies and packets often meet.
 */

// NetworkPolicy

const kubernetesPeer = fc.oneof(
  podSelector.map((selector) => ({ podSelector: selector })),
  namespaceSelector.map((selector) => ({ namespaceSelector: selector })),
  fc
    .tuple(podSelector, namespaceSelector)
    .map(([pods, namespaces]) => ({ podSelector: pods, namespaceSelector: namespaces })),
  block.map((ipBlock) => ({ ipBlock })),
)
function kubernetesRules(way: 'from' | 'to'): fc.Arbitrary<object[] | undefined> {
  return orMissing(
    fc.array(
      fc
        .record({
          peers: orMissing(fc.array(kubernetesPeer, { maxLength: 2 })),
          ports: orMissing(fc.array(kubernetesPort, { maxLength: 2 }), 2),
        })
        .map(({ peers: list, ports: where }) => ({ [way]: list, ports: where })),
      { maxLength: 2 },
    ),
  )
}
type NetworkSpec = NetworkPolicy['spec']
export const kubernetesSpec: fc.Arbitrary<NetworkSpec> = fc
  .record({
    podSelector: orMissing(podSelector, 8),
    policyTypes: oneOf(undefined, [], ['Ingress'], ['Egress'], ['Ingress', 'Egress'], ['Ingress', 'Egress']),
    ingress: kubernetesRules('from'),
    egress: kubernetesRules('to'),
  })
  .map((spec) => written<NetworkSpec>(spec))

// Sets

export type RandomNetworkPolicy =
  | { readonly kind: 'NetworkPolicy'; readonly namespace: string; readonly spec: NetworkSpec }
  | { readonly kind: 'CiliumNetworkPolicy'; readonly namespace: string; readonly specs: readonly CiliumRule[] }
  | { readonly kind: 'CiliumClusterwideNetworkPolicy'; readonly specs: readonly CiliumRule[] }

const namespace = oneOf('a', 'a', 'a', 'a', 'a', 'b', 'c')

export function networkPolicy(style: Style = {}): fc.Arbitrary<RandomNetworkPolicy> {
  const specs = (rule: fc.Arbitrary<CiliumRule>): fc.Arbitrary<CiliumRule[]> =>
    fc.array(rule, { minLength: 1, maxLength: 2, size: 'xsmall' })
  const ofCluster = fc.oneof(
    { weight: 2, arbitrary: ciliumRule(style, 'cluster') },
    { weight: 1, arbitrary: ciliumRule({ nodes: true }, 'nodes') },
  )
  return fc.oneof(
    {
      weight: style.reading === true ? 0 : 3,
      arbitrary: fc.record({ kind: fc.constant('NetworkPolicy' as const), namespace, spec: kubernetesSpec }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('CiliumNetworkPolicy' as const),
        namespace,
        specs: specs(ciliumRule(style, 'namespace')),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('CiliumClusterwideNetworkPolicy' as const), specs: specs(ofCluster) }),
    },
  )
}

export const networkSet: fc.Arbitrary<RandomNetworkPolicy[]> = oneOf<Style>(
  {},
  {},
  { mode: 'required' },
  { mode: 'test-always-fail' },
  { mode: 'disabled' },
  { reading: true },
  { reading: true },
  { reading: true },
).chain((style) => {
  const [minLength, maxLength] = style.reading === true ? [1, 3] : [2, 6]
  return fc.array(networkPolicy(style), { minLength, maxLength, size: 'medium' })
})

export function networkResources(set: readonly RandomNetworkPolicy[]): Resource[] {
  return set.map((policy, index) => {
    if (policy.kind === 'NetworkPolicy') return netpol(`${policy.namespace}/p${index}`, policy.spec)
    const [spec, ...more] = policy.specs
    const rules = spec !== undefined && more.length === 0 ? spec : policy.specs
    return policy.kind === 'CiliumNetworkPolicy'
      ? cnp(`${policy.namespace}/p${index}`, rules)
      : ccnp(`p${index}`, rules)
  })
}

/** Cilium in its default mode, mostly. */
export const networkOptions: fc.Arbitrary<NetworkOptions> = oneOf<NetworkOptions>(
  {},
  {},
  {},
  {},
  {},
  {},
  {},
  { reader: 'api' },
  { reader: 'api' },
  { reader: 'api' },
  { enforcement: 'always' },
  { enforcement: 'never' },
)
