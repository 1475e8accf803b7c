import type { LabelSelector } from './kinds.js'
import type { KubernetesObject } from './types.js'

/*
 * The network layers' kinds, as far as Bulkhead reads them. A list that is missing and one that is empty mean different
 * things in Cilium's rules, so both are kept apart: optional, and never filled in.
 */

export interface NetworkPolicyPeer {
  readonly podSelector?: LabelSelector
  readonly namespaceSelector?: LabelSelector
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] }
}

export interface NetworkPolicyPort {
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP'
  readonly port?: number | string
  readonly endPort?: number
}

/** networking.k8s.io/v1 NetworkPolicy. */
export interface NetworkPolicy extends KubernetesObject {
  readonly kind: 'NetworkPolicy'
  readonly spec: {
    readonly podSelector?: LabelSelector
    readonly policyTypes?: readonly ('Ingress' | 'Egress')[]
    readonly ingress?: readonly {
      readonly from?: readonly NetworkPolicyPeer[]
      readonly ports?: readonly NetworkPolicyPort[]
    }[]
    readonly egress?: readonly {
      readonly to?: readonly NetworkPolicyPeer[]
      readonly ports?: readonly NetworkPolicyPort[]
    }[]
  }
}

/** Those of Cilium's CustomResourceDefinition: the API server refuses any other, `world-ipv4` and `world-ipv6` among them. */
export type CiliumEntity =
  | 'all'
  | 'none'
  | 'world'
  | 'cluster'
  | 'cluster-mesh'
  | 'host'
  | 'remote-node'
  | 'kube-apiserver'
  | 'ingress'
  | 'health'
  | 'init'
  | 'unmanaged'

export interface CiliumCidrRule {
  readonly cidr?: string
  readonly except?: readonly string[]
  readonly cidrGroupRef?: string
  readonly cidrGroupSelector?: LabelSelector
}

export interface CiliumFqdnSelector {
  readonly matchName?: string
  readonly matchPattern?: string
}

export interface CiliumHttpRule {
  readonly method?: string
  readonly path?: string
  readonly host?: string
  readonly headers?: readonly string[]
  readonly headerMatches?: readonly {
    readonly name: string
    readonly value?: string
    readonly mismatch?: 'LOG' | 'ADD' | 'DELETE' | 'REPLACE'
    readonly secret?: Readonly<Record<string, unknown>>
  }[]
}

/** Those without ports: a rule for one opens or denies it as a whole. */
export type CiliumPortlessProtocol = 'VRRP' | 'IGMP' | 'GRE' | 'IPIP' | 'IPV6' | 'ESP' | 'AH'

export interface CiliumPortRule {
  readonly ports?: readonly {
    readonly port?: string
    readonly endPort?: number
    readonly protocol?: 'TCP' | 'UDP' | 'SCTP' | 'ANY' | 'ICMP' | 'ICMPV6' | CiliumPortlessProtocol
  }[]
  readonly rules?: {
    readonly http?: readonly CiliumHttpRule[]
    readonly dns?: readonly CiliumFqdnSelector[]
    readonly kafka?: readonly Readonly<Record<string, unknown>>[]
    readonly l7?: readonly Readonly<Record<string, string>>[]
    readonly l7proto?: string
  }
  readonly serverNames?: readonly string[]
  readonly listener?: Readonly<Record<string, unknown>>
  readonly originatingTLS?: Readonly<Record<string, unknown>>
  readonly terminatingTLS?: Readonly<Record<string, unknown>>
}

export interface CiliumIcmpRule {
  readonly fields?: readonly { readonly family?: 'IPv4' | 'IPv6'; readonly type: number | string }[]
}

interface CiliumRuleCommon {
  readonly toPorts?: readonly CiliumPortRule[]
  readonly icmps?: readonly CiliumIcmpRule[]
  readonly authentication?: { readonly mode: 'disabled' | 'required' | 'test-always-fail' }
}

/** One item of `ingress` or `ingressDeny`. A deny item has no L7 rules. */
export interface CiliumIngressRule extends CiliumRuleCommon {
  readonly fromEndpoints?: readonly LabelSelector[]
  readonly fromEntities?: readonly CiliumEntity[]
  readonly fromCIDR?: readonly string[]
  readonly fromCIDRSet?: readonly CiliumCidrRule[]
  readonly fromNodes?: readonly LabelSelector[]
  readonly fromGroups?: readonly Readonly<Record<string, unknown>>[]
}

/** One item of `egress` or `egressDeny`. A deny item has no L7 rules and no FQDNs. */
export interface CiliumEgressRule extends CiliumRuleCommon {
  readonly toEndpoints?: readonly LabelSelector[]
  readonly toEntities?: readonly CiliumEntity[]
  readonly toCIDR?: readonly string[]
  readonly toCIDRSet?: readonly CiliumCidrRule[]
  readonly toNodes?: readonly LabelSelector[]
  readonly toFQDNs?: readonly CiliumFqdnSelector[]
  readonly toServices?: readonly Readonly<Record<string, unknown>>[]
  readonly toGroups?: readonly Readonly<Record<string, unknown>>[]
}

export interface CiliumRule {
  readonly endpointSelector?: LabelSelector
  readonly nodeSelector?: LabelSelector
  readonly ingress?: readonly CiliumIngressRule[]
  readonly ingressDeny?: readonly CiliumIngressRule[]
  readonly egress?: readonly CiliumEgressRule[]
  readonly egressDeny?: readonly CiliumEgressRule[]
  readonly enableDefaultDeny?: { readonly ingress?: boolean; readonly egress?: boolean }
  readonly labels?: readonly Readonly<Record<string, unknown>>[]
  readonly description?: string
}

/** cilium.io/v2: `spec`, or several in `specs`. */
export interface CiliumNetworkPolicy extends KubernetesObject {
  readonly kind: 'CiliumNetworkPolicy'
  readonly spec?: CiliumRule
  readonly specs?: readonly CiliumRule[]
}

/** cilium.io/v2, for the whole cluster. */
export interface CiliumClusterwideNetworkPolicy extends KubernetesObject {
  readonly kind: 'CiliumClusterwideNetworkPolicy'
  readonly spec?: CiliumRule
  readonly specs?: readonly CiliumRule[]
}
